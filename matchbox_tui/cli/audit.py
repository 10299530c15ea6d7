"""The audit: I1 to I8 on a running venue, or on a recorded run."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.output import print_json, print_line, printable
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    UsageError,
    on_stop,
    run,
    say,
)

if TYPE_CHECKING:
    from sim.audit import Verdict
    from sim.floor import FloorRecord

PROGRESS_SECONDS = 3.0
MAX_RECORD = 64 * 1024 * 1024


def audit(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="A recorded run; without it a running venue."),
    ] = None,
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            envvar="MATCHBOX_RECORD",
            help="What traders were told, as they printed it.",
            metavar="FILE",
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Check that nothing was lost, doubled or reordered: one line an invariant."""
    from sim.audit import audit_recording, audit_venue
    from sim.recording import RecordingError

    told = _read_record(record) if record is not None else None

    async def work() -> "Verdict":
        task = asyncio.current_task()
        assert task is not None
        on_stop(task.cancel)
        if directory is not None:
            return await audit_recording(directory, told, told=_now_and_then())
        return await audit_venue(redis_url, prefix, told, told=_now_and_then())

    try:
        verdict = run(work())
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
    except RecordingError as error:
        raise UsageError(printable(str(error))) from None
    if json:
        print_json(verdict)
    else:
        for line in verdict.lines():
            print_line(printable(line))
    return 0 if verdict.ok else EXIT_FAILED


def _read_record(path: Path) -> "FloorRecord":
    import msgspec

    from sim.audit.idset import IdRanges
    from sim.floor import FloorRecord

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_RECORD)
        record = msgspec.json.decode(raw, type=FloorRecord)
        IdRanges(record.order_ids)
    except OSError as error:
        raise UsageError(f"--record {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(
            f"--record {path}: {error}; give it the output of 'matchbox traders --json'"
        ) from None
    return record


def _now_and_then() -> Callable[[str], None]:
    """Says how far the audit is, every few seconds."""
    last = time.monotonic()

    def tell(words: str) -> None:
        nonlocal last
        if time.monotonic() - last > PROGRESS_SECONDS:
            last = time.monotonic()
            say(f"matchbox: {words}")

    return tell
