"""Certificates for the tests, made when they run."""

from pathlib import Path
from typing import Any, NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class Files(NamedTuple):
    """Paths of a certificate, its key, and its CA's certificate."""

    cert: str
    key: str
    ca: str

    def options(self) -> list[str]:
        """Return the options of a program that shows this certificate and wants to see others of its CA."""
        return [f"--tls_cert={self.cert}", f"--tls_key={self.key}", f"--tls_ca={self.ca}"]

    @property
    def tls(self) -> tuple[str, str, str]:
        """What a client takes."""
        return self.ca, self.cert, self.key


class Authority:
    """A CA of its own.

    Args:
        folder: for its files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca: Any = trustme.CA()
        self.path = str(folder / "ca.pem")
        self._ca.cert_pem.write_to_path(self.path)

    def issue(self, *names: str) -> Files:
        """Make a certificate for host names or addresses."""
        made = self._ca.issue_cert(*names)
        cert, key = (self._folder / f"{names[0]}.{kind}" for kind in ("pem", "key"))
        for number, blob in enumerate(made.cert_chain_pems):
            blob.write_to_path(str(cert), append=number > 0)
        made.private_key_pem.write_to_path(str(key))
        return Files(str(cert), str(key), self.path)

    def make(self, name: str) -> Path:
        """Return the file of a new certificate for 127.0.0.1 and its key, which is one that Java reads."""
        path = self._folder / f"{name}.pem"
        made = self._ca.issue_cert("127.0.0.1")
        key: Any = load_pem_private_key(made.private_key_pem.bytes(), None)
        packed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(packed + b"".join(blob.bytes() for blob in made.cert_chain_pems))
        return path
