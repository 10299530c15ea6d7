"""Places in the queue: counted once, and right ever after."""

from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import CancelOrder, NewOrder, Order, ReplaceOrder, Side
from matchbox_tui.store import Replica
from matchbox_tui.tui.queues import Queues
from matchbox_tui.tui.watch import Watch, WatchedReplica
from tests.tui.commands import Command, commands
from tests.tui.venue import RAIN, LocalVenue


class Follower:
    """A replica of a venue, watched."""

    def __init__(self, venue: LocalVenue) -> None:
        self.venue = venue
        self.watch = Watch()
        self.replica = WatchedReplica(Replica(), self.watch)
        self.catch_up()

    @property
    def queues(self) -> Queues:
        return self.watch.queues

    def catch_up(self) -> None:
        for entry in self.venue.entries:
            if entry.seq > self.replica.seq:
                self.replica.apply(entry)
        self.watch.look(self.replica.exchange.books["RAIN"], self.replica.seq)

    def commit(self, *asked: Command) -> None:
        self.venue.commit(asked)
        self.catch_up()

    def order(self, order_id: int) -> Order:
        order = self.replica.exchange.books["RAIN"].order(order_id)
        assert order is not None
        return order


@given(commands(highest=3), st.lists(st.integers(1, 4), min_size=1))
def test_the_place_is_that_of_a_walk_through_the_queue(
    asked: list[Command], batches: list[int]
) -> None:
    follower = Follower(LocalVenue((RAIN,)))
    book = follower.replica.exchange.books["RAIN"]
    while asked:
        batch = asked[: batches[0]]
        asked, batches = asked[len(batch) :], [*batches[1:], batches[0]]
        follower.commit(*batch)
        first: dict[tuple[Side, int], Order] = {}
        for order in book.by_trader.get("ada", {}).values():
            first.setdefault((order.side, order.price), order)
        follower.queues.keep(first.keys())
        for order in first.values():
            assert follower.queues.ahead(order) == book.queue_ahead(order.id)


def queue(qty: int, count: int) -> Follower:
    """Strangers with ids from 1 on, all at 50."""
    follower = Follower(LocalVenue((RAIN,)))
    follower.commit(
        *(
            NewOrder(order_id=number, market="RAIN", side=Side.BUY, price=50, qty=qty)
            for number in range(1, count + 1)
        )
    )
    return follower


def mine(order_id: int) -> NewOrder:
    return NewOrder(order_id=order_id, market="RAIN", side=Side.BUY, price=50, qty=7, trader="ada")


def test_a_long_queue_is_walked_once() -> None:
    follower = queue(2, 500)
    follower.commit(mine(900))
    order = follower.order(900)
    assert follower.queues.ahead(order) == 1000
    order.prev = None  # A second walk would see nobody ahead.
    follower.commit(CancelOrder(17, 0))
    follower.commit(ReplaceOrder(order_id=18, qty=1, price=None, timestamp=0))
    follower.commit(ReplaceOrder(order_id=19, qty=9, price=None, timestamp=0))
    taker = NewOrder(order_id=901, market="RAIN", side=Side.SELL, price=50, qty=5)
    follower.commit(taker)
    assert follower.queues.ahead(order) == 1000 - 2 - 1 - 2 - 5


def test_an_order_that_lost_its_place_is_counted_anew() -> None:
    follower = queue(2, 3)
    follower.commit(mine(900))
    assert follower.queues.ahead(follower.order(900)) == 6
    follower.commit(NewOrder(order_id=901, market="RAIN", side=Side.BUY, price=50, qty=4))
    follower.commit(ReplaceOrder(order_id=900, qty=20, price=None, timestamp=0))
    assert follower.queues.ahead(follower.order(900)) == 10


def test_an_id_that_is_used_again_is_another_order() -> None:
    follower = queue(2, 3)
    follower.commit(mine(900))
    assert follower.queues.ahead(follower.order(900)) == 6
    taker = NewOrder(order_id=901, market="RAIN", side=Side.SELL, price=50, qty=13)
    follower.commit(taker)
    follower.commit(NewOrder(order_id=1, market="RAIN", side=Side.BUY, price=50, qty=30))
    follower.commit(mine(900))
    assert follower.queues.ahead(follower.order(900)) == 30


def test_what_is_no_longer_shown_is_forgotten() -> None:
    follower = queue(2, 3)
    follower.commit(mine(900))
    follower.queues.ahead(follower.order(900))
    follower.queues.keep(set())
    assert not follower.queues._lines
    assert not follower.queues._line_of
