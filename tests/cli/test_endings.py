"""However a market ends, every process of it ends, and its private directory goes away."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import guard
from tests.cli.processes import Marked
from tests.cli.terminal import LEAVES_SCREEN, Terminal
from tests.waiting import soon

CRASH = """
import sys
if "play" in sys.orig_argv:
    from matchbox_tui.tui.model import Model
    Model.lag = property(lambda model: 1 // 0)
"""
"""Loaded by every Python that the test starts; breaks what the screen looks at each frame."""


@pytest.fixture
def marked() -> Iterator[Marked]:
    with Marked() as started:
        yield started


def start_headless(marked: Marked) -> subprocess.Popen[str]:
    """A market that trades: a member that hasn't come so far ends more easily."""
    process = marked.start("--headless", "--duration", "300", "--json")
    assert process.stderr is not None
    while "commands 0 " in (line := process.stderr.readline()):
        pass
    assert "  commands " in line
    assert marked.market_runs()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_headless_market(marked: Marked, number: signal.Signals) -> None:
    process = start_headless(marked)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["errors"] == []
    assert "Traceback" not in err
    marked.leave_nothing()


def test_a_signal_at_the_very_start(marked: Marked) -> None:
    process = marked.start("--headless", "--duration", "300")
    soon(marked.processes)
    soon(lambda: list(marked.temporary.iterdir()))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0
    marked.leave_nothing()


def test_a_guard_whose_starter_is_gone_already(tmp_path: Path) -> None:
    """As after a SIGKILL in the first moments, between the start of the guard and its answer."""
    private = tmp_path / "private"
    private.mkdir()
    pid_file = tmp_path / "pid"
    nobody_reads, told = os.pipe()
    os.close(nobody_reads)
    server = ["sh", "-c", f"echo $$ > {pid_file}; exec sleep 600"]
    with subprocess.Popen(
        [sys.executable, "-I", guard.__file__, str(private / "lock"), str(private), *server],
        stdin=subprocess.PIPE,
        stdout=told,
    ) as process:
        os.close(told)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
    assert not private.exists()
    if pid_file.exists() and (text := pid_file.read_text()):
        with pytest.raises(ProcessLookupError):
            os.kill(int(text), 0)


def test_a_killed_headless_market_leaves_nothing(marked: Marked) -> None:
    process = start_headless(marked)
    process.kill()
    process.communicate(timeout=60)
    marked.leave_nothing()


def kill_server(marked: Marked) -> None:
    for pid, line in marked.processes().items():
        if "valkey-server" in line.split()[0]:
            os.kill(pid, signal.SIGKILL)


def test_a_dead_server_ends_a_headless_market(marked: Marked) -> None:
    process = start_headless(marked)
    kill_server(marked)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "Traceback" not in err
    marked.leave_nothing()


def hang_up(terminal: Terminal) -> None:
    terminal.hang_up()


def kill_with(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: os.kill(terminal.pid, number)


def press(keys: bytes) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.press(keys)


@pytest.mark.parametrize(
    ("end", "codes"),
    [
        pytest.param(press(b"q"), (0,), id="q"),
        pytest.param(press(b"\x03"), (0, 130), id="ctrl-c"),
        pytest.param(kill_with(signal.SIGTERM), (130,), id="sigterm"),
        pytest.param(kill_with(signal.SIGHUP), (130,), id="sighup"),
        pytest.param(hang_up, (130,), id="closed-terminal"),
        pytest.param(kill_with(signal.SIGKILL), (-9,), id="sigkill"),
    ],
)
def test_an_end_of_the_screen_ends_the_market(
    marked: Marked, end: Callable[[Terminal], None], codes: tuple[int, ...]
) -> None:
    with Terminal(["play"], marked.env) as terminal:
        terminal.await_words("live")
        soon(marked.market_runs)
        end(terminal)
        assert terminal.wait() in codes
        if 0 in codes:
            assert LEAVES_SCREEN in terminal.drawn
            assert "Traceback" not in terminal.words()
    marked.leave_nothing()


def test_a_dead_server_ends_the_screen(marked: Marked) -> None:
    """Nobody could bring a private server back, so the screen does not wait for it."""
    with Terminal(["play"], marked.env) as terminal:
        terminal.await_words("live")
        soon(marked.market_runs)
        kill_server(marked)
        assert terminal.wait() == 3
        assert LEAVES_SCREEN in terminal.drawn
        assert "the private server ended by itself" in terminal.words()
    marked.leave_nothing()


def test_a_crash_of_the_screen_ends_the_market(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CRASH)
    with Marked({"PYTHONPATH": str(tmp_path)}) as marked:
        with Terminal(["play"], marked.env) as terminal:
            terminal.await_words("ZeroDivisionError")
            assert terminal.wait() == 1
            assert LEAVES_SCREEN in terminal.drawn
            assert "Traceback" not in terminal.words()
        reports = list(marked.temporary.glob("matchbox-crash-*.txt"))
        assert "in status_line" in reports[0].read_text()
        reports[0].unlink()
        marked.leave_nothing()


def test_the_screen_lives(marked: Marked) -> None:
    """The ladder moves: after the first picture, more is drawn, and again after that."""
    with Terminal(["play", "--markets", "RAIN", "--rate", "400"], marked.env) as terminal:
        terminal.await_words("RAIN")
        terminal.await_words("live")
        for words in (500, 1000, 1500):
            soon(lambda: terminal.read() and len(terminal.words().split()), words.__lt__)
        terminal.press(b"q")
        assert terminal.wait() == 0
    marked.leave_nothing()


def test_a_duration_ends_the_screen_too(marked: Marked) -> None:
    with Terminal(["play", "--duration", "2"], marked.env) as terminal:
        terminal.await_words("live")
        assert terminal.wait() == 0
    marked.leave_nothing()


@pytest.mark.parametrize("command", ["play", "tui"])
def test_an_unreachable_server_is_told_before_the_screen_is_taken(command: str) -> None:
    with Marked({"REDIS_URL": "redis://127.0.0.1:1"}) as marked:
        with Terminal([command], marked.env) as terminal:
            assert terminal.wait() == 3
            assert "can't reach a server at redis://127.0.0.1:1" in terminal.words()
            assert b"\x1b[?1049h" not in terminal.drawn
        marked.leave_nothing()


def test_a_wrong_keys_file_is_told_before_anything_starts(tmp_path: Path) -> None:
    place = tmp_path / "matchbox"
    place.mkdir()
    (place / "keys.toml").write_text('buy = "b"\nsell = "b"\n')
    with (
        Marked({"XDG_CONFIG_HOME": str(tmp_path)}) as marked,
        Terminal(["play"], marked.env) as terminal,
    ):
        assert terminal.wait() == 2
        assert "keys.toml: b can't be both buy and sell" in terminal.words()
        marked.leave_nothing()
