"""The engine's health: how much it does, and how much it commits together."""

import msgspec

from matchbox_tui.consumers.analytics.windows import Windows
from matchbox_tui.store import HealthStats, HealthWindow

SPAN = 1_000_000_000
WINDOWS_KEPT = 60
SIZES = 11
"""Commits are counted by size: 1, 2 to 3, 4 to 7, ... and 1024 or more commands."""


def _windows() -> Windows:
    return Windows(SPAN, WINDOWS_KEPT)


def _sizes() -> list[int]:
    return [0] * SIZES


class Health(msgspec.Struct):
    """The venue's commits, commands and events; by the second of the commands' own timestamps.

    Nothing is asked of a clock here: whoever reads the journal finds the same, whenever.
    """

    commits: int = 0
    commands: int = 0
    events: int = 0
    largest: int = 0
    """The most commands that one commit had."""
    sizes: list[int] = msgspec.field(default_factory=_sizes)
    windows: Windows = msgspec.field(default_factory=_windows)

    def commit(self, commands: int) -> None:
        self.commits += 1
        self.largest = max(self.largest, commands)
        self.sizes[min(commands.bit_length() - 1, SIZES - 1)] += 1

    def command(self, events: int, timestamp: int) -> None:
        self.commands += 1
        self.events += events
        window = self.windows.at(timestamp)
        if window:
            window[0] += 1
            window[1] += events
        else:
            window += (1, events)

    def stats(self) -> HealthStats:
        windows = self.windows.last(WINDOWS_KEPT)
        return HealthStats(
            self.commits,
            self.commands,
            self.events,
            self.largest,
            tuple(self.sizes),
            tuple(HealthWindow(start, *values) for start, values in windows),
        )
