"""One open page: the app's process, and what goes between it and the browser."""

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

END_SECONDS = 3.0
"""How long an app may take to end once it was asked to."""

MAX_CELLS = 1000
"""A terminal has at most so many columns, and so many rows."""

MAX_WORDS = 1000
"""So many characters of what an app complains of are passed on."""

DRIVER = "textual.drivers.web_driver:WebDriver"

_PRELUDE = b"__GANGLION__\n"
"""The driver's first line; packets follow."""


@dataclass(frozen=True)
class App:
    """What is run for each page: a command without a shell, and variables for it.

    A variable that is None is taken away. Nothing that a browser sends gets in here but the
    terminal's size.
    """

    command: Sequence[str]
    variables: Mapping[str, str | None] = field(default_factory=dict)

    def environment(self, columns: int, rows: int) -> dict[str, str]:
        """Ours, without what would let Textual's tools for developers in."""
        found = {name: value for name, value in os.environ.items() if not _is_textual(name)}
        found |= {name: value for name, value in self.variables.items() if value is not None}
        for name, value in self.variables.items():
            if value is None:
                found.pop(name, None)
        return found | {
            "TEXTUAL_DRIVER": DRIVER,
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "TERM": "xterm-256color",
            "COLUMNS": str(columns),
            "ROWS": str(rows),
        }


class BadMessage(Exception):
    """A browser sent what our page never sends."""


class Session(AppService):
    """Runs the app until it ends by itself, or `stop`."""

    def __init__(self, app: App, socket: web.WebSocketResponse) -> None:
        super().__init__(
            app.command[0],
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=self._close,
            download_manager=DownloadManager(),
        )
        self._app = app
        self._socket = socket
        self._passing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self.complaint = ""
        """Why the app ended, where it ended badly by itself."""

    async def take(self, text: str) -> None:
        """Does what a message from the browser asks for. Raises `BadMessage`."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise BadMessage from None
        if self._process is None or self._process.returncode is not None:
            return
        match message:
            case ["stdin", str(keys)]:
                await self.send_bytes(keys.encode("utf-8", errors="replace"))
            case ["resize", {"width": int(columns), "height": int(rows)}]:
                await self.set_terminal_size(cells(columns), cells(rows))
            case ["ping", str(time)] if len(time) < 100:
                await self._socket.send_json(["pong", time])
            case ["focus"]:
                await self.focus()
            case ["blur"]:
                await self.blur()
            case _:
                raise BadMessage

    async def start(self, width: int, height: int) -> None:
        """Raises `OSError` where no process can be started."""
        self._process = await asyncio.create_subprocess_exec(
            *self._app.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._app.environment(cells(width), cells(height)),
            # Ctrl-C at the server's terminal is for the server, which then ends its apps.
            start_new_session=True,
        )
        self._stdin = self._process.stdin
        self._passing = asyncio.create_task(self._pass_on())
        self._task = asyncio.create_task(self.run())

    async def run(self) -> None:
        """Passes on what the app draws; closes the connection after an end that was not asked for.

        Goes on to read what the app writes when nobody wants it any more: an app that is stuck
        in writing could not end.
        """
        process, passing = self._process, self._passing
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert passing is not None
        complaining = asyncio.create_task(_last_words(process.stderr))
        await asyncio.wait((passing,))
        while await process.stdout.read(1 << 16):
            pass
        words = await complaining
        code = await process.wait()
        if self._ending is not None:
            return
        if code:
            self.complaint = words or f"the screen ended with exit code {code}"
        with contextlib.suppress(ConnectionError):
            if code:
                await self._socket.send_bytes(plain_page(self.complaint))
            await self._close()

    async def stop(self) -> None:
        """Ends the app, if it runs, and waits for that."""
        if self._process is None:
            return
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        # Whoever waits may be cancelled; the app must end all the same.
        await asyncio.shield(self._ending)

    async def _close(self) -> None:
        await self._socket.close()

    async def _end(self) -> None:
        process, task, passing = self._process, self._task, self._passing
        assert process is not None
        assert task is not None
        assert passing is not None
        passing.cancel()
        self.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        if not (await asyncio.wait((task,), timeout=END_SECONDS))[0]:
            if process.returncode is None:
                process.kill()
            else:
                # Only the browser is still to be told, which does not listen.
                task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _pass_on(self) -> None:
        process = self._process
        assert process is not None
        out = process.stdout
        assert out is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ValueError):
            while await out.readline() not in (_PRELUDE, b""):
                pass
            while True:
                head = await out.readexactly(5)
                payload = await out.readexactly(int.from_bytes(head[1:], "big"))
                # The other kinds are of the app's end, which shows, and of what ours never does.
                if head[:1] == b"D" and not self._socket.closed:
                    with contextlib.suppress(ConnectionError):
                        await self._socket.send_bytes(payload)


def cells(number: int) -> int:
    """A terminal's width or height, within bounds."""
    return max(1, min(MAX_CELLS, number))


def plain_page(words: str) -> bytes:
    """An empty terminal with words in it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in words)
    return f"\x1b[?1049l\x1b[2J\x1b[H\x1b[?25l{shown}\r\n".encode()


async def _last_words(stream: asyncio.StreamReader) -> str:
    """The end of what an app says on stderr, which it reads away as it comes."""
    kept = b""
    while data := await stream.read(4096):
        kept = (kept + data)[-4 * MAX_WORDS :]
    lines = kept.decode(errors="replace").split("\n")
    return next((line.strip()[-MAX_WORDS:] for line in reversed(lines) if line.strip()), "")


def _is_textual(name: str) -> bool:
    return name == "TEXTUAL" or name.startswith("TEXTUAL_")
