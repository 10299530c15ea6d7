"""How far a long run is, on stderr: a bar at a terminal, else a line now and then."""

import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from matchbox_tui.cli.output import printable
from matchbox_tui.cli.running import say

if TYPE_CHECKING:
    from sim.running import Progress

LINE_SECONDS = 5.0
FIRST_LINE_SECONDS = 1.0
NS = 10**9

ECHOED = 6
"""Columns that are kept free for what the terminal echoes: ^C, three times."""


class ProgressBar:
    """Shows a run's progress while it is entered. What is said meanwhile goes above the bar."""

    def __init__(self, title: str, faults: Sequence[int] = ()) -> None:
        """`faults` are the times at which there is to be one, in ns after the start, in order."""
        self._title = title
        self._faults = faults
        self._stack = ExitStack()
        self._next = time.monotonic() + FIRST_LINE_SECONDS
        self._bar: _Bar | None = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            self._bar = self._stack.enter_context(_Bar(self._title))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar = None
        self._stack.close()

    def say(self, words: str) -> None:
        """One line that stays."""
        if self._bar is not None:
            self._bar.say(printable(words))
        else:
            say(printable(words))

    def show(self, progress: "Progress") -> None:
        """The newest state."""
        words = state_words(progress, self._faults)
        if self._bar is not None:
            self._bar.show(progress.at / max(1, progress.duration), words)
        elif time.monotonic() > self._next:
            self._next = time.monotonic() + LINE_SECONDS
            say(f"matchbox: {words}")


class _Bar:
    def __init__(self, title: str) -> None:
        from rich.console import Console, RenderableType
        from rich.constrain import Constrain
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._console = console = Console(stderr=True, highlight=False, markup=False)

        class Line(Progress):
            """The terminal echoes ^C where the bar ends: with no room there the echo would begin
            another line, and the bar above it stay for ever.
            """

            def get_renderable(self) -> RenderableType:
                return Constrain(super().get_renderable(), max(console.width - ECHOED, 1))

        self._progress = Line(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn(
                "{task.fields[words]}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=self._console,
            transient=True,
            # Whoever tells how far it is does so often enough.
            auto_refresh=False,
            expand=True,
        )
        self._task = self._progress.add_task(printable(title), total=1.0, words="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._progress.stop()

    def say(self, words: str) -> None:
        self._console.print(words)

    def show(self, part: float, words: str) -> None:
        self._progress.update(self._task, completed=part, words=words, refresh=True)


def state_words(progress: "Progress", faults: Sequence[int]) -> str:
    """How far it is and how the venue stands, on a line."""
    leader = f"{printable(progress.leader)} leads" if progress.leader else "nobody leads"
    words = [
        f"{progress.at / NS:.0f} of {progress.duration / NS:.0f} s",
        f"{progress.rate:,.0f}/s",
        f"{progress.waiting:,} waiting",
    ]
    if faults:
        # Before what a narrow terminal cuts off.
        words.append(f"{bisect_right(faults, progress.at)} of {len(faults)} faults")
    return ", ".join(
        [*words, f"{leader} (epoch {progress.epoch})", f"{progress.commands:,} commands"]
    )
