"""Rows that several services have: those of all, those that a mixer adds, and ``clear``."""

from jubatus.idl import Argument, Host, Join, Lock, Method, Route
from jubatus.types import BOOL, INT, RAW, STRING, ULONG, TMap, TTuple, Type

STATUS = TMap(STRING, TMap(STRING, STRING))

COMMON = (
    Method(
        "get_config",
        (),
        STRING,
        Route.RANDOM,
        Lock.NOLOCK,
        Join.PASS,
        """Return the text of the configuration.

        Returns:
            the text as the server read it, byte for byte.
        """,
        changes=False,
    ),
    Method(
        "save",
        (Argument("id", STRING),),
        TMap(STRING, STRING),
        Route.BROADCAST,
        Lock.ANALYSIS,
        Join.MERGE,
        """Write the model to a file on the server.

        The file appears whole or not at all.

        Args:
            id: name of the model: printable ASCII without ``/``; part of the file's name.

        Returns:
            path of the file by ``<address>_<port>`` of the server.

        Raises:
            JubatusError: the id is not allowed or the file cannot be written.
        """,
        long=True,
    ),
    Method(
        "load",
        (Argument("id", STRING),),
        BOOL,
        Route.BROADCAST,
        Lock.UPDATE,
        Join.ALL_AND,
        """Replace the model by one that was saved with the same configuration.

        Args:
            id: name of the model.

        Returns:
            True.

        Raises:
            JubatusError: the id is not allowed, or the file is missing, torn, of another service or of another
                configuration; the running model is then as it was.
        """,
        counts=True,
        long=True,
    ),
    Method(
        "get_status",
        (),
        STATUS,
        Route.BROADCAST,
        Lock.NOLOCK,
        Join.MERGE,
        """Return the state of the servers.

        Returns:
            texts by key by ``<address>_<port>`` of the server.
        """,
        changes=False,
    ),
    Method(
        "do_mix",
        (),
        BOOL,
        Route.INTERNAL,
        Lock.NOLOCK,
        Join.PASS,
        """Mix the models of the cluster now.

        Returns:
            whether the mix succeeded.

        Raises:
            UnknownMethod: the server is standalone, or it is a keeper.
        """,
        changes=True,
        long=True,
        host=Host.CLUSTER,
    ),
    Method(
        "get_proxy_status",
        (),
        STATUS,
        Route.INTERNAL,
        Lock.NOLOCK,
        Join.PASS,
        """Return the state of the keeper.

        Returns:
            texts by key by ``<address>_<port>`` of the keeper.

        Raises:
            UnknownMethod: it is a server.
        """,
        changes=False,
        host=Host.KEEPER,
    ),
)
"""What every server has, alone or in a cluster, and every keeper: ``Method.host`` tells them apart."""


def clear(*, counts: bool = True) -> Method:
    """Declare the method that empties the model.

    Args:
        counts: as in ``Method``.
    """
    return Method(
        "clear",
        (),
        BOOL,
        Route.BROADCAST,
        Lock.UPDATE,
        Join.ALL_AND,
        """Empty the model; the configuration stays.

        Returns:
            True.
        """,
        counts=counts,
        long=True,
    )


def _mix(name: str, argument: Argument, returns: Type, lock: Lock, doc: str, changes: bool | None = None) -> Method:
    """Declare a method that the servers of a cluster call on each other."""
    return Method(
        name,
        (argument,),
        returns,
        Route.INTERNAL,
        lock,
        Join.PASS,
        doc,
        changes=changes,
        long=True,
        host=Host.CLUSTER,
        named=False,
    )


LINEAR_MIX = (
    _mix(
        "get_diff",
        Argument("version", ULONG),
        RAW,
        Lock.ANALYSIS,
        """Return what the server learned since the last MIX.

        A further argument, a number, is that of the lock by which the caller is the master; servers of 1.1 have none.

        Args:
            version: of the caller's model. A server whose model is older knows by it that its diff will be left out of
                the mixed one. Servers of 1.1 send 0 and do not look at it.

        Returns:
            the packed diff.

        Raises:
            JubatusError: the caller is not the master.
        """,
    ),
    _mix(
        "put_diff",
        Argument("diff", RAW),
        INT,
        Lock.NOLOCK,
        """Take in what all servers learned.

        A further argument, a bool, says whether what this server learned is part of it; without it, what
        ``get_diff`` gave out is. The next one is the number of the master's lock.

        Args:
            diff: packed.

        Returns:
            0, also where the diff does not fit the model.

        Raises:
            JubatusError: it is no diff.
        """,
        changes=True,
    ),
    _mix(
        "get_model",
        Argument("version", ULONG),
        TTuple(ULONG, RAW),
        Lock.ANALYSIS,
        """Return the whole model.

        Args:
            version: any; not looked at.

        Returns:
            version of the protocol, and the packed model as a model file has it.
        """,
    ),
)
"""What servers call on each other with the mixer ``linear_mixer``."""

PUSH_MIX = (
    _mix(
        "get_pull_argument",
        Argument("version", ULONG),
        RAW,
        Lock.ANALYSIS,
        """Return the versions up to which the server knows the rows of each other server.

        Args:
            version: any; not looked at.

        Returns:
            the argument of a peer's ``pull``, packed.
        """,
    ),
    _mix(
        "pull",
        Argument("argument", RAW),
        RAW,
        Lock.ANALYSIS,
        """Return the rows that a peer does not know.

        Args:
            argument: the peer's ``get_pull_argument``.

        Returns:
            the argument of the peer's ``push``, packed.

        Raises:
            JubatusError: the argument is none.
        """,
    ),
    _mix(
        "push",
        Argument("rows", RAW),
        INT,
        Lock.UPDATE,
        """Take in rows of a peer.

        Args:
            rows: packed.

        Returns:
            0.

        Raises:
            JubatusError: these are no rows.
        """,
    ),
)
"""What servers call on each other with the mixers that push."""
