"""The model: what the journal makes of it."""

from matchbox_tui.engine import (
    CancelOrder,
    NewOrder,
    Reason,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from matchbox_tui.store import ClusterStatus
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.intents import QUIET_POLLS, Intent, Standing
from matchbox_tui.tui.model import Model
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.twins import Asked
from tests.tui.cockpit import TRADER, desk_on, fold, hand_of
from tests.tui.venue import LocalVenue


def words(model: Model) -> list[str]:
    return [notice.words for notice in model.notices if notice.tone is not Tone.TWIN]


def send(desk: Desk, venue: LocalVenue, side: Side, price: int, qty: int = 10) -> None:
    """Sends an order as the keys do, and folds what came of it."""
    desk.settle_view(17, 44)
    assert desk.gaze is not None
    desk.gaze.go(price)
    hand = hand_of(desk)
    hand.order(side)
    for digit in str(qty):
        desk.put(desk.ticket.digit(digit))
    ((_, command),) = hand.enter()
    commit(desk, venue, command)


def commit(desk: Desk, venue: LocalVenue, command: Asked) -> None:
    if isinstance(command, NewOrder):
        from tests.tui.venue import numbered_as

        venue._ids += 1
        command = numbered_as(command, venue._ids)
    venue.commit([command])
    fold(desk.model, venue)


def test_an_order_is_open_until_the_journal_tells() -> None:
    venue = LocalVenue()
    desk = desk_on(venue)
    desk.settle_view(17, 44)
    hand = hand_of(desk)
    hand.order(Side.BUY)
    ((_, command),) = hand.enter()
    assert len(desk.model.intents) == 1
    commit(desk, venue, command)
    assert len(desk.model.intents) == 0


def test_what_became_of_an_order_is_told_in_words() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 4, 51)
    venue.order(Side.SELL, 4, 52)
    desk = desk_on(venue)
    send(desk, venue, Side.BUY, 52, 10)
    send(desk, venue, Side.BUY, 40, 5)
    venue.order(Side.SELL, 1, 52)
    fold(desk.model, venue)
    assert words(desk.model) == [
        "#3 bought 8 @ 51.50, 2 rest at 52",
        "#4 buy 5 @ 40 rests",
        "#3 bought 1 @ 52, 1 left",
    ]


def test_a_rejection_says_why() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 4, 51)
    desk = desk_on(venue)
    order = NewOrder(
        order_id=90, market="RAIN", side=Side.BUY, price=51, qty=1, trader=TRADER, post_only=True
    )
    venue.commit([order])
    fold(desk.model, venue)
    notice = desk.model.notices[-1]
    assert notice.tone is Tone.ALARM
    assert notice.words == (
        "rejected: buy 1 @ 51 post-only: post_only order would have traded at once"
    )


def test_the_rest_of_an_ioc_is_told() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 4, 51)
    desk = desk_on(venue)
    order = NewOrder(
        order_id=90,
        market="RAIN",
        side=Side.BUY,
        price=51,
        qty=10,
        trader=TRADER,
        time_in_force=TimeInForce.IOC,
    )
    venue.commit([order])
    fold(desk.model, venue)
    assert words(desk.model) == ["#90 bought 4 @ 51, 6 ended: what was left of an immediate order"]


def test_a_cancel_that_comes_too_late_is_told() -> None:
    venue = LocalVenue()
    mine = venue.order(Side.SELL, 4, 51, TRADER)
    desk = desk_on(venue)
    desk.settle_view(17, 44)
    desk.move_to_best(Side.SELL)
    (request,) = hand_of(desk).cancel()
    venue.order(Side.BUY, 4, 51)
    fold(desk.model, venue)
    assert len(desk.model.intents) == 0, "filled to the end, so the cancel is void"
    desk.model.asked(request[0])
    commit(desk, venue, request[1])
    assert desk.model.notices[-1].words == (
        f"rejected: cancel #{mine} sell 4 @ 51: no open order has this id"
    )


def test_cancel_all_is_settled_by_its_last_cancel() -> None:
    venue = LocalVenue()
    for price in (52, 53, 54):
        venue.order(Side.SELL, 4, price, TRADER)
    desk = desk_on(venue)
    (request,) = hand_of(desk).cancel_all()
    assert len(desk.model.intents) == 1
    commit(desk, venue, request[1])
    assert len(desk.model.intents) == 0
    assert desk.orders == []


