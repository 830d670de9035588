"""One result out of those of several servers."""

from collections.abc import Sequence

from jubatus._core.wire import Reader, Writer, pack
from jubatus.idl import Join


def join(how: Join, results: Sequence[bytes]) -> bytes:
    """Join packed results.

    Args:
        how: PASS takes the first result. MERGE joins maps: of equal keys the last wins, and the keys are sorted.
            ALL_AND and ALL_OR join bools.
        results: in order of arrival, at least one; a single one is returned as it is.

    Raises:
        BadArguments: a result is of another type.
    """
    if how is Join.PASS or len(results) == 1:
        return results[0]
    if how is Join.MERGE:
        return _merge(results)
    values = [Reader(result).boolean() for result in results]
    return pack(all(values) if how is Join.ALL_AND else any(values))


def _merge(results: Sequence[bytes]) -> bytes:
    entries: dict[bytes, bytes] = {}
    for result in results:
        reader = Reader(result)
        for _ in range(reader.map()):
            key = reader.string()
            entries[key] = reader.raw()
    writer = Writer()
    writer.map(len(entries))
    for key, value in sorted(entries.items()):
        writer.string(key)
        writer.append(value)
    return writer.getvalue()
