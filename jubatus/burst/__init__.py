"""Declaration of burst: in which parts of a stream of documents a keyword is more frequent than in the rest."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DOUBLE, INT, STRING, Message, TList, TMap, TUserDef


class KeywordWithParams(Message):
    """A keyword and when it is in a burst.

    In a burst it is ``scaling_param`` times as frequent as in the whole window; that must be above 1. The higher
    ``gamma``, which must be above 0, the stronger a burst has to be to begin.
    """

    keyword: Annotated[str, STRING]
    scaling_param: Annotated[float, DOUBLE]
    gamma: Annotated[float, DOUBLE]


class Batch(Message):
    """Documents of one interval: all, those with the keyword, and how strong the burst is; 0 outside of bursts."""

    all_data_count: Annotated[int, INT]
    relevant_data_count: Annotated[int, INT]
    burst_weight: Annotated[float, DOUBLE]


class Window(Message):
    """Batches that follow each other, the first from ``start_pos`` on."""

    start_pos: Annotated[float, DOUBLE]
    batches: Annotated[list[Batch], TList(TUserDef(Batch))]


class Document(Message):
    """A text and its position in the stream, most often a time."""

    pos: Annotated[float, DOUBLE]
    text: Annotated[str, STRING]


_KEYWORD = Argument("keyword", STRING)
_POS = Argument("pos", DOUBLE)
_WINDOW = TUserDef(Window)


def _of_keyword(name: str, doc: str, *more: Argument) -> Method:
    """Declare a query of one keyword's window."""
    return Method(name, (_KEYWORD, *more), _WINDOW, Route.CHT, Lock.ANALYSIS, Join.PASS, doc)


def _of_all(name: str, doc: str, *args: Argument) -> Method:
    """Declare a query of the windows of all keywords."""
    return Method(name, args, TMap(STRING, _WINDOW), Route.BROADCAST, Lock.ANALYSIS, Join.MERGE, doc)


def _change(name: str, args: tuple[Argument, ...], doc: str, *, long: bool = False) -> Method:
    """Declare a method that changes the keywords of all servers."""
    return Method(name, args, BOOL, Route.BROADCAST, Lock.UPDATE, Join.ALL_AND, doc, counts=True, long=long)


SERVICE = Service(
    name="burst",
    model="jubatus._core.services.burst:Burst",
    common=COMMON,
    messages=(KeywordWithParams, Batch, Window, Document),
    uses_cht=True,
    methods=(
        Method(
            "add_documents",
            (Argument("data", TList(TUserDef(Document))),),
            INT,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.PASS,
            """Count documents, in their order, and find bursts anew.

            Args:
                data: list of Document. One that is older than the newest window of a keyword is not counted for it.

            Returns:
                how many were counted for all keywords that the server processes.

            Raises:
                JubatusError: a position is not finite; no document is counted then.
            """,
            counts=True,
        ),
        _of_keyword(
            "get_result",
            """Return the newest window of a keyword.

            Args:
                keyword: the keyword.

            Returns:
                a Window; one that starts at -1 and has no batches if there is none.
            """,
        ),
        _of_keyword(
            "get_result_at",
            """Return the window of a keyword that has a position, the newest one if there are several.

            Args:
                keyword: the keyword.
                pos: the position.

            Returns:
                a Window; one that starts at -1 and has no batches if there is none.
            """,
            _POS,
        ),
        _of_all(
            "get_all_bursted_results",
            """Return the newest windows whose last batch is in a burst.

            Returns:
                a Window by keyword.
            """,
        ),
        _of_all(
            "get_all_bursted_results_at",
            """Return the windows in which a position is in a burst.

            Args:
                pos: the position.

            Returns:
                a Window by keyword.
            """,
            _POS,
        ),
        Method(
            "get_all_keywords",
            (),
            TList(TUserDef(KeywordWithParams)),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return all keywords.

            Returns:
                list of KeywordWithParams.
            """,
        ),
        _change(
            "add_keyword",
            (Argument("keyword", TUserDef(KeywordWithParams)),),
            """Register a keyword; documents are counted for it from now on.

            Args:
                keyword: a KeywordWithParams. Its text is searched for at any place of a document.

            Returns:
                whether it is new; a known one keeps its parameters.

            Raises:
                JubatusError: scaling_param is not above 1, or gamma not above 0.
            """,
        ),
        _change(
            "remove_keyword",
            (_KEYWORD,),
            """Forget a keyword and its windows.

            Args:
                keyword: the keyword.

            Returns:
                whether it was known.
            """,
        ),
        _change(
            "remove_all_keywords",
            (),
            """Forget all keywords and their windows.

            Returns:
                True.
            """,
            long=True,
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
