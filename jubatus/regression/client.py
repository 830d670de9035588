"""The client of regression."""

from jubatus.common.client import ClientBase
from jubatus.regression import SERVICE
from jubatus.regression.types import *  # noqa: F403


class Regression(ClientBase, service=SERVICE):
    """Calls the methods of a regression server or of the keepers before its cluster."""


regression = Regression
