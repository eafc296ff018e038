"""Hands connections on, for a broker that only a tunnel on the host reaches.

Such a broker tells its clients to come to `localhost`, which is another place in each
container: so something has to listen there.
"""

import asyncio
import contextlib

CHUNK = 65_536


async def forward(listen: tuple[str, int], target: tuple[str, int]) -> None:
    """Hand each connection to `listen` on to `target`, for ever."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward_writer = await asyncio.open_connection(*target)
        except OSError:  # what connects here sees its connection closed and tries again
            writer.close()
            return
        await asyncio.gather(_pump(reader, onward_writer), _pump(onward_reader, writer))

    server = await asyncio.start_server(accept, *listen)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
