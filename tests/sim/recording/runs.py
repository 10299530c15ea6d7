"""Runs to be recorded, made without a server."""

import random
from pathlib import Path

from matchbox_tui.engine import CancelOrder, CreateMarket, Market, Side, TimeInForce, decode_events
from sim.floor import FloorRecord
from sim.recording import RunFacts, RunWriter, Sample, Trader
from tests.sim.evidence import Story, field

START = 1_700_000_000_000_000_000
STEP = 1_000_000
"""ns from one commit of a run to the next."""

ROSTER = (Trader("ann", "noise", "RAIN"), Trader("雨", "market-maker", "RAIN"))
SCENARIO = 'name = "quiet"  # 雨\n'


def facts(**changes: object) -> RunFacts:
    told: dict[str, object] = {
        "scenario": "quiet",
        "seed": 7,
        "virtual": True,
        "start": START,
        "duration": 60_000_000_000,
        "created": START,
        "versions": {"python": "3.11"},
    }
    return RunFacts(**(told | changes))  # type: ignore[arg-type]  # as the test wants them


def traded(commits: int, seed: int = 1, hash_every: int = 50) -> Story:
    """Orders that rest, trade and are cancelled, in so many commits; the leaders change."""
    dice = random.Random(seed)
    told = Story()
    told.commit(CreateMarket(Market.prediction("RAIN"), START))
    for number in range(1, commits):
        now = START + number * STEP
        if dice.random() < 0.01:
            told.epoch += 1
        commands = []
        for _ in range(dice.randrange(1, 4)):
            side = dice.choice((Side.BUY, Side.SELL))
            middle = 48 if side is Side.BUY else 52
            tif = dice.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC))
            commands.append(
                told.order(
                    side,
                    middle + dice.randrange(-5, 6),
                    dice.randrange(1, 9),
                    market="RAIN",
                    trader=dice.choice(ROSTER).name,
                    time_in_force=tif,
                    timestamp=now,
                )
            )
        told.commit(*commands)
        if dice.random() < 0.2:
            told.commit(CancelOrder(dice.randrange(1, told.counter + 1), now))
        if number % hash_every == 0:
            told.hash("virtual", "leading")
    told.acknowledged()
    return told


def begun(directory: Path, told: Story, **changes: object) -> RunWriter:
    """A writer that was told the whole story, and not that it is over."""
    writer = RunWriter(directory, facts(**changes), SCENARIO, ROSTER)
    for entry in told.entries:
        writer.entry(entry)
    for fill in told.fills:
        writer.fill(fill)
    for one in told.hashes:
        writer.hash(one)
    seq = int(told.entries[-1].id.partition(b"-")[0])
    last = decode_events(field(told.entries[-1], b"b"))[-1].timestamp - START
    writer.sample(Sample(0, 0, 0, "", 0))
    writer.sample(Sample(max(last, 0), seq, 3, "a", told.epoch))
    return writer


def recorded(directory: Path, told: Story, **changes: object) -> Path:
    """The whole story, as a run that ended well."""
    writer = begun(directory, told, **changes)
    writer.finish(told.last_moment(), told.record or FloorRecord(), told.queue)
    return directory
