"""A producer for a soak: evenly, as long as the engine takes it, and never much more than that."""

import asyncio
import time

from matchbox_tui.engine import NewOrder
from matchbox_tui.store import Client
from sim.bench.figures import latency
from sim.bench.flow import Flow
from sim.bench.jobs import Load, SoakJob

EVENTS = 1000
"""That the commands of one call make, about."""

MOST_WAITING = 20_000
"""Commands that wait: more of them would only make the server big."""

LOOK_EVERY = 20
"""Calls between two looks at how many wait."""

PAUSE_SECONDS = 0.02
PAUSES = 500
"""That are made for an engine that does nothing, which others will notice."""


async def soak(flow: Flow, job: SoakJob) -> Load:
    """Does the job. Raises `StoreError`."""
    client = await Client.connect(job.url, name="bench")
    orders = calls = 0
    times: list[int] = []
    wrong: list[str] = []
    began = time.perf_counter()
    try:
        while orders < job.orders and not wrong:
            commands, _ = flow.take(EVENTS)
            expected = [
                command.order_id if isinstance(command, NewOrder) else 0 for command in commands
            ]
            sent = time.perf_counter_ns()
            numbers = await client.submit(commands)
            times.append(time.perf_counter_ns() - sent)
            if numbers != expected:
                wrong.append(f"orders got the ids {numbers[:3]}..., not {expected[:3]}...")
            orders += sum(map(bool, numbers))
            calls += 1
            early = orders / job.rate - (time.perf_counter() - began)
            if early > 0:
                await asyncio.sleep(early)
            if calls % LOOK_EVERY == 0:
                await _let_them_work(client)
    finally:
        await client.close()
    return Load(calls, orders, time.perf_counter() - began, latency(times), wrong=wrong)


async def _let_them_work(client: Client) -> None:
    waiting = (await client.cluster()).queue_depth
    for _ in range(PAUSES):
        if waiting <= MOST_WAITING:
            return
        await asyncio.sleep(PAUSE_SECONDS)
        waiting = (await client.cluster()).queue_depth
