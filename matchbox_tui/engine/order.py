"""An order with what is left of it, and the queue in which it rests."""

from matchbox_tui.engine.commands import NewOrder
from matchbox_tui.engine.values import (
    DEFAULT_MARKET,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)


class Order:
    """An order in or on its way to a book: qty = leaves_qty + cum_qty, always.

    What never changes stays in the message it came with; only price, qty and leaves can change.
    `level`, `prev` and `next` belong to the level in which it rests.
    """

    __slots__ = ("id", "leaves_qty", "level", "message", "next", "prev", "price", "qty")

    def __init__(
        self,
        message: NewOrder | None = None,
        *,
        id: int = 0,
        side: Side = Side.BUY,
        price: int = 0,
        qty: int = 0,
        timestamp: int = 0,
        market: str = DEFAULT_MARKET,
        type: OrderType = OrderType.LIMIT,
        time_in_force: TimeInForce = TimeInForce.GTC,
        trader: str = "",
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_TAKER,
    ) -> None:
        if message is None:
            # A plain "buy" equals Side.BUY but is not the same object, which matching asks for.
            message = NewOrder(
                order_id=id,
                market=market,
                side=Side(side),
                type=OrderType(type),
                price=price,
                qty=qty,
                timestamp=timestamp,
                trader=trader,
                time_in_force=TimeInForce(time_in_force),
                self_trade_prevention=SelfTradePrevention(self_trade_prevention),
            )
        self.message = message
        self.id = message.order_id
        self.price = message.price
        self.qty = message.qty
        self.leaves_qty = message.qty
        self.level: Level | None = None
        self.prev: Order | None = None
        self.next: Order | None = None

    def amend(self, qty: int, leaves_qty: int) -> None:
        """Changes the quantities of a resting order, which keeps its place. O(1)."""
        if self.level is not None:
            self.level.qty += leaves_qty - self.leaves_qty
        self.qty = qty
        self.leaves_qty = leaves_qty

    @property
    def cum_qty(self) -> int:
        return self.qty - self.leaves_qty

    @property
    def market(self) -> str:
        return self.message.market

    @property
    def side(self) -> Side:
        return self.message.side

    @property
    def type(self) -> OrderType:
        return self.message.type

    @property
    def time_in_force(self) -> TimeInForce:
        return self.message.time_in_force

    @property
    def expires_at(self) -> int:
        return self.message.expires_at

    @property
    def post_only(self) -> bool:
        return self.message.post_only

    @property
    def reduce_only(self) -> bool:
        return self.message.reduce_only

    @property
    def trader(self) -> str:
        return self.message.trader

    @property
    def client_order_id(self) -> str:
        return self.message.client_order_id

    @property
    def self_trade_prevention(self) -> SelfTradePrevention:
        return self.message.self_trade_prevention

    @property
    def timestamp(self) -> int:
        return self.message.timestamp

    def __repr__(self) -> str:
        return (
            f"Order(id={self.id}, {self.side.value} {self.qty} @ {self.price}"
            f" {self.market}, leaves={self.leaves_qty})"
        )


class Unmade(Order):
    """An order as it is allocated: a constructor in Python takes several times as long.

    All that an exchange makes are of this one class: then the interpreter reads their fields fast.
    """

    __slots__ = ()

    __init__ = object.__init__


def order_of(message: NewOrder) -> Order:
    """The order of a message, of which nothing is filled."""
    order: Order = Unmade()
    order.message = message
    order.id = message.order_id
    order.price = message.price
    order.qty = message.qty
    order.leaves_qty = message.qty
    order.level = order.prev = order.next = None
    return order


class Level:
    """One price: a doubly linked queue of orders, first come first, and their total.

    The links live in the orders themselves, so `OrderBook` adds and removes in O(1), there are no
    tombstones for anybody to step over, and a level costs the same with one order as with fifty
    thousand. A level in a book has an order at least; one that lost its last has no head.
    """

    __slots__ = ("head", "price", "qty", "tail")

    price: int
    qty: int
    head: Order | None
    tail: Order
