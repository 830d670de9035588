"""The types of stat; it has no messages."""

from jubatus.common.types import *  # noqa: F403
