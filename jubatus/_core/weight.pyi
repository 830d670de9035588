"""weight: shows what the converter makes of a datum."""

from jubatus._core.model import Model
from jubatus._core.wire import Reader

class Weight(Model):
    """Feature vectors of datums, and the document statistics behind their weights."""

    def update(self, args: Reader) -> bytes:
        """Count a datum; return its features, sorted by name, as packed [[name, value], ...]."""
    def calc_weight(self, args: Reader) -> bytes:
        """Return the features of a datum as update does, but count nothing."""
