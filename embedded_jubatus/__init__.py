"""The name under which programs know ``jubatus.embedded``."""

from jubatus.embedded import Classifier, Weight

__all__ = ["Classifier", "Weight"]
