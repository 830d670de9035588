"""The services in process: the methods and results of the clients, without a server."""

from jubatus import weight
from jubatus.embedded.base import Embedded, InvalidConfig
from jubatus.embedded.classifier import Classifier

__all__ = ["Classifier", "Embedded", "InvalidConfig", "Weight"]


class Weight(Embedded, service=weight.SERVICE):
    """Shows the features of datums, in process."""
