"""Printing: data goes to stdout, as JSON or as a small table."""

import csv
import io
import itertools
import os
import sys
from collections.abc import Iterable, Sequence

import msgspec
import typer

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""What Textual's servers for browsers set `TEXTUAL_DRIVER` to."""

TABLE_ROWS = 1_000
"""So many rows of a table are looked at for its columns' widths before they are printed."""


class OutputClosed(Exception):
    """Whoever read our output has had enough, as ``head`` does."""


class OutputFailed(Exception):
    """stdout can't be written to, as on a full disk; `str()` says why."""


def print_line(text: str) -> None:
    """One line on stdout. Raises `OutputClosed` or `OutputFailed`."""
    _print(text + "\n")


def _print(text: str) -> None:
    try:
        typer.echo(text, nl=False)
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
    """Columns as wide as they need; numbers to the right, text to the left.

    A long table is printed as it comes: its columns may grow wider on the way.
    """
    widths = [len(title) for title in titles]
    heading = [list(titles)]
    remaining = iter(rows)
    while True:
        some = itertools.islice(remaining, TABLE_ROWS)
        cells = [[printable(str(cell)) for cell in row] for row in some]
        for row in cells:
            widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
        lines = ["  ".join(map(_placed, row, widths)).rstrip() + "\n" for row in [*heading, *cells]]
        _print("".join(lines))
        heading = []
        if len(cells) < TABLE_ROWS:
            return


def print_json_array(batches: Iterable[Sequence[object]]) -> None:
    """One line with a JSON array, printed as it comes."""
    before = "["
    for batch in batches:
        _print(before + ",".join(msgspec.json.encode(value).decode() for value in batch))
        before = ","
    print_line("]" if before == "," else "[]")


def print_csv(titles: Sequence[str], batches: Iterable[Sequence[Sequence[object]]]) -> None:
    """Comma-separated values under a heading, printed as they come."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    # Before Python 3.13 a lone carriage return is not quoted, and ends the row for who reads it.
    quoting = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(titles)
    for batch in batches:
        for row in batch:
            returns = any(type(value) is str and "\r" in value for value in row)
            (quoting if returns else writer).writerow(row)
        _print(text.getvalue())
        text.seek(0)
        text.truncate()
    _print(text.getvalue())


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
