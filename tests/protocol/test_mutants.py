"""The simulator catches the protocol without any one of its guards.

MATCHBOX_MUTANT_SEEDS=5000    in how many seeds a mutant must show itself
"""

import os
from concurrent.futures import Executor

import pytest

from tests.protocol.many import failures
from tests.protocol.mutants import MUTANTS

SEEDS = int(os.environ.get("MATCHBOX_MUTANT_SEEDS", "5000"))


@pytest.mark.timeout(60 + SEEDS // 4)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(pool: Executor, name: str) -> None:
    word = MUTANTS[name].word
    for result in failures(pool, range(SEEDS), name):
        if any(word in wrong for wrong in result.wrong):
            return
    pytest.fail(f"{name}: not seen in {SEEDS} seeds")
