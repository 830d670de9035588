"""From the text of a configuration to a model that has learned nothing."""

import hashlib
import json

from jubatus._core.context import ALONE, Context
from jubatus._core.model import Model
from jubatus._core.schema import parse_json
from jubatus.errors import ConfigError, ConfigSyntaxError, UnsupportedMethod
from jubatus.idl import Service


def read(path: str) -> bytes:
    """Return the content of a configuration file; raise ConfigError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"cannot read configuration: {path}: {error.strerror}") from error


def mark(config: bytes) -> bytes:
    """Return what stands for a configuration: the same for those that are equal as JSON values.

    The order of members does not matter, and 1 differs from 1.0. What is no JSON stands for itself.
    """
    try:
        config = json.dumps(parse_json(config), sort_keys=True, separators=(",", ":")).encode()
    except ConfigError:
        pass
    return hashlib.sha256(config).hexdigest().encode()


def make_model(
    service: Service, config: bytes, source: str, *, distributed: bool = False, context: Context = ALONE
) -> Model:
    """Return a model that has learned nothing.

    Args:
        service: the declaration.
        config: text of the configuration.
        source: where it is from, for error messages.
        distributed: whether the model takes part in MIX.
        context: where the model runs.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    try:
        model: Model = service.model_class(parse_json(config), distributed=distributed, context=context)
    except ConfigSyntaxError as error:
        raise ConfigError(f"syntax error in configuration: {source}:{error}") from error
    except ConfigError as error:
        raise ConfigError(f"invalid configuration: {source}: {error}") from error
    except UnsupportedMethod as error:
        raise ConfigError(f"invalid configuration: {source}: {error.explain()}") from error
    return model
