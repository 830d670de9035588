"""What ``import jubatus`` loads and what can be reached from it, each in a fresh interpreter."""

import subprocess
import sys
from importlib.metadata import version

import pytest


def run(code: str) -> str:
    """Return what a program prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def test_the_package_alone_loads_nothing() -> None:
    loaded = run("import sys; old = set(sys.modules); import jubatus; print(sorted(set(sys.modules) - old))")
    assert loaded == "['jubatus']"


@pytest.mark.parametrize(
    "expression",
    [
        "jubatus.Classifier.__module__",
        "jubatus.classifier.client.Classifier.__module__",
        "jubatus.classifier.client.classifier.__module__",
        "jubatus.classifier.types.LabeledDatum.__module__[:-5] + 'client'",
    ],
)
def test_classes_are_reached_by_attributes(expression: str) -> None:
    assert run(f"import jubatus; print({expression})") == "jubatus.classifier.client"


@pytest.mark.parametrize(
    "expression",
    [
        "jubatus.common.client.InterfaceMismatch",
        "jubatus.common.ClientBase",
        "jubatus.common.Datum",
        "jubatus.common.types.TList",
        "jubatus.common.compat.u",
        "jubatus.embedded.Classifier",
        "jubatus.weight.types.Feature",
        "jubatus.Weight",
    ],
)
def test_modules_load_when_they_are_asked_for(expression: str) -> None:
    assert run(f"import jubatus; {expression}; print('ok')") == "ok"


def test_a_declaration_loads_no_client() -> None:
    code = "import sys, jubatus.classifier as c; print('jubatus.classifier.client' in sys.modules); print(c.client)"
    assert run(code).startswith("False\n<module 'jubatus.classifier.client'")


def test_star_import_gives_the_services() -> None:
    assert (
        run("from jubatus import *; print(classifier.__name__, weight.__name__)") == "jubatus.classifier jubatus.weight"
    )


def test_version_and_names() -> None:
    import jubatus

    assert jubatus.__version__ == version("jubatus")
    assert {"Classifier", "Weight", "classifier", "common", "embedded", "__version__"} <= set(dir(jubatus))
    for missing in ("nothing", "classifier_", "CLASSIFIER"):
        with pytest.raises(AttributeError, match=f"module 'jubatus' has no attribute '{missing}'"):
            getattr(jubatus, missing)
    with pytest.raises(AttributeError, match=r"module 'jubatus.classifier' has no attribute 'nothing'"):
        jubatus.classifier.nothing  # type: ignore[attr-defined]  # noqa: B018
