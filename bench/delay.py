"""A relay that lets what the server says wait: latency as a distant service has it.

`python -m bench.delay LISTEN TARGET MILLISECONDS`. It never looks into what it carries, so TLS stays whole.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

_PIECE = 65_536


async def serve(listen: int, target: int, delay: float) -> None:
    """Relay from one loopback port to another until cancelled."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_at_once(reader, back), _later(there, writer, delay))

    server = await asyncio.start_server(relay, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


async def _at_once(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await source.read(_PIECE):
            sink.write(piece)
            await sink.drain()
    sink.close()


async def _later(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: float) -> None:
    """Every piece waits equally long, so the order stays and pieces do not wait for each other."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while piece := await source.read(_PIECE):
            loop.call_later(delay, sink.write, piece)
    loop.call_later(delay, sink.close)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
