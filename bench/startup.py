"""Time from the start of a server's process until it has answered a request."""

from bench.process import folder, server
from bench.report import spread, table
from bench.workloads import SPACE_BIN, config


def main(repeat: int, scale: float) -> None:
    """Print the table; the scale does not matter here."""
    seconds: dict[str, list[float]] = {"classifier": [], "weight": []}
    for _ in range(repeat):
        for service, times in seconds.items():
            chosen = config("PA", SPACE_BIN) if service == "classifier" else {"converter": SPACE_BIN}
            with folder() as at, server(chosen, at, service=service) as ours:
                times.append(ours.seconds)
    rows = [[f"juba{service}", spread(times, 3)] for service, times in seconds.items()]
    table("Start", ["program", "seconds until a request is answered"], rows)
