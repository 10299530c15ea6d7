"""Load without the gateway: the store's own clients."""

import asyncio
import time
from collections.abc import Sequence

from matchbox_tui.engine import NewOrder
from matchbox_tui.store import Client, Overloaded
from sim.bench.figures import latency
from sim.bench.jobs import FillsJob, Load, SubmitJob
from sim.bench.orders import make_orders, make_pairs

REFUSED_SECONDS = 0.05
STEP_SECONDS = 0.01
"""Fills are asked for in steps of this; each makes those that are due."""


async def submit(job: SubmitJob) -> Load:
    """Does the job. Raises `StoreError` where the server can't be used."""
    clients = [await Client.connect(job.url, name="bench") for _ in range(job.connections)]
    times: list[int] = []
    refused = 0

    async def keep_submitting(client: Client, orders: Sequence[NewOrder]) -> None:
        nonlocal refused
        while (sent := time.perf_counter_ns()) < until and len(times) * job.batch < job.most:
            try:
                await client.submit(orders)
            except Overloaded:
                refused += 1
                await asyncio.sleep(REFUSED_SECONDS)
            else:
                times.append(time.perf_counter_ns() - sent)

    try:
        batches = [make_orders(job.batch, job.seed + n) for n in range(job.connections)]
        began = time.perf_counter_ns()
        until = began + int(job.seconds * 1e9)
        await asyncio.gather(*map(keep_submitting, clients, batches))
        took = time.perf_counter_ns() - began
    finally:
        for client in clients:
            await client.close()
    return Load(len(times), len(times) * job.batch, took / 1e9, latency(times), refused)


async def make_fills(job: FillsJob) -> Load:
    """Does the job: as many fills by now as are due by now. `requests` counts the fills."""
    client = await Client.connect(job.url, name="bench")
    total = round(job.rate * job.seconds)
    made = 0
    times: list[int] = []
    try:
        began = time.perf_counter()
        while made < total:
            due = min(int((time.perf_counter() - began) * job.rate), total)
            # A submit carries up to 1000 orders, and a fill takes two.
            for start in range(made, due, 500):
                count = min(500, due - start)
                sent = time.perf_counter_ns()
                await client.submit(make_pairs(count))
                times.append(time.perf_counter_ns() - sent)
            made = due
            await asyncio.sleep(STEP_SECONDS)
        took = time.perf_counter() - began
    finally:
        await client.close()
    return Load(made, 2 * made, took, latency(times))
