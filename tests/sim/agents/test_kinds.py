"""What holds for every kind of agent, whatever its parameters and its market."""

import ast
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.agents
from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    CancelRejected,
    Exchange,
    Market,
    MarketStatus,
    NewOrder,
    OrderRejected,
    TradeExecuted,
)
from sim.agents import Dice, Hire, Sight, Tape
from sim.agents.kinds import KINDS, Kind
from sim.durations import DURATION
from tests.sim.agents.pit import SECOND, START

NAMES = [
    "zero-intelligence",
    "noise",
    "informed",
    "momentum",
    "market-maker",
    "slicer",
    "spoofer",
]

MOST_OPEN = {
    "zero-intelligence": 8,
    "noise": 4,
    "informed": 0,
    "momentum": 0,
    "market-maker": 10,
    "slicer": 0,
    "spoofer": 4,
}
"""How many orders an agent of each kind may have in the book with the parameters it has anyway."""

MARKETS = [
    Market.prediction("RAIN"),
    Market("FREE"),
    Market("ODD", min_price=10, max_price=90, tick=5),
    Market("SLIM", min_price=7, max_price=8),
    Market("SINGLE", min_price=3, max_price=3),
]


class Play:
    """Two agents of each kind in one market, in turn, and what became of them."""

    def __init__(self, market: Market, opening: int, values: list[int], seed: int) -> None:
        self.exchange = Exchange([market])
        self.market = market.symbol
        self.tape = Tape()
        self.now = START
        self.rejected: list[OrderRejected] = []
        self.missed: list[CancelRejected] = []
        self.most_open: dict[str, int] = dict.fromkeys(KINDS, 0)
        self._ids = 0
        self._wanted = []

        def signal(now: int) -> int:
            return values[(now - START) // SECOND % len(values)]

        for number, (name, kind) in enumerate([*KINDS.items()] * 2):
            trader = f"t{number}"
            hire = Hire(trader, self.market, Dice(seed, number), opening, signal)
            agent = kind.agent(hire, _quick(kind))
            sight = Sight(self.exchange, self.market, trader, self.tape)
            self._wanted.append((START + agent.wait(), number, name, agent, sight))

    def turn(self) -> None:
        """Whoever is next acts."""
        due, number, name, agent, sight = min(self._wanted, key=lambda one: one[:2])
        self._wanted.remove((due, number, name, agent, sight))
        self.now = sight.now = due
        for action in agent.act(sight):
            assert isinstance(action, NewOrder | CancelOrder | CancelAll)
            if isinstance(action, NewOrder):
                self._ids += 1
                assert (action.trader, action.market) == (agent.trader, self.market)
                action = msgspec.structs.replace(action, order_id=self._ids)
            for event in self.exchange.apply(msgspec.structs.replace(action, timestamp=due)):
                if isinstance(event, TradeExecuted):
                    self.tape.record(event)
                elif isinstance(event, OrderRejected):
                    self.rejected.append(event)
                elif isinstance(event, CancelRejected):
                    self.missed.append(event)
        self.most_open[name] = max(self.most_open[name], sight.open_orders)
        wait = agent.wait()
        assert wait > 0
        self._wanted.append((due + wait, number, name, agent, sight))


def _quick(kind: Kind) -> msgspec.Struct:
    """Its usual parameters; who rests for long rests for less, so that a short play sees it."""
    parameters = kind.parameters()
    return (
        msgspec.structs.replace(parameters, rest=SECOND // 2)
        if hasattr(parameters, "rest")
        else parameters
    )


def test_the_kinds_are_those_that_files_name() -> None:
    assert list(KINDS) == NAMES
    assert all(kind.name == name and kind.summary for name, kind in KINDS.items())


def test_who_abuses_the_market_is_labelled() -> None:
    spoofer = KINDS["spoofer"]
    assert "demonstration" in spoofer.summary
    assert "demonstration" in (spoofer.agent.__doc__ or "")


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_default_bounds_and_a_description_with_its_unit(name: str) -> None:
    units = ("ticks", "contracts", "per mille", "thousandths of a tick")
    kind = KINDS[name]
    info = msgspec.inspect.type_info(kind.parameters)
    assert isinstance(info, msgspec.inspect.StructType)
    assert info.forbid_unknown_fields
    assert kind.parameters() == msgspec.convert({}, kind.parameters)
    for field in info.fields:
        assert not field.required
        assert isinstance(field.type, msgspec.inspect.Metadata), field.name
        about = (field.type.extra_json_schema or {})["description"]
        assert about, field.name
        inner = field.type.type
        if isinstance(inner, msgspec.inspect.IntType):
            assert inner.ge is not None, field.name
            is_time = (field.type.extra or {}).get("unit") == DURATION
            counts = ("looks", "slices", "orders", "prices")
            assert is_time or any(unit in about for unit in (*units, *counts)), field.name
        else:
            assert isinstance(inner, msgspec.inspect.LiteralType)


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_cites_where_it_comes_from(name: str) -> None:
    agent: Callable[..., object] = KINDS[name].agent
    about = agent.__doc__ or ""
    assert "(19" in about or "(20" in about


@settings(max_examples=60, deadline=None)
@given(
    market=st.sampled_from(MARKETS),
    opening=st.integers(1, 120),
    values=st.lists(st.integers(-20, 140), min_size=1, max_size=5),
    seed=st.integers(0, 10**6),
    halts=st.lists(st.integers(0, 600), max_size=3),
)
def test_the_exchange_refuses_nothing_that_agents_send(
    market: Market, opening: int, values: list[int], seed: int, halts: list[int]
) -> None:
    """Nobody else comes between what they see and what they send, so nothing may be refused."""
    play = Play(market, opening, values, seed)
    book = play.exchange.book(market.symbol)
    for number in range(600):
        if number in halts:
            halted = book.market.status is MarketStatus.HALTED
            book.set_status(MarketStatus.OPEN if halted else MarketStatus.HALTED)
        play.turn()
    assert play.rejected == []
    assert play.missed == []
    for name, most in play.most_open.items():
        assert most <= MOST_OPEN[name], name


def test_agents_trade_and_keep_within_their_limits_for_long() -> None:
    play = Play(MARKETS[0], 50, [40, 60, 60, 50], 3)
    for _ in range(6_000):
        play.turn()
    assert play.tape.trades > 500
    assert all(most <= MOST_OPEN[name] for name, most in play.most_open.items())
    assert play.most_open["market-maker"] == 10
    assert play.most_open["spoofer"] == 4


def story(seed: int) -> str:
    play = Play(MARKETS[0], 50, [40, 60, 55], seed)
    for _ in range(1_500):
        play.turn()
    return play.exchange.state_hash()


def test_the_same_dice_tell_the_same_story_and_others_another() -> None:
    assert story(5) == story(5)
    assert story(5) != story(6)


def test_agents_use_whole_numbers_and_no_chance_or_clock_of_their_own() -> None:
    """Floating point, clocks and unseeded chance would make a run differ between machines."""
    allowed = {"first.py", "dice.py"}
    folder = Path(sim.agents.__file__).parent
    seen = 0
    for path in folder.glob("*.py"):
        if path.name in allowed:
            continue
        seen += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), path.name
            if isinstance(node, ast.BinOp):
                assert not isinstance(node.op, ast.Div), path.name
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names}
                module = getattr(node, "module", "") or ""
                assert not {module, *names} & {"random", "time", "datetime", "math"}, path.name
    assert seen > 8
