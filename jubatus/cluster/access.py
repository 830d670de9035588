"""How a program shows ZooKeeper who it is, and how it knows that it talks to ZooKeeper."""

import os
import stat
from dataclasses import dataclass, field
from typing import Any

from jubatus.errors import ConfigError


@dataclass(frozen=True)
class Access:
    """What a connection to ZooKeeper needs besides an address.

    Args:
        credentials: ``user:password``, or nothing. With them nobody without them can use what is created.
        tls: ``ssl.SSLContext`` of the connection; None without TLS.
    """

    credentials: str = field(default="", repr=False)
    tls: Any = None

    @classmethod
    def read(cls, *, auth: str = "", tls_ca: str = "", tls_cert: str = "", tls_key: str = "") -> "Access":
        """Read files; raise ConfigError.

        Args:
            auth: has one line, ``user:password``; nobody but owner and group may read or change it.
            tls_ca: certificates of those whom the connection trusts; without it those of the system.
            tls_cert: certificate that the connection shows.
            tls_key: key of the certificate; it may be in the same file.
        """
        tls = _context(tls_ca, tls_cert, tls_key) if tls_ca or tls_cert or tls_key else None
        return cls(_credentials(auth) if auth else "", tls)


OPEN = Access()
"""As Jubatus 1.1 does it: everybody may use what is created."""


def _credentials(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IRWXO:
                raise ConfigError(f"credentials that others can read or change: chmod o= {path}")
            text = file.read().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"cannot read credentials: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"credentials are not UTF-8: {path}") from error
    user, colon, password = text.partition(":")
    if not (user and colon and password) or "\n" in text:
        raise ConfigError(f"credentials must be one line, user:password: {path}")
    return text


def _context(ca: str, cert: str, key: str) -> Any:
    import ssl

    if key and not cert:
        raise ConfigError(f"a key needs a certificate: {key}")
    path = ca
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if cert:
            path = cert
            context.load_cert_chain(cert, key or None, password=lambda: "")  # never ask for one at a terminal
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ConfigError(f"certificate or key cannot be used: {path}: {reason}") from error
    return context
