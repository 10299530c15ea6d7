"""The simulator catches the protocol without any one of its guards.

MATCHBOX_MUTANT_SEEDS=5000    in how many seeds a mutant must show itself
"""

import os
from concurrent.futures import Executor

import pytest

from tests.protocol.many import failures, run_all
from tests.protocol.mutants import MUTANTS, Mutant
from tests.protocol.run import Result

SEEDS = int(os.environ.get("MATCHBOX_MUTANT_SEEDS", "5000"))


def _gives_away(mutant: Mutant, result: Result) -> bool:
    return any(mutant.word in wrong for wrong in result.wrong)


@pytest.mark.timeout(60 + SEEDS // 4)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(pool: Executor, name: str) -> None:
    mutant = MUTANTS[name]
    known = range(mutant.seed, mutant.seed + 1)
    if any(_gives_away(mutant, result) for result in run_all(known, name)):
        return
    for result in failures(pool, range(SEEDS), name):
        if _gives_away(mutant, result):
            return
    pytest.fail(f"{name}: not seen in {SEEDS} seeds")


@pytest.mark.parametrize("name", MUTANTS)
def test_what_gives_a_mutant_away_is_not_there_without_it(name: str) -> None:
    seed = MUTANTS[name].seed
    assert run_all(range(seed, seed + 1)) == []
