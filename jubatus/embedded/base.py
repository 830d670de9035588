"""The base of the classes that learn in process."""

import json
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from jubatus._core.schema import json_equal, parse_json
from jubatus._core.wire.codec import Decoder, Encoder
from jubatus.errors import ConfigError, ModelFileError, UnsupportedMethod
from jubatus.idl import Method, Service
from jubatus.server import storage

NODE = "127.0.0.1_0"
"""What stands for address and port in the names of model files."""


class InvalidConfig(ConfigError, ValueError, TypeError, RuntimeError):
    """A configuration that cannot be used.

    Programs written for the original expect one of the three built-in exceptions, by the kind of mistake.
    """


class Embedded:
    """Base of the classes that learn in process; one has the methods of its service and those that all services have.

    Arguments are checked like those of a client, and the results are the same objects. What a server would answer as
    an error is raised as JubatusError with the same text. One object may be used from several threads, can be pickled
    and copied, and stands in a ``with`` statement like a client.

    Args:
        config: the configuration: JSON text (it starts with ``{``), the path of a file, or an object that can be
            written as JSON.

    Raises:
        InvalidConfig: the configuration cannot be used.
        OSError: the file cannot be read.
    """

    SERVICE: ClassVar[Service]

    def __init_subclass__(cls, service: Service | None = None, **kwargs: Any) -> None:
        """Give the class the methods of a service."""
        super().__init_subclass__(**kwargs)
        if service is not None:
            cls.SERVICE = service
            for method in service.methods:
                setattr(cls, method.name, method.function(cls, _runner(method)))

    def __init__(self, config: Any) -> None:
        if isinstance(config, str) and config.lstrip().startswith("{"):
            self._set_up(config.encode("utf-8", "surrogatepass"))
        elif isinstance(config, (str, os.PathLike)):
            with open(config, "rb") as file:
                self._set_up(file.read(), os.fspath(config))
        else:
            self._set_up(json.dumps(config, sort_keys=True, indent=4).encode())

    def _set_up(self, text: bytes, source: str = "") -> None:
        try:
            self._config = parse_json(text, source)
            self._model: Any = self.SERVICE.model_class(self._config)
        except ConfigError as error:
            raise InvalidConfig(*error.messages) from error
        except UnsupportedMethod as error:
            raise InvalidConfig(error.explain()) from error
        self._text = text
        self._lock = threading.Lock()

    def get_config(self) -> str:
        """Return the text of the configuration, or of that of the model which was loaded."""
        return self._text.decode("utf-8", "surrogatepass")

    def save(self, id: str) -> dict[str, str]:
        """Write the model to ``/tmp/127.0.0.1_0_<service>_<id>.jubatus``.

        Args:
            id: name of the model: printable ASCII without ``/``.

        Returns:
            the path of the file by ``127.0.0.1_0``.

        Raises:
            ModelFileError: the id is not allowed or the file cannot be written.
        """
        path = self._path(id)
        storage.save(path, self._parts(id))
        return {NODE: path}

    def load(self, id: str) -> bool:
        """Become the model that was saved with this id; return True.

        Raises:
            ModelFileError: the id is not allowed, or the file is missing, torn or foreign; the model is as it was.
        """
        self._become(*storage.load(self._path(id), type=self.SERVICE.name, config=None))
        return True

    def save_bytes(self) -> bytes:
        """Return the bytes of a model file."""
        return b"".join(self._parts(""))

    def load_bytes(self, data: bytes) -> None:
        """Become the model of a model file's bytes, with its configuration.

        Raises:
            ModelFileError: they are torn or foreign; the model is as it was.
        """
        self._become(*storage.parse_model_file(data, type=self.SERVICE.name, config=None))

    def get_status(self) -> dict[str, dict[str, str]]:
        """Return the state: texts by key, by ``embedded``."""
        general = {"clock_time": str(int(time.time())), "pid": str(os.getpid())}
        return {"embedded": self._model.status() | general}

    def do_mix(self) -> bool:
        """Return True: there is nobody to mix with."""
        return True

    def get_name(self) -> str:
        """Return the empty name: this is no cluster."""
        return ""

    def set_name(self, name: str) -> NoReturn:
        """Raise RuntimeError: this is no cluster."""
        raise RuntimeError("Unsupported")

    def get_proxy_status(self) -> NoReturn:
        """Raise RuntimeError: there is no keeper."""
        raise RuntimeError("Unsupported")

    def get_client(self) -> NoReturn:
        """Raise RuntimeError: there is no connection."""
        raise RuntimeError("Unsupported")

    def close(self) -> None:
        """Do nothing: there is no connection; the object can be used as before."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def __getstate__(self) -> tuple[str, bytes]:
        return self.get_config(), self.save_bytes()

    def __setstate__(self, state: tuple[str, bytes]) -> None:
        text, data = state
        self._set_up(text.encode("utf-8", "surrogatepass"))
        self.load_bytes(data)

    def _path(self, id: str) -> str:
        return storage.model_path("/tmp", NODE, self.SERVICE.name, storage.model_id(id.encode()))

    def _parts(self, id: str) -> tuple[bytes, ...]:
        with self._lock:
            text, driver = self._text, self._model.pack()
        return storage.pack_model_file(
            type=self.SERVICE.name, id=id, config=text, driver=driver, timestamp=int(time.time())
        )

    def _become(self, text: bytes, driver: bytes) -> None:
        """Take in a packed model; under another configuration it needs another engine."""
        try:
            config = parse_json(text)
            with self._lock:
                model = self._model
                if not json_equal(config, self._config):
                    model = self.SERVICE.model_class(config)
                model.unpack(driver)
                self._model, self._config, self._text = model, config, text
        except (ConfigError, UnsupportedMethod) as error:
            raise ModelFileError(f"the configuration of the model cannot be used: {error}") from error


def _runner(method: Method) -> Callable[..., Any]:
    """Return what carries out a method: it packs the arguments, runs the handler and unpacks the result."""
    name = method.name
    arguments = Encoder(argument.type for argument in method.args).reader
    result = Decoder(method.returns).decode

    def run(instance: Embedded, *args: Any) -> Any:
        packed = arguments(args)
        with instance._lock:
            answer = getattr(instance._model, name)(packed)
        return result(answer)

    return run
