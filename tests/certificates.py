"""Certificates for the tests, made when they are needed."""

import shutil
import subprocess
from pathlib import Path

import pytest

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Makes certificates for 127.0.0.1.

    Args:
        folder: where all files are.

    Attributes:
        path: its own certificate.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if shutil.which("openssl") is None:
            pytest.fail("apt-get install openssl")
        self.path = folder / "ca.pem"
        self._run("req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")

    def make(self, name: str) -> Path:
        """Return the file of a new certificate and its key."""
        alternative = "subjectAltName=IP:127.0.0.1"
        self._run("req", *KEY, "-keyout", "key", "-out", "request", "-subj", f"/CN={name}", "-addext", alternative)
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy", "-days", "2")
        self._run("x509", "-req", "-in", "request", *signing, "-out", "certificate")
        path = self._folder / f"{name}.pem"
        path.write_bytes(b"".join((self._folder / part).read_bytes() for part in ("key", "certificate")))
        return path

    def _run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self._folder, capture_output=True, check=True, timeout=60)
