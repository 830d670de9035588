"""How figures are printed: median with the smallest and largest of the repeated runs, in markdown tables."""

import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return `median (smallest to largest)`."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def ratio(ours: Sequence[float], theirs: Sequence[float], digits: int = 2) -> str:
    """Return the spread of ours over theirs, run by run: both were measured in turn."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)], digits)


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a markdown table under its title."""
    head = list(header)
    print(f"\n### {title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print("|", " | ".join(row), "|", flush=True)


def environment() -> str:
    """Return one line about machine, Python and revision."""
    with open("/proc/cpuinfo") as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    revision = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    model = models[0] if models else platform.machine()
    return f"{model}, {len(models)} cores, Linux {platform.release()}, Python {platform.python_version()}, {revision}"
