"""A scenario from its first order to its report: run, audited, measured, judged, and told."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from sim.audit import Verdict
from sim.scenario import Scenario
from sim.verdict import RunVerdict, Value


class Stopping(Protocol):
    """Whether the run is to end early; an `asyncio.Event` is one."""

    def is_set(self) -> bool: ...


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: `at` ns of `duration`, and how the venue stands there."""

    at: int
    duration: int
    commands: int = 0
    rate: float = 0.0
    waiting: int = 0
    leader: str = ""
    faults: int = 0


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run in numbers, and what is said of them. `measures` by the names of `sim.measuring`;
    `wall_seconds` is what the run took on the wall's clock; `directory` is where it was kept, ""
    for nowhere.
    """

    scenario: str
    title: str
    seed: int
    virtual: bool
    interrupted: bool
    wall_seconds: float
    directory: str
    measures: dict[str, Value]
    audit: Verdict | None
    verdict: RunVerdict

    @property
    def ok(self) -> bool:
        """Whether everything was as it must be, and as the scenario expects it."""
        return self.verdict.ok


async def run_scenario(
    scenario: Scenario,
    text: str,
    *,
    virtual: bool,
    seed: int | None = None,
    out: Path | None = None,
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
    stopping: Stopping,
    realism: bool = False,
) -> RunReport:
    """Runs a scenario to its end, or until `stopping` is set, and reports what was.

    `text` is the scenario as it was written, and kept with the run. `seed` goes before the
    scenario's own. With `out` the run stays in that directory, with measures.json, verdict.json
    and report.html; without it is recorded into a directory that goes away. `say` hears lines,
    `progress` how far the run is, some times a second.

    Give the loop its chance for Ctrl-C: this is a coroutine, and whatever computes in it, the
    virtual runner and the audit and the measuring, lets the loop run every few hundredths of a
    second. Raises `RecordingError` where the directory can't be written, and what the runner
    raises.
    """
    raise NotImplementedError
