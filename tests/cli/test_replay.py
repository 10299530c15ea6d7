"""matchbox replay, at a terminal of its own."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.recording import JOURNAL, MANIFEST
from tests.cli.command import call, environment, run
from tests.cli.terminal import Terminal
from tests.sim.evidence import Story
from tests.sim.recording.runs import begun, recorded, traded


@pytest.fixture(scope="module")
def told() -> Story:
    return traded(200)


def last(told: Story) -> str:
    return f"{told.exchange.seq:,}"


def at_a_terminal(path: Path, *options: str) -> Terminal:
    return Terminal(["replay", str(path), *options], environment())


def test_a_run_is_played_and_left(told: Story, tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", told)
    with at_a_terminal(path, "--speed", "max") as terminal:
        terminal.await_words("the end")
        terminal.await_words(f"of {last(told)}")
        terminal.press(b"b")
        terminal.await_words("a recording can't be traded on")
        terminal.press(b"q")
        assert terminal.wait() == 0
    assert (path / "index.json").exists()


def test_a_run_begins_where_it_is_asked_to(told: Story, tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", told)
    for place, words in (("0.1s", "0:00:00.1"), ("60", "seq")):
        with at_a_terminal(path, "--paused", "--from", place, "--trader", "ann") as terminal:
            terminal.await_words("paused")
            terminal.await_words(words)
            terminal.await_words("ann")
            terminal.press(b"q")
            assert terminal.wait() == 0


def test_an_interrupted_run_is_played_as_far_as_it_goes(told: Story, tmp_path: Path) -> None:
    begun(tmp_path / "run", told).close()
    with at_a_terminal(tmp_path / "run", "--speed", "max") as terminal:
        terminal.await_words("the run was interrupted: nobody wrote down how it ended")
        terminal.await_words("the end")
        terminal.press(b"q")
        assert terminal.wait() == 0


def test_a_recording_of_a_venue_is_played_too(told: Story, tmp_path: Path) -> None:
    path = told.write(tmp_path / "drill")
    with at_a_terminal(path, "--speed", "max") as terminal:
        terminal.await_words("the end")
        terminal.press(b"q")
        assert terminal.wait() == 0


def cut(path: Path) -> None:
    (path / JOURNAL).write_bytes((path / JOURNAL).read_bytes()[:-9])


def no_manifest_and_no_run(path: Path) -> None:
    (path / MANIFEST).unlink()
    (path / "run.json").unlink()


def facts_damaged(path: Path) -> None:
    (path / MANIFEST).unlink()
    (path / "run.json").write_text("{")


def emptied(path: Path) -> None:
    (path / MANIFEST).unlink()
    (path / JOURNAL).write_bytes(gzip.compress(b""))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, "it is torn or was altered"),
        (no_manifest_and_no_run, "holds no recording (manifest.json is missing)"),
        (facts_damaged, "run.json can't be read"),
    ],
)
def test_what_can_not_be_played_is_refused(
    change: Callable[[Path], object], words: str, told: Story, tmp_path: Path
) -> None:
    path = recorded(tmp_path / "run", told)
    change(path)
    refused = call("replay", str(path))
    assert refused.code == 2
    assert words in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert "is no directory" in run("replay", str(tmp_path / "x")).refusal(2)


def test_without_a_terminal_it_says_so(told: Story, tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", told)
    assert "a replay needs a terminal" in call("replay", str(path)).refusal(2)
    assert not (path / "index.json").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--speed", "0"), "--speed '0': use a number from 0.1 to 1000, or max"),
        (("--speed", "fast"), "--speed 'fast': use a number"),
        (("--speed", "nan"), "--speed 'nan': use a number"),
        (("--from", "noon"), "--from 'noon': use a sequence such as 12345"),
        (("--theme", "pink"), "--theme 'pink'"),
        (("--trader", "x" * 65), "use at most 64 characters"),
    ],
)
def test_wrong_options_are_told(options: tuple[str, str], words: str, tmp_path: Path) -> None:
    assert words in call("replay", str(tmp_path), *options).refusal(2)


def test_an_unknown_market_is_told_with_those_there_were(told: Story, tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", told)
    with at_a_terminal(path, "--market", "SNOW") as terminal:
        terminal.await_words("no such market; there are RAIN")
        assert terminal.wait() == 2


def test_a_run_in_which_nothing_happened(told: Story, tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", told)
    emptied(path)
    with at_a_terminal(path) as terminal:
        terminal.await_words("nothing was recorded in it")
        assert terminal.wait() == 2
