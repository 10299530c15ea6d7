"""Running a service: logs on stderr, one clear line for an error, a clean end on a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_REJECTED = 4
EXIT_INTERRUPTED = 130

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class UsageError(Exception):
    """A wrong option or argument; `str()` says which and what would be right."""


def fail(message: str, code: int) -> NoReturn:
    """Ends the command with one line on stderr."""
    say(f"matchbox: {message}")
    raise SystemExit(code)


def crash(words: str, details: str) -> NoReturn:
    """Ends the command after an error of ours: one line, and the details in a file."""
    number, path = tempfile.mkstemp(prefix="matchbox-crash-", suffix=".txt")
    with os.fdopen(number, "w") as report:
        report.write(details)
    fail(f"internal error, please report it with {path} ({words})", EXIT_FAILED)


def say(message: str) -> None:
    """One line of progress on stderr, if there is one: without it Python would print on stdout."""
    if sys.stderr is None:
        return
    print(message, file=sys.stderr, flush=True)  # noqa: T201  # this is where progress goes


def check_level(level: str) -> int:
    """The number of a log level. Raises `UsageError` for an unknown one."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise UsageError(f"LOG_LEVEL {level!r}: use debug, info, warning or error")
    return number


def set_up_logging(level: str) -> None:
    """Raises `UsageError` for an unknown level."""
    logging.basicConfig(
        level=check_level(level),
        stream=sys.stderr,
        format="%(asctime)s.%(msecs)03d %(levelname)-7s %(message)s",
        datefmt="%H:%M:%S",
    )
    # It tells of its plugins as soon as it is imported, which is nobody's business here.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def on_stop(callback: Any, *, until_eof: bool = False) -> None:
    """Calls back on Ctrl-C, SIGTERM and SIGHUP, and with `until_eof` when stdin closes."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, callback)
    if until_eof:
        on_eof(callback)


def on_eof(callback: Any) -> None:
    """Calls back when stdin closes, or at once where it can't be waited for."""
    loop = asyncio.get_running_loop()
    if sys.stdin is None:
        loop.call_soon(callback)
        return
    stdin = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(stdin, 1024):
            loop.remove_reader(stdin)
            callback()

    try:
        loop.add_reader(stdin, readable)
    except PermissionError:
        # A file or /dev/null: nothing to wait for, its end is there already.
        loop.call_soon(callback)


def _raise_on_ctrl_c() -> None:
    """What `entry` had set for the time of loading no longer holds: there is something to clear
    away, and a loop only looks after Ctrl-C where Python does.
    """
    ours = threading.current_thread() is threading.main_thread()
    if ours and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end this as Ctrl-C does, so that what was started is cleared away.

    Meant for the time before and after a loop, which has handlers of its own. What is to be
    imported should be before: an import that is broken off may print and forget why.
    """

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(EXIT_INTERRUPTED)

    _raise_on_ctrl_c()
    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work to its end."""
    _raise_on_ctrl_c()
    return asyncio.run(work)
