"""The messages of bandit, and the types."""

from jubatus.bandit import ArmInfo as ArmInfo
from jubatus.common.types import *  # noqa: F403
