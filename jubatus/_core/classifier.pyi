"""classifier: linear multi-class learners."""

from jubatus._core.model import Model
from jubatus._core.wire import Reader

METHODS: dict[str, int]

class Classifier(Model):
    """A linear classifier."""

    def train(self, args: Reader) -> bytes:
        """Learn [[label, datum], ...]; return the packed number of data."""
    def classify(self, args: Reader) -> bytes:
        """Score every label for each datum; return packed [[[label, score], ...], ...]."""
    def get_labels(self, args: Reader) -> bytes:
        """Return packed {label: how often it was trained}."""
    def set_label(self, args: Reader) -> bytes:
        """Make a label known; return packed whether it was new."""
    def delete_label(self, args: Reader) -> bytes:
        """Forget a label; return packed whether it was known."""
