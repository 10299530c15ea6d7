"""What two looks at a screen under load make of it: shares of a core, frames, rows that compare."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from sim.bench.figures import Latency, latency, ratios, typical
from sim.bench.jobs import Tally
from sim.bench.report import Row

MOST_CORE = 25.0
"""Percent of a core that the app may use."""

LEAST_FRAMES = 15.0
"""A second."""

IN_TIME = 0.95
"""The share of the events asked for a second that must be in the journal in a second."""


class Sight(msgspec.Struct, frozen=True):
    """A look at everything that counts up. CPU in seconds, None where the system does not tell."""

    at: float
    cpu: float | None
    frames: int
    size: int
    tally: Tally


class Phase(msgspec.Struct, frozen=True):
    """What happened between two looks, a second or as percent of a core."""

    core: float | None
    fold_core: float
    frames: float
    size: float
    events: float
    fills: float
    commits: float
    pace: Latency | None

    @property
    def bytes_a_frame(self) -> float:
        return self.size / self.frames if self.frames else 0.0

    @property
    def ms_a_frame(self) -> float | None:
        """CPU in ms for each frame, all that the app does included."""
        if self.core is None or not self.frames:
            return None
        return 10 * self.core / self.frames


def phase(before: Sight, after: Sight, ends: Sequence[int]) -> Phase:
    """Out of two looks, and when the frames between them ended (ns)."""
    seconds = after.at - before.at
    core = None
    if before.cpu is not None and after.cpu is not None:
        core = 100 * (after.cpu - before.cpu) / seconds
    first, last = before.tally, after.tally
    folding = last.at - first.at
    return Phase(
        core=core,
        fold_core=100 * (last.cpu_seconds - first.cpu_seconds) / folding,
        frames=(after.frames - before.frames) / seconds,
        size=(after.size - before.size) / seconds,
        events=(last.events - first.events) / folding,
        fills=(last.fills - first.fills) / folding,
        commits=(last.commits - first.commits) / folding,
        pace=latency([later - sooner for sooner, later in pairwise(ends)]),
    )


def core_rows(what: str, phases: Sequence[Phase]) -> list[Row]:
    """What the app used of a core beside the fold alone; no row where the system does not tell."""
    ours = [found.core for found in phases if found.core is not None]
    theirs = [found.fold_core for found in phases]
    if len(ours) < len(theirs):
        return []
    each = ratios(ours, theirs)
    value = statistics.median(ours)
    return [
        Row(
            what=what,
            value=round(value, 1),
            unit="% of a core",
            against="folded, not shown",
            base=median(theirs),
            ratio=round(statistics.median(each), 3),
            ratios=each,
            goal=f"less than {MOST_CORE:g} %",
            reached=value < MOST_CORE,
        )
    ]


def frame_row(what: str, phases: Sequence[Phase]) -> Row:
    """How often it painted; the latency is the time from one frame to the next."""
    frames = statistics.median(found.frames for found in phases)
    costs = [found.ms_a_frame for found in phases if found.ms_a_frame is not None]
    more = {"bytes a frame": median([found.bytes_a_frame for found in phases])}
    if costs:
        more["ms of the processor a frame"] = median(costs)
    return Row(
        what=what,
        value=round(frames, 1),
        unit="frames/s",
        goal=f"{LEAST_FRAMES:g} or more",
        reached=frames >= LEAST_FRAMES,
        latency=typical([found.pace for found in phases]),
        more=more,
    )


def event_row(asked: int, phases: Sequence[Phase]) -> Row:
    """What the journal took meanwhile: without that the other figures mean less."""
    events = statistics.median(found.events for found in phases)
    return Row(
        what="events in the journal",
        value=round(events, 1),
        unit="events/s",
        goal=f"{asked:,}",
        reached=events >= IN_TIME * asked,
        more={
            "fills/s": median([found.fills for found in phases]),
            "commits/s": median([found.commits for found in phases]),
        },
    )


def median(values: Sequence[float]) -> float:
    """To one decimal."""
    return round(statistics.median(values), 1)
