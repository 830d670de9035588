"""The messages of recommender, and the types."""

from jubatus.common.types import *  # noqa: F403
from jubatus.recommender import IdWithScore as IdWithScore
