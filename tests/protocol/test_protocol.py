"""The protocol under schedules of crashes, pauses, lost and repeated messages, and rewinds.

The instances' own code runs on a virtual clock and a server in memory; see `run.py`, and
`check.py` for what is asked afterwards. Each schedule comes from a seed:

    MATCHBOX_SEEDS=20000 pytest tests/protocol/test_protocol.py    so many seeds; 500 by default
    MATCHBOX_SEED=4711 pytest tests/protocol/test_protocol.py      one of them, told when it fails

A seed is the same run on every machine, so a failing one can be looked at again.
"""

import os
import subprocess
import sys
from concurrent.futures import Executor
from itertools import islice

import pytest

from tests.protocol.many import failures, told
from tests.protocol.run import simulate, simulation

SEEDS = int(os.environ.get("MATCHBOX_SEEDS", "500"))
ONE = os.environ.get("MATCHBOX_SEED")


@pytest.mark.timeout(60 + SEEDS // 4)
def test_nothing_is_lost_doubled_or_reordered_under_any_schedule(pool: Executor) -> None:
    seeds = range(SEEDS) if ONE is None else range(int(ONE), int(ONE) + 1)
    failed = [result.seed for result in islice(failures(pool, seeds), 5)]
    assert not failed, f"seeds {failed}, and perhaps more\n{told(failed[0])}"


def _fingerprints() -> list[str]:
    with simulation():
        return [simulate(seed).fingerprint for seed in range(10)]


def test_a_seed_is_the_same_run_again_and_again() -> None:
    before = _fingerprints()
    assert len(set(before)) == len(before)
    assert _fingerprints() == before


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_a_seed_is_the_same_run_in_every_process(hash_seed: str) -> None:
    program = "from tests.protocol.test_protocol import _fingerprints; print(*_fingerprints())"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == _fingerprints()
