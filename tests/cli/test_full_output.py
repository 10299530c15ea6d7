"""Output that can't be written, as on a full disk: one line that says so, and exit code 1."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import command_line, environment
from tests.cli.venue import Venue

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="no device here is always full")


def told_on_stderr(venue: Venue, *arguments: str) -> list[str]:
    """What a command says that has nowhere to print."""
    with FULL.open("wb") as full:
        done = subprocess.run(
            command_line(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(venue.env),
            timeout=60,
            check=False,
        )
    assert done.returncode == 1, done
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    "command",
    [
        ("--version",),
        ("--help",),
        ("book", "--help"),
        ("status", "--json"),
        ("book",),
        ("buy", "1", "50"),
    ],
    ids=" ".join,
)
def test_a_command_says_so(venue: Venue, command: tuple[str, ...]) -> None:
    assert told_on_stderr(venue, *command) == [
        "matchbox: can't write the output: No space left on device"
    ]


def test_traders_say_so_at_their_end(venue: Venue, market: str) -> None:
    # In a market of their own: other tests look at the others.
    few = ("--duration", "1", "--rate", "1", "--markets", market, "--log-level", "error")
    assert told_on_stderr(venue, "traders", "--json", *few) == [
        "matchbox: can't write the output: No space left on device"
    ]


def test_a_drill_says_so_at_its_end(venue: Venue) -> None:
    small = ("--rate", "100", "--instances", "2", "--traders", "2", "--kills", "1")
    *_, last = told_on_stderr(venue, "drill", *small, "--fault", "kill", "--json")
    assert last == "matchbox: can't write the output: No space left on device"
