"""What is measured of burst: documents of ten words of a hundred letters, of which 100 keywords are looked for."""

from collections.abc import Iterator
from random import Random

from bench.workloads import SEED, Load, request

KEYWORDS = 100
CALLS = 20_000
"""Calls that the requests are made of; a load starts again when it has sent all."""

DOCUMENTS = 10
"""In a call. All calls are of one window, so that a load that starts again is not too late."""

CONFIG = {
    "method": "burst",
    "parameter": {
        "window_batch_size": 5,
        "batch_interval": 100_000,
        "result_window_rotate_size": 5,
        "max_reuse_batch_num": 5,
        "costcut_threshold": -1,
    },
}


def words(random: Random, count: int) -> list[str]:
    """Return random words of ten letters."""
    return ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=10)) for _ in range(count)]


def teach() -> Iterator[bytes]:
    """Yield packed calls that register the keywords and count some documents."""
    for word in words(Random(SEED), KEYWORDS):
        yield request("add_keyword", [word, 2.0, 1.0], name="")
    for call, _ in zip(calls("add_documents", ""), range(10), strict=False):
        yield call


def calls(method: str, name: str) -> Iterator[bytes]:
    """Yield packed calls; every document has one of the keywords."""
    random = Random(SEED)
    keywords = words(Random(SEED), KEYWORDS)
    others = words(random, 1_000)
    for number in range(CALLS):
        if method == "add_documents":
            texts = [" ".join([*random.choices(others, k=9), random.choice(keywords)]) for _ in range(DOCUMENTS)]
            positions = range(number * DOCUMENTS, (number + 1) * DOCUMENTS)
            yield request(method, [[float(at), text] for at, text in zip(positions, texts, strict=True)], name=name)
        else:
            yield request(method, random.choice(keywords), name=name)


def load(method: str, connections: int, total: int) -> Load:
    """Return a load of one method; add_documents is measured by the document."""
    return Load(
        work=f"{method} burst, {KEYWORDS} keywords, c {connections}",
        config=CONFIG,
        requests=lambda name: calls(method, name),
        teaching=teach,
        size=DOCUMENTS if method == "add_documents" else 1,
        connections=connections,
        total=total,
        fresh=False,
    )


RPC = (
    load("add_documents", 1, 5_000),
    load("add_documents", 16, 10_000),
    load("get_result", 16, 100_000),
)
KEEPER = (load("add_documents", 16, 5_000), load("get_result", 16, 60_000))
