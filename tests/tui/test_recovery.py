"""A fault and what came of it, as the panel tells."""

from matchbox_tui.engine import OrderAccepted, Side
from matchbox_tui.store import ClusterStatus, InstanceStatus, Replica, StateHash
from matchbox_tui.tui.hash_check import HashCheck
from matchbox_tui.tui.operator import Fault
from matchbox_tui.tui.palette import DARK, Ink
from matchbox_tui.tui.recovery import WATCHED_NS, Recoveries, Recovery
from matchbox_tui.tui.recovery_rows import recovery_line, recovery_rows, sparkline
from tests.tui.venue import LocalVenue

MS = 1_000_000
BEGAN = 1_000 * MS


def recovery(venue: LocalVenue, fault: Fault = Fault.KILL) -> Recovery:
    seq = venue.exchange.seq
    return Recovery(fault, "node-2", "kill -9 7 (node-2)", 7, seq, BEGAN)


def begun(venue: LocalVenue) -> Recoveries:
    """A fault after all that there is at the venue."""
    recoveries = Recoveries()
    for entry in venue.entries:
        recoveries.folded(entry, BEGAN)
    recoveries.looked(at_rest(venue), BEGAN)
    recoveries.begin(recovery(venue))
    return recoveries


def at_rest(venue: LocalVenue) -> ClusterStatus:
    """A look at the venue when nothing waits."""
    return ClusterStatus("node-2", venue.epoch, venue.exchange.seq, 0, (), venue._ids)


def cluster(
    leader: str | None, epoch: int, queue: int = 0, role: str = "follower", seq: int = 0
) -> ClusterStatus:
    one = InstanceStatus("node-3", role, epoch, 1, "host", 0, 0, 0)
    return ClusterStatus(leader, epoch, seq, queue, (one,))


def drawn(told: Recovery, width: int = 110) -> list[str]:
    rows = recovery_rows(told, 1)
    return ["".join(s.text for s in row.paint(width, Ink(DARK))).rstrip() for row in rows]


def test_each_step_has_its_time() -> None:
    venue = LocalVenue()
    told = recovery(venue)
    seq = venue.exchange.seq
    told.looked(cluster("node-2", 7, queue=3, seq=seq), BEGAN + 5 * MS)
    assert "○ elected ── ○ caught up ── ○ first commit" in drawn(told)[1]
    assert drawn(told)[3] == " · no commit since"
    told.looked(cluster("node-3", 8, queue=9, seq=seq), BEGAN + 20 * MS)
    told.looked(cluster("node-3", 8, queue=9, role="leading", seq=seq), BEGAN + 24 * MS)
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 84 * MS)
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 900 * MS)
    assert drawn(told)[1] == (
        " ● killed ── ● elected node-3 +20 ms ── ● caught up +24 ms ── ● first commit +84 ms"
    )
    assert drawn(told)[2].startswith(" queue up to 9 ▃█")
    assert drawn(told)[3] == (
        " ✓ lost 0, doubled 0 of 2 orders, 84 ms without a leader, epoch 7 -> 8"
    )


def test_a_narrow_screen_tells_when_it_ended_and_what_was_lost_before_all_else() -> None:
    venue = LocalVenue()
    told = recovery(venue)
    told.looked(cluster("node-3", 8), BEGAN + 20 * MS)
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 84 * MS)
    wide = " ● killed ● elected node-3 +20 ms ● caught up +84 ms ● first commit +84 ms"
    assert drawn(told, 80)[1] == wide
    assert drawn(told, 63)[1] == " ● killed ● caught up +84 ms ● first commit +84 ms"
    assert drawn(told, 40)[1] == " ● killed ● first commit +84 ms"
    assert drawn(told, 5)[1].startswith(" ● killed")
    assert drawn(told, 40)[3] == " ✓ lost 0, doubled 0 of 1 order, 84 ms …"


