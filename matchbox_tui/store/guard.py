"""Runs a server as a child and ends it when whoever started this goes away.

Run as a script by `EmbeddedServer`, alone and with the standard library only, so that it is
up in milliseconds: ``python -I guard.py LOCK REMOVE COMMAND...``. It holds a lock on the file
LOCK, prints the server's process id, and waits for its own standard input to close, which also
happens when the starting process is killed. Then it stops the server and removes the directory
REMOVE ("" for none).

A server that ends by itself is the end too; what it complained of is then the last line on
standard output. One that is to be killed and started again, on the
same files, is killed by the guard: `KILL` on standard input does that and is answered by a line,
`START` starts it again and is answered by the new process id.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from types import FrameType

STOP_SECONDS = 5
END, LOOK = b"e", b"l"
KILL, START = b"k", b"s"
LOG = "server.log"
"""The server's log, in the directory REMOVE."""

PR_SET_PDEATHSIG = 1

LOCKED = 4
"""Exit code where another process uses the data directory."""


class Guarded:
    """The server, which may be killed on request and then is expected back."""

    def __init__(self, command: list[str], held: int) -> None:
        self._command = command
        self._held = held
        self._killed = False
        self._process = self._start()

    def expected(self) -> bool:
        """Whether it runs, or is to run again."""
        return self._killed or self._process.poll() is None

    def do(self, asked: bytes) -> None:
        """Carries out `KILL` and `START`."""
        if KILL in asked:
            self._process.kill()
            self._process.wait()
            self._killed = True
            _tell("0")
        if START in asked:
            self._process = self._start()
            self._killed = False

    def stop(self) -> int:
        """Ends it, if it runs; returns its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # The server holds the lock too: should this process be killed, the data stays guarded.
            pass_fds=(self._held,),
            # A file beyond the user's limit is then an error that the server reports, not its end.
            restore_signals=False,
            preexec_fn=_end_with_parent,
        )
        _tell(str(process.pid))
        return process


def _end_with_parent() -> None:
    """Has the kernel end the server with this process, however this one ends. Linux alone can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(lock: str, remove: str, command: list[str]) -> int:
    """Returns the server's exit code, or `LOCKED`."""
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return LOCKED
    woken = _signals()
    server = Guarded(command, held)
    with selectors.DefaultSelector() as selector:
        selector.register(woken, selectors.EVENT_READ)
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while server.expected():
            ready = [key.fd for key, _ in selector.select(timeout=1)]
            if woken in ready:
                if END in os.read(woken, 64):
                    break
            elif ready:
                asked = os.read(sys.stdin.fileno(), 64)
                if not asked:
                    break
                server.do(asked)
    by_itself = not server.expected()
    code = server.stop()
    if by_itself:
        _tell(_complaint(os.path.join(remove, LOG)))
    if remove:
        shutil.rmtree(remove, ignore_errors=True)
    return code


def _signals() -> int:
    """A descriptor from which `END` is read after a signal to end, `LOOK` after one to look."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)

    def end(number: int, frame: FrameType | None) -> None:
        os.write(waker, END)

    def look(number: int, frame: FrameType | None) -> None:
        # Comes also when the server is only paused or resumed.
        with contextlib.suppress(BlockingIOError):
            os.write(waker, LOOK)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    signal.signal(signal.SIGCHLD, look)
    return woken


def _tell(line: str) -> None:
    # Whoever started this may be gone already; then standard input is closed as well.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _complaint(log: str) -> str:
    """The last serious things that the server said, on one line of a bounded length."""
    try:
        with open(log, errors="replace") as file:
            text = file.read()
    except OSError:
        return ""
    before_crash_report = text.partition("BUG REPORT START")[0]
    serious = re.findall(r"^\d+:\w .* # (?!WARNING)(.*\S)", before_crash_report, re.MULTILINE)
    return "; ".join(line.rstrip(".") for line in serious[-2:])[-1000:]


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
