"""One virtual run for a benchmark, and the engine alone with the same commands."""

import gc
import resource
import sys
import tempfile
import time
from pathlib import Path

from matchbox_tui.engine import (
    CancelOrder,
    Command,
    CreateMarket,
    Event,
    Exchange,
    Market,
    MarketCreated,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    Reason,
)
from matchbox_tui.store import parse_entry
from sim.bench.jobs import SimJob, Simulated
from sim.hiring import hire, roster
from sim.recording import Recording
from sim.recording.run import RunFacts
from sim.recording.run_writer import RunWriter
from sim.scenario import MarketPlan, Scenario
from sim.scenario.standard import STANDARD_VALUE, standard_population
from sim.virtual import START, run

A_DAY = 24 * 3600 * 10**9


def simulate(job: SimJob) -> Simulated:
    """Lets the standard population trade for so many seconds of real time, recorded as any run."""
    scenario = Scenario(
        name="bench",
        duration=A_DAY,
        markets=(MarketPlan(market=Market.prediction("RAIN"), opening=50, value=STANDARD_VALUE),),
        populations=standard_population(job.agents, job.every),
    )
    hired = hire(scenario, job.seed, START)
    facts = RunFacts(
        scenario=scenario.name,
        seed=job.seed,
        virtual=True,
        start=START,
        duration=scenario.duration,
        created=0,
        versions={},
    )
    with tempfile.TemporaryDirectory(prefix="matchbox-bench-") as name:
        directory = Path(name) / "run"
        # The writer's end waits until everything is compressed and on the disk.
        with RunWriter(directory, facts, "", roster(scenario, hired)) as writer:
            used = time.thread_time()
            give_up = time.monotonic() + job.seconds
            result = run(
                scenario,
                job.seed,
                writer,
                hired=hired,
                stopping=lambda: time.monotonic() > give_up,
            )
            used = time.thread_time() - used
        resident = _resident()
        commands = commands_of(directory)
    record = result.record
    wrong = list(result.problems)
    if record.acknowledged != record.commands:
        wrong.append(f"{record.acknowledged} of {record.commands} commands were acknowledged")
    return Simulated(
        actions=record.commands,
        seconds=result.wall_seconds,
        simulated_seconds=result.simulated_ns / 10**9,
        cpu_seconds=used,
        alone=len(commands) / _alone(commands),
        resident_mb=resident,
        wrong=wrong,
    )


def commands_of(directory: Path) -> list[Command]:
    """The commands that a recorded run's events answer; a cancel-all as single cancels."""
    found: list[Command] = []
    for raw in Recording(directory).journal():
        for event in parse_entry((raw.id, raw.flat)).events:
            command = _command(event)
            if command is not None:
                found.append(command)
    return found


def _command(event: Event) -> Command | None:
    match event:
        case OrderAccepted():
            return event.order
        case OrderRejected():
            return event.order
        case OrderCancelled(reason=Reason.REQUESTED):
            return CancelOrder(event.order_id, event.timestamp)
        case MarketCreated():
            return CreateMarket(event.definition, event.timestamp)
        case _:
            return None


def _alone(commands: list[Command]) -> float:
    """How many seconds the engine takes for them, and for nothing else."""
    apply = Exchange().apply
    gc.disable()
    try:
        began = time.perf_counter()
        for command in commands:
            apply(command)
        return time.perf_counter() - began
    finally:
        gc.enable()


def _resident() -> float:
    """The most memory that this process ever had, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
