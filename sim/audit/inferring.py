"""Which command a group of events answers: the journal holds what happened, not what was asked."""

import re

import msgspec

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    CancelRejected,
    Command,
    CreateMarket,
    Event,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    ResumeMarket,
    decode_command,
)
from matchbox_tui.engine.commands import MALFORMED_KEPT
from sim.naive import NaiveExchange

NOBODY = "\0nobody"
"""A trader who has no orders: a cancel-all that found none doesn't say whose it was."""

# A new order as SUBMIT writes it; a rejection of one that is too long keeps its beginning.
_ID = re.compile(r'\{"id":(\d{1,16}),')


class Inferred(msgspec.Struct, frozen=True):
    """A command that must have these events, if the model agrees.

    Where it is not `whole`, the events don't tell enough of it: the reason of its refusal is
    taken as said, and only the rest is checked.
    """

    command: Command
    whole: bool = True


def infer(events: list[Event], model: NaiveExchange) -> Inferred | None:
    """The command of one group of events; None where no command begins with such an event.

    `model` is where the exchange stood before it.
    """
    first = events[0]
    match first:
        case OrderAccepted():
            return Inferred(first.order)
        case OrderRejected():
            return _rejected(first)
        case OrderReplaced():
            return Inferred(
                ReplaceOrder(
                    order_id=first.order_id,
                    qty=first.qty,
                    price=first.price,
                    timestamp=first.timestamp,
                )
            )
        case OrderCancelled():
            return _cancelled(first, events, model)
        case OrderExpired():
            return Inferred(ExpireOrders(first.timestamp))
        case CancelRejected():
            return _cancel_rejected(first)
        case ReplaceRejected():
            return _replace_rejected(first)
        case MarketCreated():
            return Inferred(CreateMarket(first.definition, first.timestamp))
        case MarketHalted():
            return Inferred(HaltMarket(first.market, first.timestamp))
        case MarketResumed():
            return Inferred(ResumeMarket(first.market, first.timestamp))
        case _:
            return None


def outcome_id(event: Event) -> int | None:
    """The id of the new order of which this is the first outcome; None where it is none."""
    match event:
        case OrderAccepted():
            return event.order_id
        case OrderRejected(order=NewOrder()) if event.order_id > 0:
            return event.order_id
        case OrderRejected(reason=Reason.MALFORMED) if event.order_id > 0:
            return event.order_id
        case OrderRejected(reason=Reason.MALFORMED):
            told = _ID.match(event.raw)
            return int(told[1]) if told else None
        case _:
            return None


def _rejected(event: OrderRejected) -> Inferred | None:
    if event.order is not None:
        return Inferred(event.order)
    match event.reason:
        case Reason.MALFORMED:
            return _malformed(event)
        case Reason.MARKET_EXISTS:
            return Inferred(CreateMarket(Market(event.market), event.timestamp))
        case Reason.INVALID_MARKET:
            return Inferred(CreateMarket(Market(""), event.timestamp), whole=False)
        case Reason.UNKNOWN_MARKET:
            return Inferred(HaltMarket(event.market, event.timestamp))
        case _:
            return None


def _malformed(event: OrderRejected) -> Inferred:
    raw = event.raw.encode("utf-8", "surrogatepass")
    whole = len(raw) < MALFORMED_KEPT
    if whole:
        # All of it was kept, so a good order that was refused shows itself.
        command = decode_command(raw)
        if isinstance(command, NewOrder):
            return Inferred(command)
    return Inferred(Malformed(event.raw, event.order_id, event.timestamp), whole)


def _cancelled(event: OrderCancelled, events: list[Event], model: NaiveExchange) -> Inferred | None:
    found = model.find(event.order_id)
    if event.reason is Reason.REPLACED_BELOW_FILLED:
        # Any total that was filled already cancels the rest; the event doesn't tell which.
        filled = found[1].filled if found is not None else 0
        return Inferred(
            ReplaceOrder(order_id=event.order_id, qty=filled, timestamp=event.timestamp)
        )
    if event.reason is not Reason.REQUESTED:
        return None
    if len(events) == 1 or found is None:
        return Inferred(CancelOrder(event.order_id, event.timestamp))
    markets = {one.market for one in events}
    market = event.market if len(markets) == 1 else None
    return Inferred(CancelAll(found[1].asked.trader, market, event.timestamp))


def _cancel_rejected(event: CancelRejected) -> Inferred | None:
    match event.reason:
        case Reason.UNKNOWN_ORDER:
            return Inferred(CancelOrder(event.order_id, event.timestamp))
        case Reason.UNKNOWN_MARKET:
            return Inferred(CancelAll(NOBODY, event.market, event.timestamp))
        case Reason.NOTHING_TO_CANCEL:
            market = event.market or None
            return Inferred(CancelAll(NOBODY, market, event.timestamp), whole=False)
        case Reason.NOTHING_DUE:
            return Inferred(ExpireOrders(event.timestamp))
        case _:
            return None


def _replace_rejected(event: ReplaceRejected) -> Inferred:
    command = ReplaceOrder(
        order_id=event.order_id, qty=event.qty, price=event.price, timestamp=event.timestamp
    )
    told = event.qty is not None or event.price is not None
    bare = event.reason in (Reason.NOTHING_TO_REPLACE, Reason.UNKNOWN_ORDER)
    # An older journal has the reason only.
    return Inferred(command, whole=told or bare)
