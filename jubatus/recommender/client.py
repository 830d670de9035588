"""The client of recommender."""

from jubatus.common.client import ClientBase
from jubatus.recommender import SERVICE
from jubatus.recommender.types import *  # noqa: F403


class Recommender(ClientBase, service=SERVICE):
    """Calls the methods of a recommender server or of the keepers before its cluster."""


recommender = Recommender
