"""How the service ``nearest_neighbor`` is tested."""

from typing import Any

from hypothesis import strategies as st

from jubatus._core.wire import unpack
from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference.nearest_neighbor import NearestNeighbor
from tests.services import Config, Facts


def config(method: str, bits: int, **more: Any) -> Config:
    """Return a configuration of a method."""
    return {"method": method, "parameter": {"hash_num": bits, **more}, "converter": CONVERTER}


@st.composite
def any_config(draw: st.DrawFn) -> Config:
    """Make a configuration with any method and converter."""
    method = draw(st.sampled_from(["lsh", "euclid_lsh", "minhash"]))
    parameter: dict[str, Any] = {"hash_num": draw(st.sampled_from([1, 7, 8, 13, 64, 70]))}
    if draw(st.booleans()):
        parameter["threads"] = draw(st.sampled_from([0, 1, 2, 3]))
    if method != "minhash" and draw(st.booleans()):
        parameter["cache_size"] = draw(st.sampled_from([0, 1, 100]))
    return {"method": method, "parameter": parameter, "converter": draw(configs(("bin", "idf", "idf1", "bm25")))}


def rows_of(part: Any) -> Any:
    """Return the rows of a diff in one order, without their owners; on the wire they are packed once more."""
    rows = unpack(part) if isinstance(part, bytes) else part
    return sorted(exact([[key, clock, cells] for key, (_, clock), cells in rows]), key=repr)


def diff(value: list[Any]) -> Any:
    """Bring a diff into a form without order."""
    return [rows_of(value[0]), *map(exact, value[1:])]


def table_of(packed: list[Any]) -> Any:
    """Return a packed table without the owners of the rows, which are the addresses of servers."""
    keys, size, versions, *rest = packed
    return exact([keys, size, [clock for _, clock in versions], *rest])


def stored(value: list[Any]) -> Any:
    """Bring an unpacked model into a form without owners."""
    return [table_of(value[0]), *map(exact, value[1:])]


def settle(row: str, reply: Any) -> Any:
    """Which of rows that are equally near comes first depends on their order, and that on the server."""
    if row == "get_all_rows":
        return sorted(reply)
    return [score for _, score in reply] if isinstance(reply, list) else reply


FACTS = Facts(
    configs=(config("lsh", 64), config("euclid_lsh", 70), config("minhash", 13), config("lsh", 7, threads=2)),
    twin=NearestNeighbor,
    any_config=any_config(),
    values={"size": (10, 0, 1, 2, 5, 2**32 - 1), "ret_num": (10, 0, 1, 3)},
    teaching=(
        ("set_row", ("a", [[["a", "x y"]], [["k", 1.0]], []])),
        ("set_row", ("b", [[["b", "yz"]], [["k", -2.0]], []])),
    ),
    settle=settle,
    diff=diff,
    stored=stored,
)
