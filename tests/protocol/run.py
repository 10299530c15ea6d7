"""Runs one seed: production instances under a schedule, then peace, then the questions."""

import asyncio
import contextlib
import gc
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.node import leader as leader_module
from matchbox_tui.node import node as node_module
from matchbox_tui.store import Client
from tests.protocol import check
from tests.protocol.loop import Process
from tests.protocol.schedule import draw
from tests.protocol.traders import Stranger, Trader
from tests.protocol.world import Errors, Parts, World

PEACE_SECONDS = 15.0
"""Virtual time, after the last fault, in which everything must be in order again."""

LOOK_SECONDS = 0.02
COLLECT_EVERY = 50


@dataclass
class Result:
    """What a run came to: `wrong` is empty where everything held."""

    seed: int
    wrong: list[str]
    trace: list[str]
    fingerprint: str


@contextlib.contextmanager
def simulation() -> Iterator[None]:
    """Around any number of runs: what instances say is not heard, and the collector is left alone.

    An instance that takes the lead has all garbage collected, which takes longer than a whole run.
    What a run leaves behind is collected after it, now and then, without what was there before.
    """
    log = logging.getLogger("matchbox_tui")
    level, propagate = log.level, log.propagate
    log.setLevel(logging.ERROR)
    log.propagate = False
    silent = logging.NullHandler()
    log.addHandler(silent)
    quiet = SimpleNamespace(collect=lambda: 0, freeze=lambda: None, unfreeze=lambda: None)
    vars(node_module)["gc"] = quiet
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        vars(node_module)["gc"] = gc
        log.removeHandler(silent)
        log.setLevel(level)
        log.propagate = propagate


def simulate(seed: int, parts: Parts | None = None, *, trace: bool = False) -> Result:
    """Runs one seed, within `simulation`."""
    lines: list[str] | None = [] if trace else None
    world = World(draw(seed), parts or Parts(), lines)
    handler = Errors(world)
    log = logging.getLogger("matchbox_tui.node")
    log.addHandler(handler)
    before = leader_module.MAX_BATCH
    leader_module.MAX_BATCH = world.schedule.max_batch
    try:
        world.loop.run_until_complete(_course(world))
    finally:
        leader_module.MAX_BATCH = before
        log.removeHandler(handler)
        world.loop.close()
        if seed % COLLECT_EVERY == 0:
            gc.collect()
    world.wrong += world.loop.errors
    return Result(seed, world.wrong, lines or [], check.fingerprint(world))


async def _course(world: World) -> None:
    for instance in world.instances:
        world.start(instance)
    trading = list(_traders(world))
    for happening in world.schedule.happenings:
        await asyncio.sleep(max(0.0, happening.at - world.loop.time()))
        world.happen(happening)
    await asyncio.sleep(max(0.0, world.schedule.seconds - world.loop.time()))
    world.make_peace()
    trading.append(world.loop.create_task(_probe(world)))
    await _settle(world, trading)
    world.wrong += check.everything(world)
    await _end(world)


def _traders(world: World) -> "Iterator[asyncio.Task[None]]":
    schedule = world.schedule
    markets = ("MAIN", *(market.symbol for market in schedule.markets))
    for n in range(schedule.traders + schedule.strangers):
        is_stranger = n >= schedule.traders
        process = Process("s0" if is_stranger else f"t{n}")
        chance = random.Random(schedule.seed * 10 + n)
        server = world.exit(process)
        client = Client(server, world.keys, process.name)
        trader = Trader(client, world.book, chance, world.now_ns, markets)
        if is_stranger:
            stranger = Stranger(server.link("s0"), world.keys, trader, world.book, chance)
            work = stranger.run(schedule.submits, schedule.seconds)
        else:
            work = trader.run(schedule.submits, schedule.seconds)
        yield world.loop.spawn(process, work)


async def _probe(world: World) -> None:
    """Two more orders, when all is well again: they are answered for, and one is a fill."""
    client = Client(world.exit(Process("probe")), world.keys)
    trader = Trader(client, world.book, world.chance, world.now_ns, ("MAIN",))
    for side, price in ((Side.SELL, 1), (Side.BUY, 1000)):
        token = world.book.next_token
        order = NewOrder(
            order_id=0,
            side=side,
            price=price,
            qty=1,
            timestamp=token,
            client_order_id=f"c{token}",
        )
        await trader.submit([order])
    await client.close()


async def _settle(world: World, trading: "list[asyncio.Task[None]]") -> None:
    until = world.loop.time() + PEACE_SECONDS
    while world.loop.time() < until:
        await asyncio.sleep(LOOK_SECONDS)
        if all(task.done() for task in trading) and not check.unsettled(world):
            return
    still = [*check.unsettled(world), *(f"{task} waits" for task in trading if not task.done())]
    world.wrong += [f"still in {PEACE_SECONDS} s of peace: {one}" for one in still]


async def _end(world: World) -> None:
    """Ends everything, now and then by the book."""
    world.over = True
    if world.schedule.ends_cleanly:
        for instance in world.instances:
            if instance.runs and instance.node is not None:
                instance.node.stop()
        await asyncio.sleep(3.0)
        world.wrong += check.ended_cleanly(world)
    for instance in world.instances:
        world.crash(instance, 1e9, seen=True)
    await asyncio.sleep(0.01)
    if not all(task.done() for task in world.killed):
        world.wrong.append("an instance runs on after it was cancelled")
