"""The messages of clustering, and the types."""

from jubatus.clustering import IndexedPoint as IndexedPoint
from jubatus.clustering import WeightedDatum as WeightedDatum
from jubatus.clustering import WeightedIndex as WeightedIndex
from jubatus.common.types import *  # noqa: F403
