"""The contract of plugins: types of the converter that are written in Python.

A type with ``"method": "dynamic"`` names a Python file or module in ``path`` and a factory in ``function``. The factory
is called once, with all parameters of the type as texts by name, also those three. What it returns has the method of
one of the classes below; which ones a section of the configuration takes is said there.

A text is the UTF-8 of the datum as ``str``. A byte that is no UTF-8 is a lone surrogate there, as ``os.fsdecode`` makes
it, and becomes the same byte again. A number that is returned is a ``float`` or converts to one.

Whatever a method raises is an error of the call that needed it, and so is a result that breaks the contract. The error
names plugin, function and cause; nothing is learned from the datum. Methods are called under the GIL, by several
threads, in any order: two calls never run Python code at the same moment, but one may begin before another has ended.
So what the object keeps must not change once it is made, or be guarded by a lock of its own, as a cache has to be. A
method must give the same for the same arguments, and must not call the model that it works for.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

Parameters = Mapping[str, str]
"""What a factory is called with. To refuse them it raises: ConfigError of jubatus.errors is told as it is, of any other
exception its class too."""


class Splitter(Protocol):
    """Of ``string_types``: cut a text into tokens, each of which counts 1."""

    def split(self, text: str, /) -> Iterable[tuple[int, int]]:
        """Return begin and length of each token, in characters; tokens may overlap and be empty."""


class StringFeature(Protocol):
    """Of ``string_types``: make tokens of a text that need not stand in it, and may count more or less than 1."""

    def extract(self, text: str, /) -> Iterable[tuple[str, float]]:
        """Return tokens and their scores. Scores of equal tokens add up to what the sample weight sees as count."""


class StringFilter(Protocol):
    """Of ``string_filter_types``."""

    def filter(self, text: str, /) -> str:
        """Return the filtered text."""


class NumberFilter(Protocol):
    """Of ``num_filter_types``."""

    def filter(self, number: float, /) -> float:
        """Return the filtered number."""


class NumberFeature(Protocol):
    """Of ``num_types``."""

    def extract(self, key: str, number: float, /) -> Iterable[tuple[str, float]]:
        """Return features.

        Args:
            key: ``<key of the datum>@<type>``, which names of features usually begin with.
            number: of the datum.

        Returns:
            Names, which are used as they are, and values.
        """


class BinaryFeature(Protocol):
    """Of ``binary_types``."""

    def extract(self, key: str, value: bytes, /) -> Iterable[tuple[str, float]]:
        """Return features, as a NumberFeature does."""


class CombinationFeature(Protocol):
    """Of ``combination_types``."""

    @property
    def commutative(self) -> bool:
        """Whether a pair is given once, in the order of the features; otherwise in both orders. Read once."""

    def extract(self, key: str, left: float, right: float, /) -> Iterable[tuple[str, float]]:
        """Return features.

        Args:
            key: ``<name of the left feature>&<name of the right one>/<type>``.
            left: value of the left feature.
            right: value of the right feature.

        Returns:
            Names, which are used as they are, and values.
        """
