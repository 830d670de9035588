"""A string filter: make spellings equal that Unicode has several of (full width, ligatures, upper case)."""

import unicodedata
from typing import Literal, get_args

from jubatus.errors import ConfigError
from jubatus.plugins import Parameters, StringFilter

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = get_args(Form)


class Normalize:
    """Bring texts into a normal form of Unicode and fold their case."""

    def __init__(self, form: Form) -> None:
        self.form = form

    def filter(self, text: str) -> str:
        """Return the normal form."""
        return unicodedata.normalize(self.form, text).casefold()


def create(parameters: Parameters) -> StringFilter:
    """Take ``form`` (default NFKC)."""
    given = parameters.get("form", "NFKC")
    for form in FORMS:
        if form == given:
            return Normalize(form)
    raise ConfigError(f"form must be one of {', '.join(FORMS)}: {given}")
