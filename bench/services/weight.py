"""What is measured of weight: its start."""

from bench.workloads import SPACE_BIN, Load

CONFIG = {"converter": SPACE_BIN}
RPC: tuple[Load, ...] = ()
KEEPER: tuple[Load, ...] = ()
