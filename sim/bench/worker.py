"""A process that makes load: a job a line on standard input, its outcome a line on stdout.

Run as `python -m sim.bench.worker`; ends when its standard input closes.
"""

import asyncio
import gc
import sys

import msgspec

from sim.bench import http_load, store_load
from sim.bench.flow import Flow, make_flow
from sim.bench.folding import Folding
from sim.bench.jobs import (
    AloneJob,
    ConnectJob,
    FillsJob,
    FlowJob,
    GetJob,
    Job,
    ListenJob,
    OrdersJob,
    Outcome,
    RaceJob,
    SimJob,
    SoakJob,
    SubmitJob,
    TallyJob,
)
from sim.bench.listening import Audience
from sim.bench.sizing import Sizing
from sim.bench.soaking import soak


class Worker:
    """Does one job after the other; an audience, a flow, a fold and books stay."""

    def __init__(self) -> None:
        self._audience: Audience | None = None
        self._flow = Flow()
        self._folding: Folding | None = None
        self._sizing = Sizing()

    def work(self, job: Job) -> Outcome:
        match job:
            case GetJob():
                return asyncio.run(http_load.get(job))
            case OrdersJob():
                return asyncio.run(http_load.place(job))
            case SubmitJob():
                return asyncio.run(store_load.submit(job))
            case FillsJob():
                return asyncio.run(store_load.make_fills(job))
            case ConnectJob():
                self._audience = Audience(job)
                return self._audience.connected
            case ListenJob():
                assert self._audience is not None, "a ConnectJob comes first"
                return self._audience.listen(job)
            case FlowJob():
                return asyncio.run(make_flow(self._flow, job))
            case SoakJob():
                return asyncio.run(soak(self._flow, job))
            case TallyJob():
                if self._folding is None:
                    self._folding = Folding(job.url)
                return self._folding.tally()
            case _:
                return self._work_alone(job)

    def _work_alone(self, job: AloneJob) -> Outcome:
        """Those that need no server. Each loads what others need not."""
        match job:
            case SimJob():
                from sim.bench.simulating import simulate

                return simulate(job)
            case RaceJob():
                from sim.bench.racing import race

                return race(job)
            case _:
                return self._sizing.work(job)


def main() -> None:
    jobs: msgspec.json.Decoder[Job] = msgspec.json.Decoder(Job)
    worker = Worker()
    # A collector that looks at what the libraries left would show up in every latency.
    gc.freeze()
    for line in sys.stdin.buffer:
        outcome = worker.work(jobs.decode(line))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
