"""Time from the start of a server's process until it has answered a request."""

from bench.process import folder, server
from bench.report import spread, table
from bench.services import modules


def main(repeat: int, scale: float) -> None:
    """Print the table; the scale does not matter here."""
    configs = {name: module.RPC[0].config for name, module in modules()}
    seconds: dict[str, list[float]] = {name: [] for name in configs}
    for _ in range(repeat):
        for name, times in seconds.items():
            with folder() as at, server(configs[name], at, service=name) as ours:
                times.append(ours.seconds)
    rows = [[f"juba{service}", spread(times, 3)] for service, times in seconds.items()]
    table("Start", ["program", "seconds until a request is answered"], rows)
