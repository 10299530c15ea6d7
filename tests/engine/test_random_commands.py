"""Thousands of seeded random commands: against the naive model, and against replay."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matchbox_tui.engine import Event, Exchange, Reason
from sim.naive import NaiveExchange
from tests.engine import workload
from tests.engine.build import kinds
from tests.engine.ledger import Ledger, check
from tests.engine.workload import MARKETS, Workload


@pytest.mark.parametrize(("ids", "depth"), [(60, 0), (400, 0), (2000, 12)])
@pytest.mark.parametrize("seed", range(6))
def test_random_commands_give_the_events_of_the_naive_model(
    seed: int, ids: int, depth: int
) -> None:
    exchange, naive, ledger = Exchange(MARKETS), NaiveExchange(MARKETS), Ledger()
    journal: list[Event] = []
    standby, followed = Exchange(MARKETS), 0
    for n, command in enumerate(Workload(seed, ids, depth).commands(6000)):
        events = exchange.apply(command)
        assert events == naive.apply(command), command
        ledger.read(events)
        journal.extend(events)
        if n % 100 == 0:
            check(exchange, ledger)
            standby.replay(journal[followed:])
            followed = len(journal)
            assert standby.state_hash() == exchange.state_hash()
            if n % 1000 == 0:
                standby = Exchange.load(standby.dump())


def test_the_random_commands_reach_every_kind_of_event_and_every_reason() -> None:
    exchange = Exchange(MARKETS)
    events = [e for s in range(4) for c in Workload(s).commands(4000) for e in exchange.apply(c)]
    assert len(set(kinds(events))) == 12
    reached = {event.reason for event in events if hasattr(event, "reason")}
    assert reached == set(Reason)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_commands_give_the_same_bytes_in_any_process(seed: int) -> None:
    answers = set()
    for hash_seed in ("0", "1", "4242"):
        root = Path(workload.__file__).parents[2]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, workload.__file__, str(seed), "3000"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answers.add(done.stdout)
    assert len(answers) == 1
    assert len(answers.pop().split()) == 2
