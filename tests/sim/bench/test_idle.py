"""What an idle venue's parts use: followers on average, and everybody together."""

import pytest

from sim.bench.idle import idle_rows

QUIET = {
    "the leader": 0.5,
    "a follower": 0.8,
    "another follower": 1.0,
    "the server": 1.2,
    "the screen": 2.0,
    "a process that only wakes up": 0.3,
}


def test_followers_and_everybody_have_a_goal() -> None:
    rows = {row.what: row for row in idle_rows([QUIET, {name: 2 * x for name, x in QUIET.items()}])}
    follower = rows.pop("a follower with nothing to do")
    assert (follower.value, follower.goal, follower.reached) == (1.35, "less than 1 %", False)
    assert (follower.base, follower.ratio, follower.ratios) == (0.45, 3.0, [3.0, 3.0])
    together = rows.pop("three instances, the server and the screen")
    assert together.value == pytest.approx(8.25)
    assert (together.goal, together.reached) == ("less than 10 %", True)
    assert {name: row.value for name, row in rows.items()} == {
        "the leader": 0.75,
        "the server": 1.8,
        "the screen": 3.0,
    }


def test_a_system_that_does_not_tell_has_no_rows() -> None:
    assert idle_rows([]) == []
