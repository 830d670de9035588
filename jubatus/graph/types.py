"""The messages of graph, and the types."""

from jubatus.common.types import *  # noqa: F403
from jubatus.graph import Edge as Edge
from jubatus.graph import Node as Node
from jubatus.graph import PresetQuery as PresetQuery
from jubatus.graph import Query as Query
from jubatus.graph import ShortestPathQuery as ShortestPathQuery
