"""Every exception that the package raises.

::

    JubatusError
     ├── WireError             bytes that are not the MessagePack-RPC protocol, or exceed a limit
     ├── UnknownMethod         a method that the service does not have      (error 1 on the wire)
     ├── BadArguments          arguments of the wrong number or type        (error 2 on the wire)
     ├── ConfigError           a configuration that cannot be used; names the key and what is allowed
     │    └── ConfigSyntaxError   a configuration that is not JSON; has ``line`` and ``column``
     ├── ModelError            a request that the model must refuse         (its text on the wire)
     │    ├── UnsupportedMethod   a method that this kind of model lacks
     │    ├── OutOfMemory      a request that there is no memory for
     │    └── ModelFileError   a model file that cannot be written, read or used
     ├── JournalError          a journal that cannot be written, read or used
     └── ClusterError          what goes wrong between nodes
"""


class JubatusError(Exception):
    """Base of all errors of the package; its text is what a client sees."""


class WireError(JubatusError):
    """Bytes that are not the protocol or exceed a limit; the connection must be closed."""


class UnknownMethod(JubatusError):
    """A method that the service does not have."""


class BadArguments(JubatusError):
    """Arguments of the wrong number or type."""


class ConfigError(JubatusError):
    """A configuration that cannot be used.

    Args:
        *messages: one text a problem; each names the key and what is allowed.
    """

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class ConfigSyntaxError(ConfigError):
    """A configuration that is not JSON.

    Args:
        message: what is wrong.
        line: where, from 1.
        column: where in the line, in characters from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{line}:{column} {message}")
        self.line = line
        self.column = column


class ModelError(JubatusError, RuntimeError):
    """A request that the model must refuse. It is a RuntimeError as well, which in-process users of 1.1 catch."""


class OutOfMemory(ModelError):
    """A request that there is no memory for; it has changed nothing."""


class UnsupportedMethod(ModelError):
    """A method that this kind of model lacks.

    Args:
        name: of the method.
        *allowed: names of those that there are, if they are few; not part of the text.
    """

    def __str__(self) -> str:
        return f"unsupported method ({self.args[0]})"

    def explain(self) -> str:
        """Return the text and the names that are allowed."""
        _, *allowed = self.args
        return f"{self}: one of {', '.join(allowed)} is expected" if allowed else str(self)


class ModelFileError(ModelError):
    """A model file that cannot be written, read or used."""


class JournalError(JubatusError):
    """A journal that cannot be written, read or used."""


class ClusterError(JubatusError):
    """What goes wrong between nodes."""
