"""A command on a terminal of its own: what it draws, and the keys that a person presses."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping

from tests.cli.command import command_line
from tests.waiting import PATIENCE

_ESCAPES = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x1b\x07]*(\x1b\\|\x07)|[ -/]*[0-~])")

_SIZE_NAMES = ("COLUMNS", "LINES")
"""Variables in which another test may have noted a size, and which count for more than ours."""

LEAVES_SCREEN = b"\x1b[?1049l"


def words_of(drawn: bytes) -> str:
    """What was drawn, without colours and places."""
    return _ESCAPES.sub(b" ", drawn).decode(errors="replace")


def _without_size(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in _SIZE_NAMES}


class Terminal:
    """Our end of it. Everything drawn is kept in `drawn`."""

    def __init__(self, arguments: list[str], env: Mapping[str, str]) -> None:
        command = command_line(*arguments)
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, _without_size(env))
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.drawn = b""
        self._open = True
        self._code: int | None = None

    def words(self) -> str:
        """All that was drawn, without colours and places."""
        return words_of(self.drawn)

    def press(self, keys: bytes) -> None:
        os.write(self._end, keys)

    def await_words(self, wanted: str) -> None:
        """Reads until these words were drawn."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.words():
            assert time.monotonic() < deadline, f"no {wanted!r} in {self.words()[-2000:]!r}"
            assert self.read(), f"it ended, saying {self.words()[-2000:]!r}"

    def read(self) -> bool:
        """Takes in what was drawn meanwhile; False once the other end is closed."""
        if not select.select([self._end], [], [], 0.05)[0]:
            return self._code is None
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            return False
        self.drawn += data
        return bool(data)

    def hang_up(self) -> None:
        """Closes the terminal, as a window that is closed or a connection that is lost."""
        os.close(self._end)
        self._open = False

    def wait(self) -> int:
        """The exit code, once the command has ended; negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self._code is None:
            assert time.monotonic() < deadline, "it did not end"
            if self._open:
                self.read()
            else:
                time.sleep(0.02)
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._code = os.waitstatus_to_exitcode(status)
        if self._open:
            while select.select([self._end], [], [], 0)[0] and self.read():
                pass
        return self._code

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self._code is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        if self._open:
            self.hang_up()
