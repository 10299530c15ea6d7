"""A scenario from its first order to its report: run, audited, measured, judged, and told."""

import asyncio
import platform
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import msgspec

from sim.audit import audit_recording
from sim.hiring import hire, roster
from sim.measuring import Measuring, evidence_of
from sim.realism import Tapes, scorecard
from sim.recording import IndexWriter, Run, RunFacts, RunWriter, Sample, open_run, prepared
from sim.recording.form import told as in_words
from sim.recording.run import MEASURES, REPORT, VERDICT
from sim.report import Told, write_page
from sim.run_report import RunReport
from sim.run_result import RunResult
from sim.scenario import Scenario
from sim.verdict import judge

__all__ = ["Progress", "RunReport", "Stopping", "run_scenario"]

BREATH_SECONDS = 0.02
"""Longest time that measuring holds the loop for."""

PROGRESS_SECONDS = 0.1
"""Shortest time between two tellings of how far a run is."""

PACKAGES = ("matchbox-tui", "msgspec", "sortedcontainers", "faker", "matplotlib")
"""Whose versions could make a run, or its report, another one."""

Begin = Callable[[int], RunWriter]
"""Begins to record a run whose time zero is so many ns since the epoch."""


class Stopping(Protocol):
    """Whether the run is to end early; an `asyncio.Event` is one."""

    def is_set(self) -> bool: ...


