"""Many seeds, on all processors, and a failing one told so that it can be looked at again."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future

from tests.protocol.mutants import MUTANTS
from tests.protocol.run import Result, simulate, simulation
from tests.protocol.world import Parts

CHUNK = 40
"""Seeds handed to a process at once."""

TRACE_LINES = 80


def failures(pool: Executor, seeds: range, mutant: str = "") -> Iterator[Result]:
    """The seeds that fail, in order. Stop asking, and no more are run."""
    waiting: deque[Future[list[Result]]] = deque()
    try:
        for start in range(0, len(seeds), CHUNK):
            waiting.append(pool.submit(run_all, seeds[start : start + CHUNK], mutant))
            if len(waiting) > 2 * (os.cpu_count() or 1):
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def run_all(seeds: range, mutant: str = "") -> list[Result]:
    """The seeds that fail with a mutant at work, or with none."""
    with simulation():
        if not mutant:
            results = [simulate(seed) for seed in seeds]
        else:
            with MUTANTS[mutant].at_work() as parts:
                results = [simulate(seed, parts) for seed in seeds]
    return [result for result in results if result.wrong]


def told(seed: int, parts: Parts | None = None) -> str:
    """What happened in a seed, and what is wrong with it."""
    with simulation():
        result = simulate(seed, parts, trace=True)
    lines = result.trace[-TRACE_LINES:]
    if len(lines) < len(result.trace):
        lines.insert(0, f"... {len(result.trace) - len(lines)} lines before these")
    return "\n".join(
        [
            f"seed {seed}: {'; '.join(result.wrong) or 'all holds'}",
            *lines,
            f"again: MATCHBOX_SEED={seed} pytest tests/protocol/test_protocol.py",
        ]
    )
