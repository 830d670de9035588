"""The messages of regression, and the types."""

from jubatus.common.types import *  # noqa: F403
from jubatus.regression import ScoredDatum as ScoredDatum
