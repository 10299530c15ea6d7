"""A drill as a whole: on a sound venue it finds nothing, on a sabotaged one it finds out."""

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from matchbox_tui.store import Client, Keys, Link, Refused, Server, StoreError, Unusable
from sim.audit import Status, audit_recording
from sim.drill import Drill
from sim.drill import drill as drills
from sim.drill.report import DrillReport
from sim.drill.venue import DrillVenue, Plan, private_venue
from sim.faults import KINDS
from tests.waiting import eventually

SMALL = Plan(kills=2, kinds=("kill", "redis"), rate=400, instances=2, traders=5, lease_ms=1000)

KEYS = Keys("")

Sabotage = Callable[[Link, Client], Awaitable[None]]


@pytest.fixture
def temporary(server_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a private server of this process has its directory."""
    monkeypatch.setattr("tempfile.tempdir", str(server_dir))
    return server_dir


def found(directory: Path) -> str:
    return next((f"unix://{path}" for path in directory.glob("matchbox-*/server.sock")), "")


async def sabotaged(plan: Plan, temporary: Path, sabotage: Sabotage) -> DrillReport:
    """A drill during which somebody tampers with its venue, once it trades."""
    said: list[str] = []
    running = asyncio.ensure_future(Drill(plan, said.append).run())

    async def address() -> str:
        return found(temporary)

    url = await eventually(address)
    client = Client(Server(url, timeout_s=10), KEYS, "saboteur")
    link = Server(url, timeout_s=10).link("saboteur")

    async def trading() -> bool:
        try:
            return (await client.cluster()).seq > 400
        except StoreError:
            return False

    try:
        await eventually(trading)
        await sabotage(link, client)
        return await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        await link.close()


async def test_a_sound_venue_outlives_every_fault(temporary: Path) -> None:
    plan = Plan(kills=6, rate=400, instances=3, traders=5, lease_ms=1000)
    said: list[str] = []
    report = await Drill(plan, said.append).run()
    assert report.violations == []
    assert not report.interrupted
    assert sorted(fault.recovery.kind for fault in report.faults) == sorted(KINDS)
    assert len(said) == 6
    for line, fault in zip(said, report.faults, strict=True):
        assert line.startswith(f"  {fault.number}/6  {fault.recovery.kind} ")
        assert "first commit after " in line
        assert fault.hashes is not None
        assert fault.hashes.equal
    assert [figures.n for figures in report.figures] == [1] * 6
    # Killed, stopped, cut off and paused: each has a successor. The server's end may bring one.
    assert report.elections >= 5
    assert report.zombie_commits == 1
    assert report.zombie_commits_refused >= 1
    assert (report.lost, report.doubled) == (0, 0)
    assert report.in_doubt.orders > 0
    assert report.in_doubt.executed + report.in_doubt.never_arrived == report.in_doubt.orders
    assert report.acknowledged > 1000
    assert report.hashes_compared > 20
    assert report.hashes_differing == 0
    assert [check.status for check in report.audit.checks] == [Status.OK] * 8
    assert os.listdir(temporary) == []


async def taken_from_the_queue(link: Link) -> bytes:
    """An order that was acknowledged and is in the queue no longer."""
    while True:
        reply = await link.call("BLPOP", KEYS.queue, "5")
        if reply is not None and b'"side"' in reply[1]:
            element: bytes = reply[1]
            return element


async def lose_one(link: Link, client: Client) -> None:
    await taken_from_the_queue(link)


async def double_one(link: Link, client: Client) -> None:
    element = await taken_from_the_queue(link)
    await link.call("RPUSH", KEYS.queue, element, element)


async def delete_an_entry(link: Link, client: Client) -> None:
    ((entry_id, _), *_) = await link.call("XRANGE", KEYS.log, "-", "+", "COUNT", 1)
    await link.call("XDEL", KEYS.log, entry_id)


async def forge_a_fill(link: Link, client: Client) -> None:
    while True:
        seq = (await client.cluster()).seq
        fill = {
            "maker_order_id": 1,
            "taker_order_id": 2,
            "price": 50,
            "qty": 1,
            "timestamp": 1,
            "market": "MAIN",
            "trade_id": f"{seq}-999",
            "taker_side": "buy",
        }
        # Refused where a fill of a later command has come before it.
        with contextlib.suppress(Refused):
            await link.call("XADD", KEYS.fills_stream, f"{seq}-999", "event", json.dumps(fill))
            return


async def lie_about_a_state(link: Link, client: Client) -> None:
    ((_, flat), *_) = await link.call("XREVRANGE", KEYS.hashes, "+", "-", "COUNT", 1)
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    lie = {**fields, b"id": b"node-9", b"hash": b"0" * 40}
    flattened = [word for pair in lie.items() for word in pair]
    await link.call("XADD", KEYS.hashes, "*", *flattened)


@pytest.mark.parametrize(
    ("sabotage", "words"),
    [
        pytest.param(lose_one, "orders lost: 1, the first is ", id="lost"),
        pytest.param(double_one, "orders doubled: 1, the first is ", id="doubled"),
        pytest.param(delete_an_entry, "the journal can't be replayed: ", id="deleted"),
        pytest.param(forge_a_fill, "I5 FAIL", id="forged-fill"),
        pytest.param(lie_about_a_state, "node-9 had another state than the replay", id="lie"),
    ],
)
async def test_a_sabotaged_venue_fails(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage, words: str
) -> None:
    # Some of them never come to rest, and need not be waited for.
    monkeypatch.setattr("sim.private_venue.SETTLE_SECONDS", 3.0)
    report = await sabotaged(SMALL, temporary, sabotage)
    assert not report.ok
    assert any(violation.startswith(words) for violation in report.violations), report.violations
    assert os.listdir(temporary) == []


async def test_a_venue_whose_traders_die_fails(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.faults.faults.TRAP_SECONDS", 1.0)
    plan = Plan(kills=50, kinds=("reply-lost",), rate=400, instances=2, traders=5)
    drill = Drill(plan, lambda line: None)
    venues: list[DrillVenue] = []

    @contextlib.asynccontextmanager
    async def remembered(plan: Plan) -> AsyncIterator[DrillVenue]:
        async with private_venue(plan) as venue:
            venues.append(venue)
            yield venue

    monkeypatch.setattr(drills, "private_venue", remembered)
    running = asyncio.ensure_future(drill.run())

    async def faults() -> int:
        return len(drill._faults)

    await eventually(faults)
    traders = venues[0].cluster.traders
    assert traders is not None
    traders.process.kill()
    report = await running
    assert report.violations[0].startswith("traders ended by itself")
    assert "the traders left no record of what they were told" in report.violations
    assert len(report.faults) < plan.kills


async def test_one_that_is_stopped_early_reports_what_was(temporary: Path) -> None:
    plan = Plan(kills=500, kinds=KINDS, rate=400, instances=2, traders=5, lease_ms=1000)
    said: list[str] = []
    drill = Drill(plan, said.append)
    running = asyncio.ensure_future(drill.run())

    async def lines() -> int:
        return len(said)

    await eventually(lines, lambda count: count >= 2)
    drill.stop()
    report = await running
    assert report.interrupted
    assert 2 <= len(report.faults) < plan.kills
    assert report.violations == []
    assert [check.status for check in report.audit.checks] == [Status.OK] * 8
    assert os.listdir(temporary) == []


async def test_one_that_is_stopped_before_it_began_reports_nothing(temporary: Path) -> None:
    drill = Drill(SMALL, lambda line: None)
    drill.stop()
    report = await drill.run()
    assert report.interrupted
    assert (report.faults, report.acknowledged, report.violations) == ([], 0, [])
    assert os.listdir(temporary) == []


async def test_one_that_is_broken_off_leaves_nothing(temporary: Path) -> None:
    running = asyncio.ensure_future(Drill(SMALL, lambda line: None).run())

    async def address() -> str:
        return found(temporary)

    await eventually(address)
    await asyncio.sleep(0.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert os.listdir(temporary) == []


async def test_a_run_can_be_kept_and_audited_later(temporary: Path, tmp_path: Path) -> None:
    plan = Plan(
        kills=1, kinds=("stop",), rate=400, instances=2, traders=5, lease_ms=1000, out=tmp_path
    )
    report = await Drill(plan, lambda line: None).run()
    assert report.violations == []
    again = await audit_recording(tmp_path)
    assert [check.counts for check in again.checks] == [
        check.counts for check in report.audit.checks
    ]
    assert again.last == report.commands
    assert {"node-1.log", "node-2.log", "traders.log"} <= set(os.listdir(tmp_path))


async def test_a_venue_that_does_not_open_is_told(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.drill.venue.OPENING_SECONDS", 0.1)
    with pytest.raises(Unusable, match="the venue did not open: after 0 s still node-1"):
        await Drill(SMALL, lambda line: None).run()
    assert os.listdir(temporary) == []


def test_the_seed_decides_the_order_of_faults() -> None:
    plan = Plan(kills=15)
    orders = {tuple(plan.faults(random.Random(seed))) for seed in (1, 1, 2, 3)}
    assert len(orders) == 3
    for order in orders:
        # Each kind once before any comes again.
        assert sorted(order[:6]) == sorted(order[6:12]) == sorted(KINDS)
        assert len(set(order[12:])) == 3


async def test_without_a_fault_of_the_network_there_is_no_proxy(temporary: Path) -> None:
    for kinds, proxied in ((("kill", "stop", "redis"), False), (("kill", "pause"), True)):
        async with private_venue(Plan(kinds=kinds)) as venue:
            assert ("proxy.sock" in os.listdir(venue.directory)) == proxied
