"""A TCP proxy in front of Redis that can be slow, drop what is connected, or let nobody in."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from services.local.ports import HOST, free_port

CHUNK = 64 * 1024


class Proxy:
    """`async with Proxy(port) as proxy`: clients connect to `proxy.port`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = free_port()
        self.delay_s = 0.0  # each chunk waits so long, in either direction
        self.open = True  # whether new connections are taken
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, HOST, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def drop(self) -> None:
        """Cut every connection, in whatever state it is (RST: what is under way is lost)."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))  # not asyncio's own, which complains when cancelled
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        try:
            back_reader, back_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._pump(reader, back_writer), self._pump(back_reader, writer))
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.transport.abort()
