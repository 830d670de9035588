"""TLS for servers and for those who call them. Imported only where it is used, since ``ssl`` takes a while to load."""

import socket
import ssl
from typing import Any

from jubatus.errors import ConfigError


def server_context(cert: str, key: str, ca: str) -> ssl.SSLContext:
    """Return how a server shows its certificate, and whose certificates it wants to see.

    Args:
        cert: path of the certificate with those that lead to its CA, PEM.
        key: path of its key; nothing if it is in the same file.
        ca: path of the certificates of those CAs that clients must have theirs from; nothing if they need none.

    Raises:
        ConfigError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, cert, key)
    if ca:
        _trust(context, ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca: str = "", cert: str = "", key: str = "") -> ssl.SSLContext:
    """Return how a client checks servers, and what it shows them.

    The certificate of a server must be valid for the host name or address that is connected to.

    Args:
        ca: path of the certificates of those CAs that servers must have theirs from; nothing for those of the system.
        cert: path of the own certificate; nothing if there is none.
        key: path of its key; nothing if it is in the same file.

    Raises:
        ConfigError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        _trust(context, ca)
    else:
        context.load_default_certs()
    if cert:
        _load(context, cert, key)
    return context


def context_of(tls: Any) -> ssl.SSLContext:
    """Return how a client checks servers, from what its user says.

    Args:
        tls: a context; True for the CAs of the system; or the path of the CAs' certificates, also in a tuple with the
            paths of the own certificate and of its key, as ``client_context`` takes them.

    Raises:
        TypeError: it is nothing of that.
        ConfigError: a file cannot be used.
    """
    if isinstance(tls, ssl.SSLContext):
        return tls
    if tls is True:
        return client_context()
    paths = (tls,) if isinstance(tls, str) else tls
    if not (isinstance(paths, tuple) and 1 <= len(paths) <= 3 and all(isinstance(path, str) for path in paths)):
        raise TypeError("tls: an ssl.SSLContext, True, a path, or a tuple of one to three paths is expected")
    return client_context(*paths)


def reason(error: Exception) -> str:
    """Return what went wrong with a connection, as text."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the other side is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return getattr(error, "strerror", None) or str(error) or "it was closed before TLS began"


class SealedSocket:
    """A socket with TLS that raises BlockingIOError where it would wait, as plain ones do.

    Args:
        connected: to a server.
        context: how its certificate is checked.
        host: that the certificate must be valid for.

    Raises:
        OSError: there is no TLS with the server.
    """

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._socket = context.wrap_socket(connected, server_hostname=host)

    def send(self, data: Any) -> int:
        """Send some of the data; return how many bytes."""
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def recv(self, size: int) -> bytes:
        """Return what came: as much as there is, for any size of 16 KiB and more, which are the longest record."""
        try:
            return self._socket.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
        except ssl.SSLError as error:
            raise OSError(reason(error)) from error

    def setblocking(self, flag: bool) -> None:
        """Say whether calls may wait."""
        self._socket.setblocking(flag)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """End the connection under TLS, which another thread may be using."""
        socket.socket.shutdown(self._socket, how)

    def close(self) -> None:
        """Let go of the descriptor."""
        self._socket.close()


def _load(context: ssl.SSLContext, cert: str, key: str) -> None:
    try:
        context.load_cert_chain(cert, key or None, password=lambda: b"")  # nobody is asked for a password
    except OSError as error:
        files = cert if not key else f"{cert}, {key}"
        raise ConfigError(f"tls_cert, tls_key: {files}: {reason(error)}") from error


def _trust(context: ssl.SSLContext, ca: str) -> None:
    try:
        context.load_verify_locations(ca)
    except OSError as error:
        raise ConfigError(f"tls_ca: {ca}: {reason(error)}") from error
