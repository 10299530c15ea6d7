"""A terminal that may go away while the screen is drawn."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class Forgiving:
    """A file that takes what is written to it for as long as there is somebody to read it.

    Textual draws from a thread that ends at the first error, and then waits for it for ever. So
    the error must not reach it: what nobody can see is dropped, and the hang-up ends the app.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.lost = False

    def write(self, text: str) -> int:
        if not self.lost:
            try:
                return self._file.write(text)
            except OSError:
                self.lost = True
        return len(text)

    def flush(self) -> None:
        if not self.lost:
            try:
                self._file.flush()
            except OSError:
                self.lost = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextlib.contextmanager
def forgiving_terminal() -> Iterator[None]:
    """For its time, makes the file on which Textual draws a forgiving one."""
    before = sys.__stderr__
    if before is None:
        yield
        return
    sys.__stderr__ = Forgiving(before)  # type: ignore[misc,assignment]  # there is no other way in
    try:
        yield
    finally:
        sys.__stderr__ = before  # type: ignore[misc]  # as above
