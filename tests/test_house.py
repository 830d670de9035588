"""The rules of the house that a program can check."""

import ast
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubatus import SERVICES
from jubatus.idl import services

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jubatus"
CORE = PACKAGE / "_core"

# A part of the package, and the parts that it may import besides itself; `_core` stands for all parts of the core. A
# declaration is jubatus/<service>/__init__.py, the other modules of a service's folder are its client; storage is what a
# server and an embedded class share.
ARROWS = {
    "": "_clients",
    "errors": "",
    "_lazy": "",
    "types": "",
    "stubs": "jubatus idl methods types",
    "_core": "",
    "_core.kernels": "",
    "_core.schema": "errors",
    "_core.context": "",
    "_core.order": "_core.kernels",
    "_core.reserve": "errors",
    "_core.wire": "_core.kernels errors",
    "_core.mix": "_core.kernels _core.reserve _core.wire errors",
    "_core.regex": "errors",
    "_core.convert": "_core.kernels _core.regex _core.reserve _core.schema _core.wire _core.mix errors",
    "_core.unlearn": "_core.kernels _core.schema _core.wire _core.mix _core.convert errors",
    "_core.model": "_core.context _core.kernels _core.reserve _core.wire _core.mix _core.convert errors",
    "_core.handler": "_core.kernels _core.reserve _core.wire _core.convert _core.model",
    "_core.linear": "_core.kernels _core.wire _core.mix _core.convert _core.unlearn errors",
    "_core.graph": "_core.kernels _core.mix",
    "_core.stat": "_core.kernels _core.mix",
    "_core.bandit": "_core.kernels _core.mix",
    "_core.burst": "_core.kernels _core.mix",
    "_core.dense": "",
    "_core.clustering": "_core.dense _core.kernels _core.mix _core.convert errors",
    "_core.rows": "_core.kernels _core.convert _core.mix _core.unlearn",
    "_core.near": "_core.kernels _core.schema _core.convert _core.rows errors",
    "_core.similar": "_core.context _core.kernels _core.schema _core.convert _core.mix _core.rows _core.near _core.unlearn errors",
    "_core.records": "_core.kernels _core.schema _core.convert _core.rows _core.near _core.unlearn errors",
    "_core.anomaly": "_core.kernels _core.schema _core.convert _core.mix _core.rows _core.near _core.similar _core.unlearn errors",
    "_core.services": "_core errors",
    "plugins": "_core errors",
    "idl": "jubatus errors types",
    "methods": "idl types",
    "declaration": "idl methods types _lazy",
    "rpc": "_core errors",
    "common": "_core errors idl methods types rpc",
    "client": "common declaration",
    "storage": "jubatus _core errors",
    "embedded": "jubatus _core errors idl types common declaration storage",
    "cluster": "errors",
    "mixer": "_core errors rpc cluster",
    "daemon": "jubatus errors rpc",
    "server": "jubatus _core errors idl methods types rpc declaration storage daemon cluster mixer",
    "keeper": "jubatus _core errors idl types rpc declaration daemon cluster",
    "visor": "_core errors rpc daemon cluster",
    "cli": "jubatus _core errors idl methods rpc daemon cluster storage server keeper visor",
}

# The modules that name methods besides the declarations: rows that several services have, the kinds of locks, and
# what servers of a service call on each other.
NAMES_METHODS = {"idl", "methods", "server.services.anomaly", "server.services.graph"}

# Words that mean something else in a module than the method of that name: parameters of a filter, a method of mixers,
# texts of errors.
OTHER_MEANINGS = {("_core.convert.rules", "max"), ("_core.convert.rules", "min"), ("mixer.push", "push")}
# Members of a printed model.
OTHER_MEANINGS |= {("cli.layouts", name) for name in ("max", "min", "sum")}
OTHER_MEANINGS |= {("_core.convert.program", "add"), ("_core.convert.rules", "add")}  # a kind of combination
OTHER_MEANINGS |= {("_core.services.clustering", text) for text in ("get_k_center", "get_nearest_center")}
OTHER_MEANINGS |= {
    ("_core.services.graph", text)
    for text in ("get_edge", "get_node", "remove_global_node", "remove_node", "update_node")
}

# Tests of several modules together.
OF_ALL = {"tests/core/test_examples.py", "tests/server/test_both_ways.py"}


def sources(*suffixes: str) -> list[Path]:
    """Return the files of the package with these suffixes."""
    return sorted(path for path in PACKAGE.rglob("*") if path.suffix in suffixes)


def tracked() -> list[Path]:
    """Return the files that are in the repository or would be with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in (ROOT / name for name in names) if path.exists()]


def module(path: Path) -> str:
    """Return a module's name below `jubatus`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def part(name: str) -> str:
    """Return to which part of the package a module belongs."""
    head, _, rest = name.partition(".")
    if head in SERVICES:
        return "client" if rest else "declaration"
    if head == "_core":
        return ".".join(name.split(".")[:2])
    return "storage" if name == "server.storage" else head


def imports(path: Path) -> Iterator[str]:
    """Yield the modules below `jubatus` that a source imports or cimports."""
    text = path.read_text()
    if path.suffix != ".py":
        for found in re.finditer(r"^\s*(?:from|c?import)\s+jubatus\.?([\w.]*)", text, re.M):
            yield found[1]
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[2] for alias in node.names if alias.name.split(".")[0] == "jubatus")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jubatus":
            assert node.level == 0, f"{path}: relative import"
            below = (node.module or "").partition(".")[2]
            for alias in node.names:
                name = f"{below}.{alias.name}".lstrip(".")
                place = PACKAGE / name.replace(".", "/")
                yield name if place.is_dir() or place.with_suffix(".py").exists() else below


