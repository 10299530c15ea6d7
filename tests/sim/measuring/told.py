"""Runs told by hand: what was sent at which time, and what the recording holds beside it."""

from collections.abc import Sequence
from typing import Any

from matchbox_tui.engine import DEFAULT_MARKET, Command, CreateMarket, Market
from matchbox_tui.store import parse_entry
from sim.audit import Verdict
from sim.measuring import Evidence, Measures, measure
from sim.recording import FaultRow, RunFacts, Sample, Trader
from tests.sim.evidence import Story

START = 1_000_000


class Day(Story):
    """A story whose commits have times, in ns since the run's start."""

    def __init__(self, *markets: str) -> None:
        super().__init__()
        self._market = markets[0] if markets else DEFAULT_MARKET
        for symbol in markets:
            self.commit(CreateMarket(Market.prediction(symbol), START))

    def at(self, time: int, side: str, price: int, qty: int = 1, **more: Any) -> None:
        """A new order in the first market, committed alone."""
        order = self.buy if side == "buy" else self.sell
        more = {"market": self._market} | more
        self.commit(order(price, qty, timestamp=START + time, **more))

    def then(self, time: int, make: type, *fields: Any) -> None:
        """Another command, whose last field is its time."""
        command: Command = make(*fields, START + time)
        self.commit(command)

    def evidence(
        self,
        end: int,
        samples: Sequence[Sample] = (),
        faults: Sequence[FaultRow] = (),
        roster: Sequence[Trader] = (),
    ) -> Evidence:
        facts = RunFacts(
            scenario="told",
            seed=1,
            virtual=True,
            start=START,
            duration=end,
            created=0,
            versions={},
        )
        return Evidence(
            facts=facts,
            journal=lambda: (parse_entry((entry.id, entry.flat)) for entry in self.entries),
            roster=roster,
            samples=samples,
            faults=faults,
            hashes=self.hashes,
            record=self.record,
        )

    def measured(
        self,
        end: int,
        audited: Verdict | None = None,
        markets: Sequence[str] = (),
        **more: Any,
    ) -> Measures:
        return measure(self.evidence(end, **more), audited, markets)


def sample(at: int, seq: int, waiting: int = 0, epoch: int = 1) -> Sample:
    return Sample(at, seq, waiting, "a", epoch)


def fault(recovered_us: int | None, at: int = 0, kind: str = "kill", refused: int = 0) -> FaultRow:
    return FaultRow(
        kind=kind,
        who="node-1",
        at=at,
        old_epoch=1,
        new_epoch=2,
        new_leader="node-2",
        recovered_us=recovered_us,
        refused=refused,
    )
