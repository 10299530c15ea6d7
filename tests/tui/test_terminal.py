"""The app in a real terminal that goes away under it."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
from matchbox_tui.tui import MatchboxApp
app = MatchboxApp("unix:///nowhere/server.sock", trader="ada")
app.run()
ended = app.crashed.splitlines()[-1:]
open(sys.argv[1], "w").write(" after ".join([f"left with {app.return_code}", *ended]))
"""

BROKEN = """
from matchbox_tui.tui.model import Model
Model.lag = property(lambda model: 1 // 0)
"""

DEAF = """
import signal
import matchbox_tui.tui.app
matchbox_tui.tui.app._ENDINGS = ()
signal.signal(signal.SIGHUP, signal.SIG_IGN)
"""


def start(
    said: Path, environment: dict[str, str] | None = None, before: str = ""
) -> tuple[int, int]:
    """The app as a process of its own on a terminal of its own: (process id, our end)."""
    pid, end = pty.fork()
    if pid == 0:
        command = [sys.executable, "-c", before + PROGRAM, str(said)]
        os.execve(sys.executable, command, os.environ | (environment or {}))
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return pid, end


def read_until(end: int, wanted: bytes) -> bytes:
    shown = b""
    deadline = time.monotonic() + 20
    while wanted not in shown and time.monotonic() < deadline:
        if select.select([end], [], [], 0.1)[0]:
            shown += os.read(end, 65536)
    assert wanted in shown
    return shown


def wait_for_end(pid: int) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the app did not end")


def test_a_closed_terminal_leaves_run(tmp_path: Path) -> None:
    said = tmp_path / "said"
    pid, end = start(said)
    read_until(end, b"connecting")
    os.close(end)
    wait_for_end(pid)
    assert said.read_text() == f"left with {128 + signal.SIGHUP}"


def test_a_terminal_that_is_closed_in_the_middle_of_drawing_leaves_run(tmp_path: Path) -> None:
    """Nobody reads, so the drawing waits with a long queue behind it, and then fails."""
    said = tmp_path / "said"
    pid, end = start(said)
    read_until(end, b"connecting")
    for _ in range(60):
        os.write(end, b"?")
        time.sleep(0.02)
    os.close(end)
    wait_for_end(pid)
    assert said.read_text() == f"left with {128 + signal.SIGHUP}"


def test_a_terminal_that_goes_without_a_signal_leaves_run(tmp_path: Path) -> None:
    """As under ``nohup`` and ``setsid``, where no hang-up arrives."""
    said = tmp_path / "said"
    pid, end = start(said, before=DEAF)
    read_until(end, b"connecting")
    os.close(end)
    wait_for_end(pid)
    assert said.read_text() == f"left with {128 + signal.SIGHUP}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_run(tmp_path: Path, number: signal.Signals) -> None:
    said = tmp_path / "said"
    pid, end = start(said)
    read_until(end, b"connecting")
    os.kill(pid, number)
    read_until(end, b"\x1b[?1049l")
    assert wait_for_end(pid) == 0
    os.close(end)
    assert said.read_text() == f"left with {128 + number}"


def test_an_error_inside_leaves_run(tmp_path: Path) -> None:
    said = tmp_path / "said"
    pid, end = start(said, before=BROKEN)
    shown = read_until(end, b"\x1b[?1049l")
    assert wait_for_end(pid) == 0
    os.close(end)
    assert b"Traceback" not in shown
    assert (
        said.read_text()
        == "left with 1 after ZeroDivisionError: integer division or modulo by zero"
    )


def test_no_color_and_a_plain_terminal(tmp_path: Path) -> None:
    said = tmp_path / "said"
    pid, end = start(said, {"NO_COLOR": "1", "TERM": "screen", "COLORTERM": ""})
    read_until(end, b"connecting")
    os.write(end, b"q")
    shown = read_until(end, b"\x1b[?1049l")
    assert wait_for_end(pid) == 0
    os.close(end)
    assert b"38;2;" not in shown
    assert said.read_text() == "left with 0"
