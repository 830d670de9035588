"""The messages of anomaly, and the types."""

from jubatus.anomaly import IdWithScore as IdWithScore
from jubatus.common.types import *  # noqa: F403
