"""A replica that is copied: two of them, and neither moves the other."""

from matchbox_tui.engine import CancelOrder
from matchbox_tui.store import Replica
from tests.store.states import busy


def test_a_copy_is_the_same_and_goes_its_own_way() -> None:
    replica = Replica(busy(3), "chain", 7)
    copy = replica.copy()
    assert (copy.tip, copy.epoch) == (replica.tip, 7)
    assert copy.exchange.state_hash() == replica.exchange.state_hash()
    assert copy.exchange.next_expiry == replica.exchange.next_expiry is not None
    before = copy.exchange.state_hash()
    for order_id in list(replica.exchange.orders):
        replica.exchange.apply(CancelOrder(order_id, 1))
    assert copy.exchange.state_hash() == before
    assert copy.seq < replica.seq