def test_in_one_line_another_book_hash_counts_more_than_the_orders() -> None:
    venue = LocalVenue()
    told = recovery(venue, Fault.FREEZE)
    assert recovery_line(told).words == "frozen: no commit since"
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 84 * MS)
    assert recovery_line(told).words.startswith("lost 0, doubled 0 of 1 order")
    told.compared("node-1", told.seq + 1, False)
    assert recovery_line(told).words.startswith("another book hash: node-1")
    assert recovery_line(told).good is False


def test_a_commit_says_that_its_leader_was_elected_and_caught_up() -> None:
    venue = LocalVenue()
    told = recovery(venue)
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 30 * MS)
    told.looked(cluster("node-3", 8, role="leading"), BEGAN + 90 * MS)
    assert (told.elected, told.leading) == (BEGAN + 30 * MS, BEGAN + 30 * MS)


def test_a_commit_of_the_old_epoch_is_no_recovery() -> None:
    venue = LocalVenue()
    told = recovery(venue)
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 30 * MS)
    assert told.took is None


def test_a_server_that_comes_back_finds_its_leader() -> None:
    venue = LocalVenue()
    told = recovery(venue, Fault.SERVER)
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 2 * MS)
    assert told.took is None, "that was on its way when the server was killed"
    told.cut = True
    venue.order(Side.BUY, 1, 40)
    told.looked(cluster("node-2", 7, seq=venue.exchange.seq), BEGAN + 100 * MS)
    told.folded(venue.entries[-1], BEGAN + 101 * MS)
    assert told.took is None, "that was read late, and committed before"
    venue.order(Side.BUY, 1, 40)
    told.looked(cluster("node-2", 7, seq=venue.exchange.seq), BEGAN + 200 * MS)
    told.folded(venue.entries[-1], BEGAN + 300 * MS)
    assert told.took == 300 * MS
    assert drawn(told)[1] == " ● server killed ── ● first commit +300 ms"
    assert drawn(told)[3] == " ✓ lost 0, doubled 0 of 3 orders, epoch 7"


def test_an_order_that_is_passed_over_is_lost_and_one_that_comes_again_is_doubled() -> None:
    venue = LocalVenue()
    for _ in range(8):
        venue.order(Side.BUY, 1, 40)
    recoveries = begun(venue)
    again = venue.entries[-1].events[0]
    assert isinstance(again, OrderAccepted)
    venue._ids = 10
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    venue.commit([again.order])
    for entry in venue.entries[-2:]:
        recoveries.folded(entry, BEGAN + 30 * MS)
    recoveries.looked(at_rest(venue), BEGAN + 40 * MS)
    told = recoveries.current
    assert told is not None
    assert (told.lost, told.doubled, told.orders) == (2, 1, 2), "9 and 10 are lost, 8 came again"
    assert drawn(told)[3].startswith(" ✗ ")


def test_a_fault_is_watched_closely_for_a_while() -> None:
    venue = LocalVenue()
    recoveries = begun(venue)
    assert recoveries.watches(BEGAN + WATCHED_NS)
    assert not recoveries.watches(BEGAN + WATCHED_NS + 1)
    recoveries.drop()
    assert not recoveries.watches(BEGAN)


def test_an_order_that_was_rejected_before_the_fault_is_not_lost() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 1, 40)
    venue.order(Side.BUY, 1, 40_000)
    recoveries = begun(venue)
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    recoveries.folded(venue.entries[-1], BEGAN + 30 * MS)
    recoveries.looked(at_rest(venue), BEGAN + 40 * MS)
    told = recoveries.current
    assert told is not None
    assert (told.orders, told.lost, told.doubled) == (1, 0, 0)


def test_where_ids_are_known_from_a_look_alone_the_next_is_missed() -> None:
    venue = LocalVenue()
    venue._ids = 500
    recoveries = begun(venue)
    venue._ids = 501
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    recoveries.folded(venue.entries[-1], BEGAN + 30 * MS)
    recoveries.looked(at_rest(venue), BEGAN + 40 * MS)
    assert recoveries.current is not None
    assert recoveries.current.lost == 1, "501"