def test_orders_of_others_say_nothing() -> None:
    venue = LocalVenue()
    desk = desk_on(venue)
    number = venue.order(Side.SELL, 4, 51)
    venue.order(Side.BUY, 4, 51, "grace")
    venue.commit([CancelOrder(number, 0)])
    fold(desk.model, venue)
    assert words(desk.model) == []


def test_an_intent_in_doubt_ends_when_an_empty_queue_shows_no_trace_of_it() -> None:
    venue = LocalVenue()
    desk = desk_on(venue)
    model = desk.model
    model.asked(Intent("k", "RAIN", "buy 10 @ 50", order_id=0))
    quiet = ClusterStatus("node-2", 7, venue.exchange.seq, 0, ())
    for _ in range(QUIET_POLLS + 1):
        model.observed(quiet, venue.time)
    assert len(model.intents) == 1, "still being sent"
    model.intents.stands("k", Standing.DOUBT)
    busy = ClusterStatus("node-2", 7, venue.exchange.seq, 3, ())
    for _ in range(QUIET_POLLS + 1):
        model.observed(busy, venue.time)
    assert len(model.intents) == 1, "it may wait in the queue"
    for _ in range(QUIET_POLLS):
        model.observed(quiet, venue.time)
    assert len(model.intents) == 0
    assert words(model) == ["no trace of it in the journal: buy 10 @ 50"]


def test_profit_is_marked_to_the_last_trade_else_to_the_mid() -> None:
    venue = LocalVenue()
    desk = desk_on(venue)
    assert desk.model.mark("RAIN") is None
    venue.order(Side.BUY, 1, 48)
    venue.order(Side.SELL, 9, 51)
    fold(desk.model, venue)
    assert desk.model.mark("RAIN") == 99
    venue.order(Side.BUY, 1, 51)
    fold(desk.model, venue)
    assert desk.model.mark("RAIN") == 102


def test_without_a_choice_the_first_lively_market_is_shown() -> None:
    venue = LocalVenue()
    assert desk_on(venue, market=None).symbol == "RAIN"
    assert desk_on(LocalVenue(()), market=None).symbol == "MAIN"


def test_a_market_that_comes_to_life_takes_nobody_away_from_another() -> None:
    venue = LocalVenue()
    for caught_up in (False, True):
        desk = desk_on(venue, market=None)
        if caught_up:
            quiet = ClusterStatus("node-2", 7, venue.exchange.seq, 0, ())
            desk.model.observed(quiet, venue.time)
        desk.settle_view(17, 44)
        if not caught_up:
            hand_of(desk).order(Side.BUY)
        assert desk.symbol == "RAIN"
        venue.order(Side.BUY, 3, 7, market="MAIN")
        fold(desk.model, venue)
        assert desk.symbol == "RAIN"
        venue = LocalVenue()


def test_a_maker_ended_by_self_trade_prevention_leaves_the_taker_its_fills() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 4, 51)
    mine = venue.order(Side.SELL, 5, 51, TRADER)
    desk = desk_on(venue)
    order = NewOrder(
        order_id=90,
        market="RAIN",
        side=Side.BUY,
        price=51,
        qty=10,
        trader=TRADER,
        self_trade_prevention=SelfTradePrevention.CANCEL_MAKER,
    )
    before = len(desk.model.notices)
    venue.commit([order])
    fold(desk.model, venue)
    assert words(desk.model)[before:] == [
        f"#{mine} cancelled: sell 5 @ 51, 5 unfilled, {Reason.SELF_TRADE.words}",
        "#90 bought 4 @ 51, 6 rest at 51",
    ]


def test_a_replaced_order_is_told_with_its_new_terms() -> None:
    venue = LocalVenue()
    mine = venue.order(Side.SELL, 5, 53, TRADER)
    desk = desk_on(venue)
    venue.order(Side.BUY, 3, 51)
    venue.commit([ReplaceOrder(order_id=mine, price=51, qty=8, timestamp=venue.time)])
    venue.commit([CancelOrder(mine, venue.time)])
    fold(desk.model, venue)
    assert words(desk.model)[-2:] == [
        f"#{mine} sold 3 @ 51, 5 rest at 51",
        f"#{mine} cancelled: sell 8 @ 51, 5 unfilled",
    ]