def nothing() -> None:
    pass


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: `at` ns of `duration`, and how the venue stands there. `rate` is in
    commands a second of the run's own time since the telling before.
    """

    at: int
    duration: int
    commands: int = 0
    rate: float = 0.0
    waiting: int = 0
    leader: str = ""
    epoch: int = 0


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
    ended: Callable[[], None] = nothing,
    realism: bool = False,
) -> RunReport:
    """Runs a scenario to its end, or until `stopping` is set, and reports what was.

    `text` is the scenario as it was written, and kept with the run. `seed` goes before the
    scenario's own. With `realism` the markets are held against real ones, too, which no verdict
    depends on. With `out` the run stays in that directory, with measures.json, verdict.json
    and report.html; without it is recorded into a directory that goes away, and there is no page.
    `say` hears lines, `progress` how far the run is, some times a second; both in its thread.
    `ended` is called when the run itself is over: from then on `stopping` changes nothing.

    Lets the loop run, so that Ctrl-C is heard: the virtual runner and the drawing are in a thread,
    the audit and the measuring take breath. Cancelled, it ends the run without a report. Raises
    `RecordingError` where the directory can't be written, and what the live runner raises.
    """
    seed = scenario.seed if seed is None else seed
    with ExitStack() as stack:
        if out is None:
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="matchbox-sim-"))
            directory = Path(name) / "run"
        else:
            directory = out
            # It would be a pity to find out at the end.
            prepared(out)
        running = _Running(scenario, text, seed, virtual, directory, stopping, progress, say)
        result = await running.run()
        ended()
        say("Auditing and measuring what was recorded.")
        audited = await audit_recording(directory)
        run = stack.enter_context(closing(open_run(directory)))
        evidence, indexing = evidence_of(run), _index_of(run) if out is not None else None
        if indexing is not None:
            stack.enter_context(indexing)
            journal = partial(indexing.entries, lambda: measuring.exchange)
            evidence = msgspec.structs.replace(evidence, journal=journal)
        markets = [plan.market.symbol for plan in scenario.markets]
        tapes = Tapes(run.facts.start, evidence.end, markets) if realism else None
        measuring: Measuring = Measuring(evidence, audited, markets, tapes)
        await _breathing(measuring)
        if indexing is not None and measuring.whole:
            with suppress(OSError):
                indexing.keep(measuring.exchange)
        measures = measuring.measures()
        scored = await asyncio.to_thread(scorecard, tapes) if tapes is not None else None
        report = RunReport(
            scenario=scenario.name,
            title=scenario.title,
            seed=seed,
            virtual=virtual,
            interrupted=result.interrupted,
            wall_seconds=round(result.wall_seconds, 3),
            directory=str(out) if out is not None else "",
            measures=measures.values,
            kinds=measures.kinds,
            audit=audited,
            verdict=judge(
                scenario.expectations,
                measures.values,
                audited,
                [*result.problems, *measures.problems],
                market=next((one.symbol for one in measures.markets), ""),
                interrupted=result.interrupted,
            ),
            realism=scored,
        )
        if out is not None:
            told = Told(
                report=report, measures=measures, facts=run.facts, scenario=scenario, text=text
            )
            await _keep(report, told, out)
        return report


class _Running:
    """The run itself, by one of the two runners."""

    def __init__(
        self,
        scenario: Scenario,
        text: str,
        seed: int,
        virtual: bool,
        directory: Path,
        stopping: Stopping,
        progress: Callable[[Progress], None],
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._scenario = scenario
        self._text = text
        self._seed = seed
        self._virtual = virtual
        self._directory = directory
        self._stopping = stopping
        self._progress = progress
        self._cancelled = threading.Event()
        self._told_at = 0.0
        self._last = Sample(0, 0, 0, "", 0)

    async def run(self) -> RunResult:
        if not self._virtual:
            live = import_module("sim.live")
            result: RunResult = await live.run(
                self._scenario,
                self._text,
                self._seed,
                self._begin,
                stopping=self._stop,
                told=self._tell,
                say=self._say,
            )
            return result
        loop = asyncio.get_running_loop()
        work = asyncio.ensure_future(asyncio.to_thread(self._run_virtual, loop))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A thread can't be cancelled, but it looks.
            self._cancelled.set()
            await asyncio.wait((work,))
            raise

    def _run_virtual(self, loop: asyncio.AbstractEventLoop) -> RunResult:
        from sim import virtual

        def tell(sample: Sample) -> None:
            if self._is_due():
                loop.call_soon_threadsafe(self._tell, sample)

        with self._begin(virtual.START) as writer:
            return virtual.run(self._scenario, self._seed, writer, stopping=self._stop, told=tell)

    def _begin(self, start: int) -> RunWriter:
        facts = RunFacts(
            scenario=self._scenario.name,
            seed=self._seed,
            virtual=self._virtual,
            start=start,
            duration=self._scenario.duration,
            created=time.time_ns(),
            versions={"python": platform.python_version()}
            | {name: version(name) for name in PACKAGES},
        )
        hired = hire(self._scenario, self._seed, start)
        return RunWriter(self._directory, facts, self._text, roster(self._scenario, hired))

    def _stop(self) -> bool:
        return self._stopping.is_set() or self._cancelled.is_set()

    def _is_due(self) -> bool:
        """Whether it is time to tell how far the run is."""
        now = time.monotonic()
        if now - self._told_at < PROGRESS_SECONDS:
            return False
        self._told_at = now
        return True

    def _tell(self, sample: Sample) -> None:
        before, self._last = self._last, sample
        passed = sample.at - before.at
        self._progress(
            Progress(
                at=sample.at,
                duration=self._scenario.duration,
                commands=sample.seq,
                rate=(sample.seq - before.seq) * 1e9 / passed if passed > 0 else 0.0,
                waiting=sample.waiting,
                leader=sample.leader,
                epoch=sample.epoch,
            )
        )


def _index_of(run: Run) -> IndexWriter | None:
    """What indexes the run while it is measured; None where there is no room for an index: whoever
    seeks in the run makes it then.
    """
    try:
        return IndexWriter(run)
    except OSError:
        return None


async def _breathing(measuring: Measuring) -> None:
    breath = time.monotonic()
    for _ in measuring.steps():
        if time.monotonic() - breath > BREATH_SECONDS:
            await asyncio.sleep(0)
            breath = time.monotonic()


async def _keep(report: RunReport, told: Told, directory: Path) -> None:
    """Writes what came of the run beside it."""
    measures = told.measures
    figures = {"values": measures.values, "kinds": measures.kinds}
    verdict: dict[str, object] = {"verdict": report.verdict, "audit": report.audit}
    if report.realism is not None:
        verdict["realism"] = report.realism
    for name, value in ((MEASURES, figures), (VERDICT, verdict)):
        with in_words(directory / name):
            raw = msgspec.json.format(msgspec.json.encode(value), indent=1)
            (directory / name).write_bytes(raw)
    with in_words(directory / REPORT):
        await asyncio.to_thread(write_page, told, directory / REPORT)
