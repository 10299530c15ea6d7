"""How long nobody led, by what a client can see of it: busy venues, idle ones, and none at all."""

from matchbox_tui.store import ClusterStatus, Entry, InstanceStatus
from matchbox_tui.tui.lead import Handover, Lead

MS = 1_000_000
MINUTE = 60_000 * MS


class Sight:
    """What a client sees: times in ms, heartbeats by the epoch that they claim to lead."""

    def __init__(self) -> None:
        self.lead = Lead()
        self.seq = 0

    def commit(self, epoch: int, at: int | None) -> Handover | None:
        self.seq += 1
        entry = Entry(self.seq, epoch, "", b"", [])
        return self.lead.committed(entry, None if at is None else at * MS)

    def look(self, at: int, *beats: tuple[int, int], epoch: int = 0, waits: int = 0) -> None:
        """A look, and who beat as a leader: (epoch, time)."""
        instances = tuple(
            InstanceStatus(f"node-{led}", "leading", led, 1, "host", 0, 0, 0, at - beat)
            for led, beat in beats
        )
        epoch = epoch or max((led for led, _ in beats), default=0)
        status = ClusterStatus("node", epoch, self.seq, waits, instances)
        self.lead.looked(status, at * MS, at * MS)


def gap(handover: Handover | None) -> int | None:
    """In ms."""
    assert handover is not None
    assert not handover.exact
    return None if handover.gap_ns is None else handover.gap_ns // MS


def test_where_orders_keep_coming_it_goes_from_commit_to_commit() -> None:
    sight = Sight()
    assert sight.commit(7, 1000) is None
    assert sight.commit(7, 1010) is None
    handover = sight.commit(8, 1094)
    assert handover == Handover(7, 8, 84 * MS)


def test_where_nobody_traded_it_goes_from_heartbeat_to_heartbeat() -> None:
    sight = Sight()
    sight.commit(7, 0)
    sight.look(60_000, (7, 59_900))
    sight.look(60_250, (7, 59_900))
    sight.look(60_500, (8, 60_424))
    sight.look(60_750, (8, 60_424))
    assert gap(sight.commit(8, 120_000)) == 524


def test_time_in_which_a_new_leader_had_nothing_to_do_is_no_gap() -> None:
    sight = Sight()
    sight.commit(7, 1000)
    sight.look(1200, (8, 1084))
    sight.look(60_000, (8, 59_800))
    sight.look(61_000, (8, 60_900), waits=1)
    assert gap(sight.commit(8, 61_003)) == 84 + 3


def test_orders_that_wait_for_a_new_leaders_first_commit_are_counted() -> None:
    sight = Sight()
    sight.commit(7, 1000)
    sight.look(1050, epoch=7, waits=5)
    sight.look(1300, (8, 1084), waits=400)
    assert gap(sight.commit(8, 2000)) == 1000


def test_a_look_that_is_older_than_the_last_commit_says_nothing_about_the_queue() -> None:
    sight = Sight()
    sight.commit(7, 990)
    sight.commit(7, 1000)
    sight.look(1090, (8, 1084))
    sight.seq -= 1
    sight.look(1091, (8, 1084), waits=3)
    sight.seq += 1
    assert gap(sight.commit(8, 50_000)) == 84


def test_a_frozen_leaders_last_heartbeat_is_where_it_begins() -> None:
    sight = Sight()
    sight.commit(7, 0)
    for at in range(30_000, 32_000, 250):
        sight.look(at, (7, 29_900))
    sight.look(32_250, (7, 29_900), (8, 32_130))
    assert gap(sight.commit(8, 99_000)) == 2_230


def test_a_deposed_leader_that_thinks_it_leads_is_no_sign() -> None:
    sight = Sight()
    sight.commit(7, 0)
    sight.look(1000, (7, 900))
    sight.look(3250, (8, 3130))
    sight.look(9000, (7, 8990), (8, 8700))
    assert gap(sight.commit(8, 10_000)) == 2_230


def test_leaders_that_came_and_went_without_a_commit_are_not_part_of_the_gap() -> None:
    sight = Sight()
    sight.commit(7, 1000)
    sight.look(1200, (8, 1100))
    sight.look(50_000, (8, 49_900))
    sight.look(50_250, (9, 50_040))
    assert gap(sight.commit(9, 70_000)) == 100 + 140


def test_of_what_was_out_of_sight_nothing_is_told() -> None:
    sight = Sight()
    sight.commit(7, 1000)
    sight.lead.forget()
    sight.look(5000, (8, 4900))
    assert gap(sight.commit(8, 5010)) is None


def test_a_leader_that_is_seen_before_its_history_is_read_has_shown_itself() -> None:
    sight = Sight()
    sight.look(1000, (8, 900))
    sight.commit(7, None)
    assert gap(sight.commit(8, None)) is None
    assert gap(sight.commit(9, 1300)) == 400


def test_history_tells_of_no_gap() -> None:
    sight = Sight()
    sight.commit(7, None)
    handover = sight.commit(8, None)
    assert handover == Handover(7, 8)
    assert gap(sight.commit(9, 1000)) is None
    assert gap(sight.commit(10, 1500)) == 500


def test_the_first_commit_of_all_is_no_handover() -> None:
    assert Sight().commit(1, 1000) is None