@pytest.mark.parametrize("path", sources(".py", ".pyx", ".pxd"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    own = part(module(path))
    allowed = {own, *("" if name == "jubatus" else name for name in ARROWS[own].split())}
    if "_core" in allowed:
        allowed |= {name for name in ARROWS if name.startswith("_core.")}
    assert {name for name in imports(path) if part(name) not in allowed} == set()


def test_nothing_generated_is_tracked() -> None:
    generated = re.compile(r"\.(so|o|pyc|html|pyx\.in|tp)$|^jubatus/.*\.(c|cpp)$|egg-info|^build/")
    assert [path for path in tracked() if generated.search(str(path.relative_to(ROOT)))] == []


def test_no_file_outgrows_its_room() -> None:
    code = [path for path in tracked() if path.suffix in {".py", ".pyx", ".pxd", ".h", ".c"}]
    lines = {path: len(path.read_text().splitlines()) for path in code}
    assert {str(path) for path, count in lines.items() if count > (600 if CORE in path.parents else 700)} == set()


def test_no_folder_of_the_core_has_too_many_sources() -> None:
    folders = [CORE, *(path for path in CORE.iterdir() if path.is_dir())]
    sources = {".py", ".pyx", ".h"}
    counts = {folder.name: sum(path.suffix in sources for path in folder.iterdir()) for folder in folders}
    assert {name: count for name, count in counts.items() if count > 15} == {}


def test_no_function_of_the_core_is_long_without_a_reason() -> None:
    long = []
    for path in sources(".pyx"):
        lines = path.read_text().splitlines()
        starts = [i for i, line in enumerate(lines) if re.match(r" *(def|cp?def) (?!class )[^=]*\(", line)]
        for start in starts:
            indent = len(lines[start]) - len(lines[start].lstrip())
            inside = (
                i for i in range(start + 1, len(lines)) if lines[i].strip() and not lines[i].strip().startswith(")")
            )
            end = next((i for i in inside if len(lines[i]) - len(lines[i].lstrip()) <= indent), len(lines))
            count = len("\n".join(lines[start:end]).rstrip().splitlines())
            if count > 60 and not lines[start - 1].lstrip().startswith("# Long"):
                long.append((path.name, start + 1, count))
    assert long == []


def test_a_stub_belongs_to_a_module_that_python_or_another_stub_imports() -> None:
    stubs = {module(path) for path in sources(".pyi") if CORE in path.parents}
    imported = {name for path in sources(".py", ".pyi") for name in imports(path) if name.startswith("_core.")}
    compiled = {module(path) for path in sources(".pyx")}
    assert stubs == imported & compiled


def test_each_service_has_its_commands() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name in SERVICES:
        assert scripts[f"juba{name}"] == "jubatus.cli.server:main"
        assert scripts[f"juba{name}_keeper"] == scripts[f"juba{name}_proxy"] == "jubatus.cli.keeper:main"
    for target in scripts.values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def texts(node: ast.AST) -> Iterator[object]:
    """Yield the literals of a source, but the names of attributes in `__slots__`."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__":
        return
    if isinstance(node, ast.Constant):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from texts(child)


def test_methods_are_named_by_their_declaration_only() -> None:
    names = {method.name for service in services().values() for method in service.methods}
    found = []
    for path in sources(".py"):
        if part(module(path)) == "declaration" or module(path) in NAMES_METHODS:
            continue
        found += [(module(path), text) for text in texts(ast.parse(path.read_text())) if text in names]
    for path in sources(".pyx"):
        found += [(module(path), name) for name in re.findall(r"[\"'](\w+)[\"']", path.read_text()) if name in names]
    assert set(found) - OTHER_MEANINGS == set()


def test_tests_mirror_the_source() -> None:
    mirrored = [path for path in PACKAGE.rglob("*") if path.is_dir()]
    strays = []
    for folder in mirrored:
        tests = ROOT / "tests" / str(folder.relative_to(PACKAGE)).lstrip("_")
        for test in tests.glob("test_*.py"):
            name = test.stem.removeprefix("test_")
            if name != folder.name and not any((folder / f"{name}{suffix}").exists() for suffix in (".py", ".pyx")):
                strays.append(str(test.relative_to(ROOT)))
    assert set(strays) - OF_ALL == set()


def definitions(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield type, name and what follows the arguments of every cdef and cpdef function that has a body."""
    pattern = r"^[ ]*cp?def (?!class |extern |struct |enum |packed |cppclass )([^(=\n]*?)(\w+)\(((?:[^()]|\([^()]*\))*)\)([^\n]*)"
    for found in re.finditer(pattern, text, re.M):
        if found[4].split("#")[0].rstrip().endswith(":"):
            yield found[1].replace("inline ", "").strip(), found[2], found[4]


def test_each_cdef_says_how_it_fails() -> None:
    bodies = {path: path.read_text() for path in sources(".pyx", ".pxd")}
    # Functions that return Python objects fail by returning none.
    objects = {"", "object", "bytes", "str", "list", "dict", "tuple", "set"}
    objects |= {name for text in bodies.values() for name in re.findall(r"^cdef class (\w+)", text, re.M)}
    silent = [
        (path.name, name)
        for path, text in bodies.items()
        for kind, name, rest in definitions(text)
        if kind not in objects and "except" not in rest
    ]
    assert silent == []


def test_each_release_of_the_gil_gives_its_reason() -> None:
    bare = []
    for path in sources(".pyx", ".pxd"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if re.match(r"\s*with nogil", line) and "#" not in line and not lines[number - 1].lstrip().startswith("#"):
                bare.append((path.name, number + 1))
    assert bare == []


def test_no_function_waits_to_be_written() -> None:
    assert [str(path) for path in sources(".py", ".pyx", ".pxd", ".h") if "NotImplemented" in path.read_text()] == []
