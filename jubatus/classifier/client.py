"""The client of classifier."""

from jubatus.classifier import SERVICE
from jubatus.classifier.types import *  # noqa: F403
from jubatus.common.client import ClientBase


class Classifier(ClientBase, service=SERVICE):
    """Calls the methods of a classifier server or of the keepers before its cluster."""


classifier = Classifier
