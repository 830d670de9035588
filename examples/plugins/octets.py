"""A binary feature: the shares of the kinds of bytes, which tell text, compressed and machine data apart."""

from jubatus.plugins import BinaryFeature, Parameters

TEXT = frozenset(range(32, 127)) | frozenset(b"\t\n\r")


class Octets:
    """Count zero bytes, those of ASCII text, those above 127 and the rest."""

    def extract(self, key: str, value: bytes) -> list[tuple[str, float]]:
        """Return the share of each kind."""
        counts = {"zero": 0, "text": 0, "high": 0, "control": 0}
        for octet in value:
            kind = "zero" if octet == 0 else "text" if octet in TEXT else "high" if octet > 127 else "control"
            counts[kind] += 1
        return [(f"{key}#{kind}", count / len(value)) for kind, count in counts.items() if count]


def create(parameters: Parameters) -> BinaryFeature:
    """Take no parameters of its own."""
    return Octets()
