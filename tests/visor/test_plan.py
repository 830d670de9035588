import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus.visor.plan import Ports, Refused, Target, missing, shares

CLASSIFIER = Target("jubaclassifier", "tutorial")


def always(port: int) -> bool:
    return True


def test_targets() -> None:
    assert Target.parse("jubaclassifier/tutorial") == CLASSIFIER
    assert str(CLASSIFIER) == "jubaclassifier/tutorial"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "jubaclassifier",
        "jubaclassifier/",
        "/tutorial",
        "juba x/y",
        "jubax/y z",
        " jubax/y",
        "rm/x",
        "jubax/a\0b",
        "jubax/a/b",
        "jubax/..",
    ],
)
def test_bad_targets(text: str) -> None:
    with pytest.raises(Refused):
        Target.parse(text)


def test_ports_are_those_above_the_visors_in_turn() -> None:
    ports = Ports(9198)
    assert [ports.take(always) for _ in range(16)] == list(range(9199, 9215))
    with pytest.raises(Refused):
        ports.take(always)
    ports.give(9204)
    ports.give(9200)
    assert [ports.take(always), ports.take(always)] == [9204, 9200]


def test_no_port_above_the_last() -> None:
    assert len(Ports(65530)) == 5
    assert len(Ports(65535)) == 0


def test_ports_of_other_programs_are_passed_over_and_kept() -> None:
    ports = Ports(9198)
    assert ports.take(lambda port: port > 9200) == 9201
    assert len(ports) == 15
    with pytest.raises(Refused):
        ports.take(lambda port: False)
    assert len(ports) == 15
    assert sorted(ports.take(always) for _ in range(15)) == [9199, 9200, *range(9202, 9215)]


@pytest.mark.parametrize(
    "running, wanted, free, expected", [(0, 1, 16, 1), (1, 1, 15, 0), (2, 5, 14, 3), (0, 16, 16, 16), (0, 0, 16, 0)]
)
def test_missing(running: int, wanted: int, free: int, expected: int) -> None:
    assert missing(CLASSIFIER, running=running, wanted=wanted, free=free) == expected


def test_too_many_run() -> None:
    with pytest.raises(Refused, match=r"^2 jubaclassifier/tutorial already running at this machine\.$"):
        missing(CLASSIFIER, running=2, wanted=1, free=14)


def test_too_few_ports() -> None:
    with pytest.raises(Refused, match=r"^cannot spawn more than 16 processes\.$"):
        missing(CLASSIFIER, running=1, wanted=17, free=15)


@pytest.mark.parametrize(
    "total, visors, expected",
    [(0, 3, [1, 1, 1]), (5, 3, [2, 2, 1]), (1, 3, [1, 0, 0]), (3, 3, [1, 1, 1]), (7, 2, [4, 3]), (9, 1, [9])],
)
def test_shares(total: int, visors: int, expected: list[int]) -> None:
    assert shares(total, visors) == expected


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_shares_are_the_total_and_differ_by_one_at_most(total: int, visors: int) -> None:
    parts = shares(total, visors)
    assert (sum(parts), len(parts)) == (total, visors)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1
