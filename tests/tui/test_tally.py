"""Which ids were lost or doubled by a failover: those that the venue gave out, and strangers'."""

from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.store import ID_MARGIN, Client, ClusterStatus, Entry
from matchbox_tui.tui.tally import Tally
from tests.tui.venue import RAIN, LocalVenue


class Journal:
    """A journal around a fault, and a tally that reads it. `given` is the id counter."""

    def __init__(self, *before: int, given: int = 0, settled: int = 0) -> None:
        self.venue = LocalVenue((RAIN,))
        self.given = given or max(before, default=0)
        recent = [self.entry(*before)] if before else []
        self.tally = Tally(recent, settled, self.given)

    def entry(self, *ids: int, price: int = 40) -> Entry:
        orders = [
            NewOrder(order_id=n, market="RAIN", side=Side.BUY, price=price, qty=1, timestamp=n)
            for n in ids
        ]
        self.venue.commit(orders)
        return self.venue.entries[-1]

    def told(self, *ids: int, over: bool = True, price: int = 40) -> None:
        """The journal tells of orders, of which those of the venue were given out before."""
        self.tally.folded(self.entry(*ids, price=price), over=over)

    def look(self, given: int = 0, waits: int = 0) -> None:
        self.given = given or self.given
        seq = self.venue.exchange.seq
        self.tally.looked(ClusterStatus("node-3", 8, seq, waits, (), self.given))

    @property
    def score(self) -> tuple[int, int, int]:
        return self.tally.orders, self.tally.lost, self.tally.doubled


def test_orders_that_come_one_by_one_are_neither_lost_nor_doubled() -> None:
    journal = Journal(8, 9)
    journal.told(10, over=False)
    journal.told(11, 12)
    journal.look(given=12)
    journal.told(13)
    journal.look(given=13)
    assert journal.score == (4, 0, 0)


def test_an_id_that_the_journal_went_past_is_lost() -> None:
    journal = Journal(8, given=12)
    journal.told(9, 12)
    assert journal.score == (2, 2, 0)


def test_an_id_that_comes_late_is_lost_no_more() -> None:
    journal = Journal(8, given=12)
    journal.told(9, 12)
    journal.told(11)
    journal.told(10)
    assert journal.score == (4, 0, 0)


def test_the_last_order_is_lost_where_nothing_waits_and_nobody_tells_of_it() -> None:
    journal = Journal(8, given=9)
    journal.look(waits=1)
    assert journal.score == (0, 0, 0)
    journal.look()
    assert journal.score == (0, 1, 0)


def test_what_is_in_the_journal_and_not_yet_read_is_not_lost() -> None:
    journal = Journal(8, given=9)
    late = journal.entry(9)
    journal.look()
    assert journal.score == (0, 0, 0)
    journal.tally.folded(late, over=True)
    journal.look()
    assert journal.score == (1, 0, 0)


def test_what_was_committed_before_and_comes_again_is_doubled() -> None:
    journal = Journal(7, 8, 9)
    journal.told(8, 9)
    journal.told(10)
    assert journal.score == (3, 0, 2)


def test_what_is_doubled_is_counted_also_where_its_ids_were_given_out_since_the_last_look() -> None:
    journal = Journal(8, 9, 10, given=8)
    journal.told(8, 9, 10)
    journal.look(given=10)
    assert journal.score == (3, 0, 3)


def test_what_comes_twice_after_the_fault_was_queued_twice() -> None:
    journal = Journal(9, given=10)
    journal.told(10, 10)
    assert journal.score == (2, 0, 0)


def test_another_order_under_a_used_id_is_no_double() -> None:
    journal = Journal(9)
    journal.told(9, price=41)
    assert journal.score == (1, 0, 0)


def test_a_stranger_s_id_that_is_used_on_and_on_is_no_double() -> None:
    journal = Journal(1, 8, 1, 9, given=9)
    journal.told(1, over=False)
    journal.told(1, 10)
    journal.look(given=10)
    assert journal.score == (3, 0, 0)


def test_a_stranger_s_high_id_makes_nothing_lost_and_hides_nothing() -> None:
    journal = Journal(8, 70_000_000, 9, given=9)
    journal.told(70_000_000, over=False)
    journal.told(10)
    for _ in range(3):
        journal.look(given=10)
    assert journal.score == (2, 0, 0)
    journal.told(12)
    journal.look(given=12)
    assert journal.score == (3, 1, 0), "11 is missing, whatever a stranger did"


def test_a_counter_that_is_moved_on_leaves_no_lost_ids_behind() -> None:
    journal = Journal(8, given=10)
    journal.look(given=70_000_000 + ID_MARGIN, waits=2)
    journal.told(9, 10)
    journal.told(70_000_005)
    journal.look(given=70_000_003 + ID_MARGIN, waits=2)
    journal.told(70_000_001 + ID_MARGIN, 70_000_003 + ID_MARGIN)
    assert journal.score == (5, 1, 0), "only 70_000_002 + ID_MARGIN is missing"


def test_what_was_lost_before_the_counter_was_moved_on_is_still_lost() -> None:
    journal = Journal(8, given=10)
    journal.look(given=70_000_000 + ID_MARGIN, waits=1)
    journal.told(9)
    journal.look()
    assert journal.score == (1, 1, 0)


def test_ids_that_were_given_out_since_the_last_look_wait_for_the_next() -> None:
    journal = Journal(8)
    journal.told(9, over=False)
    journal.told(9, 11)
    assert journal.score == (3, 0, 0)
    journal.look(given=8)
    journal.look(given=11)
    assert journal.score == (3, 1, 1)


def test_entries_that_are_read_again_count_once() -> None:
    journal = Journal(8)
    journal.told(9)
    journal.tally.folded(journal.venue.entries[-1], over=True)
    assert journal.score == (1, 0, 0)


def test_before_any_order_was_seen_the_first_look_at_rest_tells_where_ids_begin() -> None:
    unknown = Journal(given=500)
    unknown.told(490)
    assert unknown.score == (1, 0, 0)
    known = Journal(given=500, settled=488)
    known.told(490)
    assert known.score == (1, 1, 0)


async def test_the_id_counter_is_read_with_the_rest(client: Client) -> None:
    assert (await client.cluster()).last_order_id == 0
    order = NewOrder(order_id=0, market="RAIN", side=Side.BUY, price=40, qty=1)
    assert await client.submit([order, order]) == [1, 2]
    status = await client.cluster()
    assert (status.last_order_id, status.queue_depth) == (2, 2)
