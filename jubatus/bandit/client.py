"""The client of bandit."""

from jubatus.bandit import SERVICE
from jubatus.bandit.types import *  # noqa: F403
from jubatus.common.client import ClientBase


class Bandit(ClientBase, service=SERVICE):
    """Calls the methods of a bandit server or of the keepers before its cluster."""


bandit = Bandit
