"""``matchbox replay``: a recorded run on the screen."""

import gc
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.output import is_terminal, printable
from matchbox_tui.cli.play import (
    ALLOCATIONS,
    SIGNALLED,
    Theme,
    check_trader,
    read_look,
)
from matchbox_tui.cli.running import (
    EXIT_INTERRUPTED,
    UsageError,
    crash,
    run,
    say,
    unwinding,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from matchbox_tui.tui import ReplayApp
    from sim.recording import Playback


PROGRESS_SECONDS = 1.0


def replay(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A recorded run.")],
    speed: Annotated[
        str,
        typer.Option(
            "--speed",
            envvar="MATCHBOX_SPEED",
            help="Times its own speed, 0.1 to 1000, or max.",
            metavar="X",
        ),
    ] = "1",
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            envvar="MATCHBOX_FROM",
            help="Where to begin: a sequence, or a time since the start (90s, 1:30).",
            metavar="PLACE",
            show_default="the beginning",
        ),
    ] = "",
    paused: Annotated[
        bool, typer.Option("--paused", envvar="MATCHBOX_PAUSED", help="Wait for a key.")
    ] = False,
    trader: Annotated[
        str,
        typer.Option(
            "--trader",
            envvar="MATCHBOX_REPLAY_TRADER",
            help="Whose orders and positions to show.",
            show_default="nobody's",
        ),
    ] = "",
    market: options.AnyMarket = None,
    theme: Theme = "dark",
) -> int:
    """Play a recorded run on the screen: 'sim run --out DIR' and 'drill --out DIR' record one.

    Space pauses, s steps, + and - change the speed, t goes to the next trade, e to the next change
    of leader, p to a sequence or a time, ? tells all. A run that was interrupted is played as far
    as it was recorded. An index lets it go anywhere at once; where the run left none, it is made
    the first time and kept in the directory.
    """
    from matchbox_tui.tui import ReplayApp, parse_place
    from sim.recording import Playback, RecordingError, indexed, open_run

    factor = _speed(speed)
    check_trader(trader)
    look = read_look(theme)
    try:
        place = parse_place(begin) if begin else None
    except ValueError as error:
        raise UsageError(f"--from {printable(str(error))}") from None
    try:
        with unwinding(), closing(open_run(directory)) as recorded:
            if not is_terminal():
                raise UsageError("a replay needs a terminal; 'matchbox audit DIR' does not")
            if recorded.interrupted:
                say(f"matchbox: {recorded.interrupted}")
            source = Playback(recorded, indexed(recorded, _progress(), _told))
            if source.last == source.first:
                raise UsageError(f"{printable(str(directory))}: nothing was recorded in it")
            if market is not None:
                _check_market(source, market)
            app = ReplayApp(
                source,
                trader,
                market,
                speed=factor,
                paused=paused,
                begin=_begin(source, place) if place is not None else None,
                look=look,
            )
            return run(_show(app))
    except RecordingError as error:
        raise UsageError(printable(str(error))) from None


async def _show(app: "ReplayApp") -> int:
    gc.set_threshold(ALLOCATIONS)
    await app.run_async()
    if app.crashed:
        crash(app.crashed.splitlines()[-1], app.crashed)
    code = app.return_code or 0
    return EXIT_INTERRUPTED if code > SIGNALLED else code


def _speed(text: str) -> float:
    from matchbox_tui.tui import FULL_SPEED, SPEEDS

    if text.strip() == "max":
        return FULL_SPEED
    try:
        speed = float(text.strip().removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not SPEEDS[0] <= speed <= SPEEDS[-1]:
        raise UsageError(f"--speed {text[:40]!r}: use a number from 0.1 to 1000, or max")
    return speed


def _begin(source: "Playback", place: tuple[int | None, int | None]) -> tuple[int, int | None]:
    seq, at = place
    if at is not None:
        at = min(at, source.end)
        return source.seq_at(at), at
    return seq or 0, None


def _check_market(source: "Playback", market: str) -> None:
    """Raises `UsageError` for a market that there never was."""
    if market not in source.markets:
        names = printable(", ".join(source.markets[:8]))
        raise UsageError(f"--market {market[:40]!r}: no such market; there are {names}")


def _told(words: str) -> None:
    say(f"matchbox: {printable(words)}")


def _progress() -> "Callable[[int, int], None]":
    """Says how far the index is, where that takes long."""
    last = time.monotonic()
    shown = False

    def tell(read: int, size: int) -> None:
        nonlocal last, shown
        if time.monotonic() - last < PROGRESS_SECONDS:
            return
        last = time.monotonic()
        words = f"matchbox: making an index of the run, {100 * read // max(size, 1)} %"
        if not shown:
            say(words)
        else:
            sys.stderr.write(f"\x1b[1A\x1b[2K{words}\n")
        shown = True

    return tell
