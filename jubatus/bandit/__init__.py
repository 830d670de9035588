"""Declaration of bandit: chooses among arms, and learns for each player which of them are worth it."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DOUBLE, INT, STRING, Message, TMap, TUserDef

_PLAYER, _ARM = Argument("player_id", STRING), Argument("arm_id", STRING)


class ArmInfo(Message):
    """How often an arm was tried for a player, and the sum of its rewards (with exp3, of the scaled ones)."""

    trial_count: Annotated[int, INT]
    weight: Annotated[float, DOUBLE]


SERVICE = Service(
    name="bandit",
    model="jubatus._core.services.bandit:Bandit",
    common=COMMON,
    messages=(ArmInfo,),
    uses_cht=True,
    methods=(
        Method(
            "register_arm",
            (_ARM,),
            BOOL,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.ALL_AND,
            """Register an arm, for all players.

            Args:
                arm_id: the arm.

            Returns:
                whether it was not registered yet.
            """,
            counts=True,
            long=True,
        ),
        Method(
            "delete_arm",
            (_ARM,),
            BOOL,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.ALL_AND,
            """Forget an arm, and what is known of it for all players.

            Args:
                arm_id: the arm.

            Returns:
                whether it was registered.
            """,
            counts=True,
            long=True,
        ),
        Method(
            "select_arm",
            (_PLAYER,),
            STRING,
            Route.CHT,
            Lock.UPDATE,
            Join.PASS,
            """Choose an arm for a player, by the method of the configuration.

            With ``assume_unrewarded`` it counts as tried from now on.

            Args:
                player_id: the player, who may be new.

            Returns:
                the arm; empty if no score of an arm is a number.

            Raises:
                JubatusError: no arm is registered.
            """,
            counts=True,
            replicas=1,
        ),
        Method(
            "register_reward",
            (_PLAYER, _ARM, Argument("reward", DOUBLE)),
            BOOL,
            Route.CHT,
            Lock.UPDATE,
            Join.ALL_AND,
            """Learn what an arm brought a player.

            Without ``assume_unrewarded`` it counts as tried once more.

            Args:
                player_id: the player, who may be new.
                arm_id: the arm.
                reward: what it brought; 0 or 1 with the method ts.

            Returns:
                True; False if the arm is not registered and the method is exp3 or ts.

            Raises:
                JubatusError: the arm is not registered and the method is another one, or the method is ts and the
                    reward is neither 0 nor 1.
            """,
            counts=True,
            replicas=1,
        ),
        Method(
            "get_arm_info",
            (_PLAYER,),
            TMap(STRING, TUserDef(ArmInfo)),
            Route.CHT,
            Lock.ANALYSIS,
            Join.PASS,
            """Return what is known of the arms for a player.

            Args:
                player_id: the player, who may be new.

            Returns:
                an ArmInfo for each registered arm.
            """,
            replicas=1,
        ),
        Method(
            "reset",
            (_PLAYER,),
            BOOL,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.ALL_OR,
            """Forget what is known for a player.

            Args:
                player_id: the player.

            Returns:
                whether something was known.
            """,
            counts=True,
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
