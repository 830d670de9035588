"""The yardstick: a uvloop server that answers the same bytes to every LENGTH bytes that arrive.

Usage: python bare.py LENGTH REPLY_IN_HEX. Prints its port. It parses nothing, so it is the most that any server on
this event loop, this machine and this load generator can do.
"""

import asyncio
import sys
from typing import Any

import uvloop


class Bare(asyncio.Protocol):
    """Count bytes; answer each request once its last byte is there."""

    length = 0
    reply = b""
    pending = 0

    def connection_made(self, transport: Any) -> None:
        self.write = transport.write

    def data_received(self, data: bytes) -> None:
        complete, self.pending = divmod(self.pending + len(data), self.length)
        if complete:
            self.write(self.reply * complete)


async def main() -> None:
    Bare.length, Bare.reply = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
