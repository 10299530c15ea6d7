"""A process of the pipeline's benchmark: a job a line on standard input, its outcome on stdout.

Run as `python -m sim.bench.line_worker`; ends when its standard input closes.
"""

import gc
import sys

import msgspec

from sim.bench.line_jobs import (
    AddJob,
    Done,
    LineJob,
    OriginalJob,
    PingJob,
    Produced,
    ProduceJob,
    Seen,
    SeenJob,
    WatchJob,
)
from sim.bench.original import run_original
from sim.bench.producing import Producer, add, ping
from sim.bench.watching import Watch


class LineWorker:
    """Does one job after the other; a watch goes on meanwhile."""

    def __init__(self) -> None:
        self._watch: Watch | None = None

    def work(self, job: LineJob) -> Done | Produced | Seen:
        match job:
            case ProduceJob():
                return Producer(job).run()
            case PingJob():
                return ping(job)
            case AddJob():
                return add(job)
            case OriginalJob():
                return run_original(job)
            case WatchJob():
                self._watch = Watch(job)
                return Seen([])
            case SeenJob():
                assert self._watch is not None, "a WatchJob comes first"
                return self._watch.seen(job)


def main() -> None:
    jobs: msgspec.json.Decoder[LineJob] = msgspec.json.Decoder(LineJob)
    worker = LineWorker()
    # The collector of a load generator would show up in every latency.
    gc.freeze()
    gc.disable()
    for line in sys.stdin.buffer:
        outcome = worker.work(jobs.decode(line))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
