"""Servers that a test may stop, kill and configure, and things that are no servers at all."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from matchbox_tui.store import guard
from tests.kinds import VALKEY, program
from tests.waiting import soon


class OwnServer:
    """A server on one socket and one data directory, which a test may kill and start again.

    `kind` is one of `tests.kinds`.
    """

    def __init__(
        self,
        directory: Path,
        *options: str,
        append: bool = True,
        kind: str = VALKEY,
        port: int = 0,
    ) -> None:
        self.kind = kind
        self.port = port
        self.directory = directory
        self._program = program(kind)
        self.socket = directory / "s"
        self.options: tuple[str, ...] = (
            *("--dir", str(directory), "--unixsocket", str(self.socket)),
            *("--port", str(port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "yes" if append else "no", "--appendfsync", "always"),
            *options,
        )
        self._guard: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.launch()
        soon(self.answers)

    def launch(self) -> None:
        """Starts it under a guard, so that it ends with the tests whatever ends those."""
        self._guard = subprocess.Popen(
            [
                *(sys.executable, "-I", guard.__file__, str(self.directory / "lock"), ""),
                *(self._program, *self.options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        self._guard.stdin.close()
        self._guard.wait()
        self._guard.stdout.close()
        self._guard = None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills it as a crash would; `start` brings it back with what its file holds."""
        os.kill(self.pid, signal.SIGKILL)
        assert self._guard is not None
        self._guard.wait()
        self.stop()

    def __enter__(self) -> "OwnServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                answer = probe.recv(64)
            except OSError:
                return False
        return answer.startswith((b"+PONG", b"-NOAUTH"))


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(talk: Conversation) -> AsyncIterator[int]:
    """A TCP port of this machine where `talk` answers whoever connects."""
    talks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            talks.discard(task)
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


class Proxy:
    """Stands between a client and a server, and loses what it is told to lose.

    `eat_reply_to` names bytes: once a request that has them went through, its reply is eaten
    and the connection closed.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.eat_reply_to: bytes | None = None
        self.eaten = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator["Proxy"]:
        async with listening(self._relay) as port:
            self.url = f"redis://127.0.0.1:{port}"
            yield self

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(self._target))
        hungry = False

        async def forth() -> None:
            nonlocal hungry
            while data := await reader.read(1 << 16):
                if self.eat_reply_to is not None and self.eat_reply_to in data:
                    hungry = True
                    self.eat_reply_to = None
                inner_writer.write(data)

        async def back() -> None:
            while data := await inner_reader.read(1 << 16):
                if hungry:
                    self.eaten += 1
                    return
                writer.write(data)

        ways = [asyncio.ensure_future(forth()), asyncio.ensure_future(back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            inner_writer.close()
