"""Runs a server as a child and ends it when whoever started this goes away.

Run as a script by `EmbeddedServer`, alone and with the standard library only, so that it is
up in milliseconds: ``python -I guard.py LOCK REMOVE COMMAND...``. It holds a lock on the file
LOCK, prints the server's process id, and waits for its own standard input to close, which also
happens when the starting process is killed. Then it stops the server and removes the directory
REMOVE ("" for none).
"""

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from types import FrameType

STOP_SECONDS = 5
END, LOOK = b"e", b"l"
LOCKED = 4
"""Exit code where another process uses the data directory."""


def run(lock: str, remove: str, command: list[str]) -> int:
    """Returns the server's exit code, or `LOCKED`."""
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return LOCKED
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
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # The server holds the lock too: should this process be killed, the data stays guarded.
        pass_fds=(held,),
    )
    # Whoever started this may be gone already; then standard input is closed as well.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{server.pid}\n".encode())
    with selectors.DefaultSelector() as selector:
        selector.register(woken, selectors.EVENT_READ)
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while server.poll() is None:
            ready = [key.fd for key, _ in selector.select(timeout=1)]
            if woken in ready:
                if END in os.read(woken, 64):
                    break
            elif ready and not os.read(sys.stdin.fileno(), 64):
                break
    code = _stop(server)
    if remove:
        shutil.rmtree(remove, ignore_errors=True)
    return code


def _stop(server: subprocess.Popen[bytes]) -> int:
    if server.poll() is None:
        server.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if server.poll() is None:
        server.kill()
    return server.wait()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
