"""Printing: data goes to stdout, as JSON or as a small table."""

import os
import sys
from collections.abc import Iterable, Sequence

import msgspec
import typer

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""What Textual's servers for browsers set `TEXTUAL_DRIVER` to."""


class OutputClosed(Exception):
    """Whoever read our output has had enough, as ``head`` does."""


class OutputFailed(Exception):
    """stdout can't be written to, as on a full disk; `str()` says why."""


def print_line(text: str) -> None:
    """One line on stdout. Raises `OutputClosed` or `OutputFailed`."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise OutputFailed(error.strerror) from None


def drop_output() -> None:
    """What is still to be written goes nowhere: Python must not trip over it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(value: object) -> None:
    """One line of JSON."""
    print_line(msgspec.json.encode(value).decode())


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as they need; numbers to the right, text to the left."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [
        max(len(title), *(len(row[i]) for row in cells)) if cells else len(title)
        for i, title in enumerate(titles)
    ]
    for row in [list(titles), *cells]:
        line = "  ".join(_placed(cell, width) for cell, width in zip(row, widths, strict=True))
        print_line(line.rstrip())


def printable(text: str) -> str:
    """Text on one line that can't drive the terminal: names come from anybody."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def is_terminal() -> bool:
    """Whether a person sits there: at a terminal, or at a browser that Textual serves.

    Textual draws on stderr, so that counts as well.
    """
    if os.environ.get("TEXTUAL_DRIVER") == WEB_DRIVER:
        return True
    streams = (sys.stdin, sys.stdout, sys.stderr)
    # A stream that was closed before the start is None.
    return all(stream is not None and stream.isatty() for stream in streams)


def _placed(cell: str, width: int) -> str:
    number = cell.lstrip("-").replace(".", "", 1).isdigit()
    return cell.rjust(width) if number else cell.ljust(width)
