"""A program on a terminal of our making: what it draws is counted frame by frame.

A terminal that can show a frame all at once says so when it is asked (mode 2026); from then on the
program marks where each one begins and ends.
"""

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from sim.bench.processes import Failed

ASKS = b"\x1b[?2026$p"
CAN_SYNC = b"\x1b[?2026;2$y"
BEGINS, ENDS = b"\x1b[?2026h", b"\x1b[?2026l"

SIZE_NAMES = ("COLUMNS", "LINES")
"""Variables in which a shell may have noted the size of another terminal."""

COLOURS = ("NO_COLOR", "COLORTERM", "FORCE_COLOR")
"""Variables that change what is written for a colour, and so how many bytes a frame has."""

START_SECONDS = 30.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.02

_READ_SIZE = 1 << 16
_LAST_WORDS = 2000
_MOVES = re.compile(rb"\x1b\[[0-9;]*H")
_ESCAPES = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x1b\x07]*(\x1b\\|\x07)|[ -/]*[0-~])")

# The child takes the terminal for its own before it becomes the program: only then a hang-up ends
# it, and a change of size is told to it.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def screen_environment(env: Mapping[str, str], directory: Path) -> dict[str, str]:
    """`env` for a screen that is measured: the user's own keys and colours are no part of that.

    `directory` is one where no keys are kept.
    """
    plain = {
        name: value
        for name, value in env.items()
        if name not in COLOURS and not name.startswith("TEXTUAL")
    }
    return plain | {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(directory)}


class Frames:
    """Finds frames in what a program writes. One that only moves the cursor is none."""

    def __init__(self, mark: str = "") -> None:
        """Frames that hold `mark` are noted apart."""
        self.size = 0
        """Bytes of everything."""
        self.asked = False
        """Whether the program has asked what the terminal can."""
        self.ends: list[int] = []
        """When each frame was whole, in ns."""
        self.marked: list[int] = []
        """The same of those that hold the mark."""
        self._mark = mark.encode()
        self._rest = b""

    def feed(self, data: bytes, now: int) -> None:
        """Takes what was written up to `now`, however it is cut."""
        self.size += len(data)
        rest = self._rest + data
        self.asked = self.asked or ASKS in rest
        while (end := rest.find(ENDS)) >= 0:
            begin = rest.rfind(BEGINS, 0, end)
            if begin >= 0 and (drawn := _MOVES.sub(b"", rest[begin + len(BEGINS) : end])):
                self.ends.append(now)
                if self._mark and self._mark in drawn:
                    self.marked.append(now)
            rest = rest[end + len(ENDS) :]
        begin = rest.rfind(BEGINS)
        # What is left may be the first bytes of a mark, or of the longer question.
        self._rest = rest[begin:] if begin >= 0 else rest[1 - len(ASKS) :]


class Terminal:
    """Runs `python -m MODULE...` on a terminal of 80x24; it ends with the block.

    It ends as well when this process is killed, for that hangs up.
    """

    def __init__(
        self, name: str, module: Sequence[str], env: Mapping[str, str], mark: str = ""
    ) -> None:
        """`mark` is for its `frames`."""
        self.name = name
        self.frames = Frames(mark)
        self._last = b""
        self._end, theirs = pty.openpty()
        try:
            self.resize(80, 24)
            self._child = subprocess.Popen(
                [sys.executable, "-c", _TAKE_TERMINAL, "-m", *module],
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                # Those would be believed more than the terminal.
                env={name: value for name, value in env.items() if name not in SIZE_NAMES},
                start_new_session=True,
            )
        except BaseException:
            os.close(self._end)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(self._end, False)
        asyncio.get_running_loop().add_reader(self._end, self._read)

    @property
    def pid(self) -> int:
        return self._child.pid

    def resize(self, columns: int, rows: int) -> None:
        """Gives the terminal another size, of which the program is told by a signal."""
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def first_frame(self) -> None:
        """Waits for it. Raises `Failed`."""
        await self._frames(lambda: self.frames.ends, 1)

    async def marked_frames(self, count: int) -> None:
        """Waits for so many frames with the mark. Raises `Failed`."""
        await self._frames(lambda: self.frames.marked, count)

    async def _frames(self, ends: Callable[[], list[int]], count: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while len(ends()) < count:
            self.check()
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} marked no frame in {START_SECONDS:.0f} s")
            await asyncio.sleep(LOOK_SECONDS)

    def check(self) -> None:
        """Raises `Failed` where the program has ended."""
        if self._child.poll() is not None:
            words = _ESCAPES.sub(b"", self._last).decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(words) if line.strip()), "")
            raise Failed(f"{self.name} ended by itself: {last or 'it left no word'}")

    def close(self) -> None:
        """Hangs up and waits for the program's end; kills it where that takes too long."""
        asyncio.get_running_loop().remove_reader(self._end)
        os.close(self._end)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        try:
            data = os.read(self._end, _READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._end)
            return
        self._last = (self._last + data)[-_LAST_WORDS:]
        asked = self.frames.asked
        self.frames.feed(data, time.perf_counter_ns())
        if self.frames.asked and not asked:
            os.write(self._end, CAN_SYNC)
