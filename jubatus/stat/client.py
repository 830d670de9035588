"""The client of stat."""

from jubatus.common.client import ClientBase
from jubatus.stat import SERVICE
from jubatus.stat.types import *  # noqa: F403


class Stat(ClientBase, service=SERVICE):
    """Calls the methods of a stat server or of the keepers before its cluster."""


stat = Stat