def test_what_is_read_anew_is_not_taken_for_what_was_before() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 1, 40)
    recoveries = begun(venue)
    recoveries.drop()
    for entry in venue.entries[:1]:
        recoveries.folded(entry, BEGAN)
    recoveries.begin(recovery(venue))
    assert recoveries.current is not None
    venue.epoch = 8
    again = venue.entries[-1].events[0]
    assert isinstance(again, OrderAccepted)
    venue.commit([again.order])
    recoveries.folded(venue.entries[-1], BEGAN + 30 * MS)
    assert recoveries.current.doubled == 0


def test_a_market_in_which_nobody_trades_was_not_without_a_leader_all_the_while() -> None:
    venue = LocalVenue()
    told = recovery(venue)
    seq = venue.exchange.seq
    told.looked(cluster("node-3", 8, role="leading", seq=seq), BEGAN + 24 * MS)
    told.looked(cluster("node-3", 8, queue=1, role="leading", seq=seq), BEGAN + 2_000 * MS)
    venue.epoch = 8
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 2_003 * MS)
    assert "● first commit +2.00 s" in drawn(told)[1]
    assert "of 1 order, 27 ms without a leader, epoch 7 -> 8" in drawn(told)[3]


def test_a_leader_that_is_thawed_in_time_goes_on() -> None:
    venue = LocalVenue()
    told = recovery(venue, Fault.FREEZE)
    told.thawed = True
    venue.order(Side.BUY, 1, 40)
    told.folded(venue.entries[-1], BEGAN + 400 * MS)
    assert drawn(told)[1] == " ● frozen ── ● first commit +400 ms"
    assert "of 1 order, thawed before its lease had ended, epoch 7" in drawn(told)[3]


def test_only_the_loss_of_a_killed_server_counts() -> None:
    for fault, cut in ((Fault.SERVER, True), (Fault.KILL, False)):
        recoveries = Recoveries()
        recoveries.cut()
        recoveries.begin(recovery(LocalVenue(), fault))
        recoveries.cut()
        assert recoveries.current is not None
        assert recoveries.current.cut is cut


def test_hashes_are_compared_at_the_same_places() -> None:
    venue = LocalVenue()
    check = HashCheck(4)
    replica = Replica()
    for _ in range(9):
        venue.order(Side.BUY, 1, 40)
    for entry in venue.entries:
        before = replica.seq
        replica.apply(entry)
        check.passed(before, replica)
    final = replica.exchange.state_hash()
    seq = replica.seq - replica.seq % 4
    other = Replica()
    for entry in venue.entries:
        if entry.seq <= seq:
            other.apply(entry)
    own = other.exchange.state_hash()
    told = [
        StateHash("node-1", seq, own),
        StateHash("node-2", seq, "different"),
        StateHash("node-3", seq + 1, final),
    ]
    assert list(check.compare(told)) == [("node-1", seq, True), ("node-2", seq, False)]


def test_the_score_tells_whose_book_is_the_same_and_whose_is_not() -> None:
    told = recovery(LocalVenue())
    assert drawn(told)[4] == " · book hash: not compared yet"
    told.compared("node-1", told.seq, True)
    assert drawn(told)[4] == " · book hash: not compared yet", "that was before the fault"
    told.compared("node-1", told.seq + 500, True)
    assert drawn(told)[4].startswith(" ✓ book hash equal: node-1 at 50")
    told.compared("node-3", told.seq + 500, False)
    assert drawn(told)[4].startswith(" ✗ another book hash: node-3 at 50")


def test_a_sparkline_is_as_high_as_its_highest() -> None:
    assert sparkline([0, 1, 4, 8], 4) == " ▁▄█"
    assert sparkline([9, 9, 0, 1], 2) == " █"
    assert sparkline([], 5) == ""
    assert sparkline([0, 0], 5) == "  "
