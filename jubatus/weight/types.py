"""The messages of weight, and the types."""

from jubatus.common.types import *  # noqa: F403
from jubatus.weight import Feature as Feature
