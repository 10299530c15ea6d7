"""A terminal that may go away while the screen is drawn."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO


class Forgiving:
    """A file that takes what is written to it for as long as there is somebody to read it.

    Textual draws from a thread that ends at the first error, and then waits for it for ever. So
    the error must not reach it: what nobody can see is dropped. `when_lost` is called once, from
    that thread: a hang-up doesn't reach an app that has left its terminal's session.
    """

    def __init__(self, file: TextIO, when_lost: Callable[[], None]) -> None:
        self._file = file
        self._when_lost = when_lost
        self.lost = False

    def write(self, text: str) -> int:
        if not self.lost:
            try:
                return self._file.write(text)
            except OSError:
                self._lose()
        return len(text)

    def flush(self) -> None:
        if not self.lost:
            try:
                self._file.flush()
            except OSError:
                self._lose()

    def _lose(self) -> None:
        self.lost = True
        self._when_lost()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextlib.contextmanager
def forgiving_terminal(when_lost: Callable[[], None]) -> Iterator[None]:
    """For its time, makes the file on which Textual draws a forgiving one."""
    before = sys.__stderr__
    if before is None:
        yield
        return
    sys.__stderr__ = Forgiving(before, when_lost)  # type: ignore[misc,assignment]  # there is no other way in
    try:
        yield
    finally:
        sys.__stderr__ = before  # type: ignore[misc]  # as above
