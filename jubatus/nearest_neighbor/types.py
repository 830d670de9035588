"""The messages of nearest_neighbor, and the types."""

from jubatus.common.types import *  # noqa: F403
from jubatus.nearest_neighbor import IdWithScore as IdWithScore
