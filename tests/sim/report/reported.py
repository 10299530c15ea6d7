"""Reports of runs told by hand."""

import random
from typing import Any

from matchbox_tui.engine import Market
from sim.durations import UNITS
from sim.measuring import Measures
from sim.recording import Trader
from sim.report import Told
from sim.run_report import RunReport
from sim.scenario import (
    AnyHappening,
    Burst,
    Expectation,
    Halt,
    Kill,
    MarketPlan,
    News,
    Resume,
    Scenario,
)
from sim.verdict import judge
from tests.sim.measuring.told import Day, fault, sample

SECOND, MS = UNITS["s"], UNITS["ms"]
NASTY = '<script>alert("$x$ & more")</script>'
MARKETS = ("RAIN", "SNOW")


def day(orders: int = 600, markets: tuple[str, ...] = MARKETS) -> Day:
    """A minute of orders in some markets."""
    told, dice = Day(*markets), random.Random(5)
    for number in range(orders):
        side = dice.choice(("buy", "sell"))
        told.at(
            number * 60 * SECOND // orders,
            side,
            dice.randrange(30, 52) if side == "buy" else dice.randrange(49, 70),
            dice.randrange(1, 20),
            market=dice.choice(markets),
            trader=dice.choice(("ann", "bob", "cy")),
        )
    return told


def measured(told: Day | None = None, faults: int = 2, **more: Any) -> Measures:
    return (told or day()).measured(
        60 * SECOND,
        roster=[Trader("ann", "noise", "RAIN"), Trader("bob", "market-maker", "RAIN")],
        samples=[sample(n * 100 * MS, n, waiting=n % 9) for n in range(601)],
        faults=[
            fault(20_000 * (n + 1), at=(n + 1) * 60 * SECOND // (faults + 1)) for n in range(faults)
        ],
        **more,
    )


def told(
    measures: Measures | None = None,
    *expectations: Expectation,
    problems: tuple[str, ...] = (),
    interrupted: bool = False,
    happenings: tuple[AnyHappening, ...] = (
        Kill(at=20 * SECOND),
        News(at=10 * SECOND, market="RAIN", by=-5),
        Burst(at=30 * SECOND, market="SNOW", orders=5),
        Halt(at=40 * SECOND, market="RAIN"),
        Resume(at=50 * SECOND, market="RAIN"),
        Halt(at=500 * SECOND, market="RAIN"),
    ),
) -> Told:
    """All that a report is about, with names that nobody should trust."""
    measures = measures or measured()
    scenario = Scenario(
        name="told",
        title=NASTY,
        description=NASTY,
        duration=60 * SECOND,
        markets=(MarketPlan(market=Market.prediction("RAIN"), opening=50),),
        populations=(),
        happenings=happenings,
        expectations=expectations,
    )
    report = RunReport(
        scenario="told",
        title=NASTY,
        seed=7,
        virtual=True,
        interrupted=interrupted,
        wall_seconds=1.5,
        directory="",
        measures=measures.values,
        kinds=measures.kinds,
        audit=None,
        verdict=judge(expectations, measures.values, None, problems, interrupted=interrupted),
    )
    facts = day(0).evidence(60 * SECOND).facts
    return Told(report=report, measures=measures, facts=facts, scenario=scenario, text=NASTY)
