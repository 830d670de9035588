import pytest

from jubatus.idl import Host, Lock, Method, Route, service
from jubatus.methods import COMMON, LINEAR_MIX, PUSH_MIX, clear


def test_common_rows() -> None:
    rows = {method.name: method for method in COMMON}
    assert list(rows) == ["get_config", "save", "load", "get_status", "do_mix", "get_proxy_status"]
    assert {name for name, row in rows.items() if row.host is not Host.SERVER} == {"do_mix", "get_proxy_status"}
    assert {name for name, row in rows.items() if row.route is Route.INTERNAL} == {"do_mix", "get_proxy_status"}
    assert {name for name, row in rows.items() if row.lock is Lock.NOLOCK} == {
        "get_config",
        "get_status",
        "do_mix",
        "get_proxy_status",
    }
    assert {name for name, row in rows.items() if row.changes} == {"load", "do_mix"}
    assert {name for name, row in rows.items() if row.long} == {"save", "load", "do_mix"}


@pytest.mark.parametrize("method", [*LINEAR_MIX, *PUSH_MIX], ids=lambda method: method.name)
def test_rows_of_mixers(method: Method) -> None:
    assert (method.host, method.route) == (Host.CLUSTER, Route.INTERNAL)
    assert method.long
    assert not (method.named or method.counts)
    assert method.changes == (method.name in ("put_diff", "push"))


def test_clear_counts_where_updates_do() -> None:
    assert service("classifier").method("clear") == clear()
    assert service("weight").method("clear") == clear(counts=False)
    assert (clear().counts, clear(counts=False).counts) == (True, False)
