"""A process that makes load: a job a line on standard input, its outcome a line on stdout.

Run as `python -m sim.bench.worker`; ends when its standard input closes.
"""

import asyncio
import gc
import sys

import msgspec

from sim.bench import http_load, store_load
from sim.bench.jobs import FillsJob, GetJob, Job, Load, OrdersJob, SubmitJob


async def work(job: Job) -> Load:
    match job:
        case GetJob():
            return await http_load.get(job)
        case OrdersJob():
            return await http_load.place(job)
        case SubmitJob():
            return await store_load.submit(job)
        case FillsJob():
            return await store_load.make_fills(job)


def main() -> None:
    jobs: msgspec.json.Decoder[Job] = msgspec.json.Decoder(Job)
    # A collector that looks at what the libraries left would show up in every latency.
    gc.freeze()
    for line in sys.stdin.buffer:
        outcome = asyncio.run(work(jobs.decode(line)))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
