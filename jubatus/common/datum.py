"""The datum, where programs look for it."""

from jubatus.types import Datum

__all__ = ["Datum"]
