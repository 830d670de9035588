"""What a client is told of the failures of servers, in the words of Jubatus 1.1."""

from collections.abc import Sequence
from typing import Any

from jubatus._core.wire import error_reply
from jubatus.rpc.links import Cause, Failure, Outcome

BAD_CAST = b"std::bad_cast"
NO_RESULT = "no result"

_OF_METHOD = "jubatus::server::common::mprpc::rpc_method_not_found"
_CONNECT = "connect error in proxy"
_FULL = "too many session"
_TEXTS = {Cause.REFUSED: _CONNECT, Cause.UNREACHED: _CONNECT, Cause.FULL: _FULL}


def refusal(msgid: int, outcomes: Sequence[Outcome]) -> bytes:
    """Return the reply to a call that failed.

    Args:
        msgid: of the call.
        outcomes: the failures and errors in order of arrival, at least one. The gravest is told: a timeout before a
            connection that could not be made, and that before all others. Among equals it is the first.
    """
    chosen = min(outcomes, key=_rank)
    if isinstance(chosen, Failure):
        return error_reply(msgid, _TEXTS.get(chosen.cause, chosen.error))
    if chosen.error == 2 and chosen.error is not True:
        return error_reply(msgid, 2, BAD_CAST)
    return error_reply(msgid, describe(chosen.error))


def _rank(outcome: Outcome) -> int:
    if not isinstance(outcome, Failure):
        return 2
    return 0 if outcome.cause is Cause.TIMEOUT else 1 if outcome.cause in (Cause.REFUSED, Cause.UNREACHED) else 2


def describe(error: Any) -> bytes:
    """Return the text that a client gets for an error of a server."""
    if error == 1 and error is not True:
        return _OF_METHOD.encode()
    return b"rpc_server error: " + _print(error)


def _print(value: Any) -> bytes:
    """Return a value as msgpack-c prints it."""
    if isinstance(value, bytes):
        return b'"' + value + b'"'
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, list):
        return b"[" + b", ".join(map(_print, value)) + b"]"
    if isinstance(value, dict):
        return b"{" + b", ".join(_print(key) + b"=>" + _print(item) for key, item in value.items()) + b"}"
    if value is None:
        return b"nil"
    return (f"{value:g}" if isinstance(value, float) else str(value)).encode()
