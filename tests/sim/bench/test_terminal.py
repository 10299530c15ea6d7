"""Frames are found in what a program writes, and the program ends with its terminal."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.bench.processes import Failed
from sim.bench.terminal import ASKS, BEGINS, ENDS, Frames, Terminal
from tests.waiting import eventually, soon

PROGRAM = """
import os, shutil, signal, sys, time, tty
tty.setraw(0)
def draw(*_):
    os.write(2, b"\\x1b[?2026h%dx%d\\x1b[?2026l" % tuple(shutil.get_terminal_size()))
signal.signal(signal.SIGWINCH, draw)
os.write(2, b"\\x1b[?2026$p")
assert os.read(0, 100) == b"\\x1b[?2026;2$y"
draw()
while True:
    time.sleep(10)
"""


def frame(content: bytes) -> bytes:
    return BEGINS + content + ENDS


WRITTEN = b"".join(
    (
        *(b"\x1b[?1049h", ASKS, b"before any frame"),
        *(frame(b"one"), frame(b"\x1b[2;3Htwo\x1b[24;1H"), b"between"),
        *(frame(b"\x1b[24;1H"), frame(b""), frame(b"three")),
    )
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 20, 1000])
def test_frames_are_counted_however_they_are_cut(size: int) -> None:
    frames = Frames()
    for now, start in enumerate(range(0, len(WRITTEN), size)):
        frames.feed(WRITTEN[start : start + size], now)
    # What only moves the cursor shows nothing.
    assert len(frames.ends) == 3
    assert frames.ends == sorted(frames.ends)
    assert frames.size == len(WRITTEN)
    assert frames.asked


def test_a_frame_is_whole_when_its_end_has_come() -> None:
    frames = Frames()
    whole = frame(b"one")
    frames.feed(whole[:-1], 1)
    assert frames.ends == []
    frames.feed(whole[-1:] + BEGINS + b"tw", 2)
    assert frames.ends == [2]
    frames.feed(b"o" + ENDS, 3)
    assert frames.ends == [2, 3]
    assert not frames.asked


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Writes a module `drawing`, and returns the environment in which it is found."""

    def write(text: str) -> dict[str, str]:
        (tmp_path / "drawing.py").write_text(text)
        return {**os.environ, "PYTHONPATH": str(tmp_path)}

    return write


async def test_a_program_is_told_what_the_terminal_can_and_how_large_it_is(
    program: Callable[[str], dict[str, str]],
) -> None:
    env = program(PROGRAM) | {"COLUMNS": "99", "LINES": "9"}
    with Terminal("it", ["drawing"], env) as terminal:
        await terminal.first_frame()
        size = terminal.frames.size
        terminal.resize(123, 45)

        async def frames() -> int:
            return len(terminal.frames.ends)

        await eventually(frames, lambda count: count == 2)
        assert terminal.frames.size - size == len(frame(b"123x45"))
        terminal.check()
        pid = terminal.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_program_that_ends_is_told_with_its_last_words(
    program: Callable[[str], dict[str, str]],
) -> None:
    env = program("import sys; sys.exit('no \\x1b[1msuch\\x1b[0m venue')")
    with Terminal("it", ["drawing"], env) as terminal, pytest.raises(Failed) as failed:
        await terminal.first_frame()
    assert str(failed.value) == "it ended by itself: no such venue"


def test_a_program_ends_when_who_started_it_is_killed(
    program: Callable[[str], dict[str, str]],
) -> None:
    env = program(PROGRAM)
    text = (
        "import asyncio, os\n"
        "from sim.bench.terminal import Terminal\n"
        "async def work():\n"
        "    terminal = Terminal('it', ['drawing'], os.environ)\n"
        "    await terminal.first_frame()\n"
        "    print(terminal.pid, flush=True)\n"
        "    await asyncio.sleep(100)\n"
        "asyncio.run(work())\n"
    )
    env["PYTHONPATH"] += os.pathsep + os.pathsep.join(sys.path)
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, env=env) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(pid, 0)
        starter.kill()
    soon(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
