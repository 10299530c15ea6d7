"""Who is in the cluster, from look to look."""

from matchbox_tui.store import ClusterStatus, InstanceStatus
from matchbox_tui.tui.roster import DEPTHS_KEPT, GONE_NS, Roster

LOOK = 250_000_000


def instance(
    name: str, role: str = "follower", seq: int = 90, heard_ms: int = 100
) -> InstanceStatus:
    return InstanceStatus(name, role, 7, 4242, "host", seq, 5, 1, heard_ms)


def look(*instances: InstanceStatus, leader: str | None = "a", depth: int = 0) -> ClusterStatus:
    return ClusterStatus(leader, 7, 100, depth, instances)


def test_every_instance_with_its_lag_and_the_age_of_its_heartbeat() -> None:
    roster = Roster()
    roster.reached(100, LOOK // 2)
    roster.looked(look(instance("b"), instance("a", "leading", 100, 40)), LOOK)
    one, other = roster.members()
    assert (one.instance.id, one.leads, one.lag, one.heard_ns) == ("a", True, 0, 40_000_000)
    assert (other.instance.id, other.leads, other.lag) == ("b", False, 10)


def lags(roster: Roster) -> list[int | None]:
    return [member.lag for member in roster.members()]


def test_what_came_after_a_heartbeat_is_no_lag() -> None:
    roster = Roster()
    for n in range(50):
        roster.reached(51 + n, LOOK + n * 10_000_000)
    answered = LOOK + 500_000_000
    roster.looked(look(instance("b", seq=80, heard_ms=200)), answered)
    assert lags(roster) == [1], "at the 30th step the journal was at 81"
    roster.looked(look(instance("b", seq=81, heard_ms=200)), answered)
    assert lags(roster) == [0]
    roster.looked(look(instance("b", seq=40, heard_ms=200)), answered)
    assert lags(roster) == [41]


def test_a_slow_answer_makes_no_lag() -> None:
    roster = Roster()
    for n in range(50):
        roster.reached(51 + n, LOOK + n * 10_000_000)
    asked, answered = LOOK + 400_000_000, LOOK + 500_000_000
    roster.looked(look(instance("b", seq=71, heard_ms=200)), answered, asked)
    assert lags(roster) == [0], "it beat no earlier than 200 ms before it was asked for"


def test_who_stands_still_lags_behind_the_newest() -> None:
    roster = Roster()
    roster.reached(90, 0)
    roster.looked(look(instance("b"), instance("c")), LOOK)
    roster.looked(look(instance("b", heard_ms=2_300)), 2_001_000_000 + LOOK)
    assert lags(roster) == [10, 10], "one is late, one is gone"


def test_a_heartbeat_from_before_this_app_looked_tells_no_lag() -> None:
    roster = Roster()
    roster.looked(look(instance("b"), instance("c", seq=100)), LOOK)
    assert lags(roster) == [None, 0], "who has all there is lags behind nothing"


def test_a_journal_that_was_set_back_is_measured_anew() -> None:
    roster = Roster()
    roster.reached(5_000, 0)
    roster.looked(look(instance("b", heard_ms=10)), LOOK)
    assert lags(roster) == [None]
    roster.looked(look(instance("b", heard_ms=10)), 2 * LOOK)
    assert lags(roster) == [10]


def test_a_killed_instance_is_shown_as_gone_for_a_while() -> None:
    roster = Roster()
    roster.looked(look(instance("a", "leading"), instance("b")), LOOK)
    roster.looked(look(instance("b", "leading"), leader="b"), 3 * LOOK)
    killed, leading = roster.members()
    assert (killed.gone, killed.leads, killed.heard_ns) == (True, False, 600_000_000)
    assert (leading.gone, leading.leads) == (False, True)
    roster.looked(look(instance("b", "leading"), leader="b"), 2 * LOOK + GONE_NS)
    assert [member.instance.id for member in roster.members()] == ["b"]


def test_an_instance_that_comes_back_is_there_again() -> None:
    roster = Roster()
    for here in ((instance("a"),), (), (instance("a"),)):
        roster.looked(look(*here), LOOK)
    assert [member.gone for member in roster.members()] == [False]


def test_the_queues_depth_is_kept_for_a_while() -> None:
    roster = Roster()
    for depth in range(DEPTHS_KEPT + 3):
        roster.looked(look(depth=depth), depth * LOOK)
    assert roster.depths[0] == 3
    assert roster.depths[-1] == DEPTHS_KEPT + 2
    assert roster.looks == DEPTHS_KEPT + 3


def test_of_looks_in_quick_succession_the_highest_depth_is_kept() -> None:
    roster = Roster()
    for n, depth in enumerate((0, 5, 40, 3, 1)):
        roster.looked(look(depth=depth), n * LOOK // 4)
    assert list(roster.depths) == [40, 1]
