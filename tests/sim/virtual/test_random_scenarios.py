"""Whatever a scenario says, its recording passes the audit."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.agents.kinds import KINDS
from sim.audit import audit_recording
from sim.scenario import (
    AnyHappening,
    Burst,
    Cut,
    Halt,
    Kill,
    Latency,
    News,
    Pause,
    Population,
    RestartServer,
    Resume,
    Scenario,
    Stop,
)
from tests.sim.virtual.stage import MS, RAIN, SNOW, play

WHO = st.sampled_from(["leader", "node-1", "node-2", "node-3"])
MARKETS = st.sampled_from(["RAIN", "SNOW"])
TIMES = st.integers(0, 310 * MS)

HAPPENINGS: st.SearchStrategy[AnyHappening] = st.one_of(
    st.builds(News, at=TIMES, market=MARKETS, by=st.integers(-200, 200)),
    st.builds(Halt, at=TIMES, market=MARKETS),
    st.builds(Resume, at=TIMES, market=MARKETS),
    st.builds(
        Burst,
        at=TIMES,
        market=MARKETS,
        orders=st.integers(1, 1500),
        side=st.sampled_from(["", "buy", "sell"]),
        qty=st.integers(1, 50),
    ),
    *(st.builds(kind, at=TIMES, who=WHO) for kind in (Kill, Stop, Pause, Cut)),
    st.builds(RestartServer, at=TIMES),
)

POPULATIONS = st.builds(
    lambda kind, count, least, jitter: Population(
        kind=kind,
        count=count,
        latency=Latency(least=least, jitter=jitter),
        parameters=KINDS[kind].parameters(),
    ),
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 12),
    st.integers(0, 30 * MS),
    st.integers(0, 5 * MS),
)

SCENARIOS = st.builds(
    lambda populations, happenings, instances, lease: Scenario(
        name="random",
        duration=300 * MS,
        instances=instances,
        lease=lease,
        markets=(RAIN, SNOW),
        populations=tuple(populations),
        happenings=tuple(happenings),
    ),
    st.lists(POPULATIONS, max_size=4),
    st.lists(HAPPENINGS, max_size=6),
    st.integers(1, 3),
    st.integers(10 * MS, 3000 * MS),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENARIOS, st.integers(0, 2**32))
def test_its_audit_is_fine(scenario: Scenario, seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        played = play(Path(name) / "run", scenario, seed)
        verdict = asyncio.run(audit_recording(played.directory))
        assert verdict.ok, [check for check in verdict.checks if check.offences]
        record = played.result.record
        assert record.acknowledged == record.commands
        assert played.recording.manifest.moment.waiting == 0
