"""Sets and ranges of ids, against Python's own."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.audit.idset import IdRanges, IdSet

ids = st.one_of(st.integers(1, 2000), st.integers(1, 2**53 - 1))


@given(st.lists(ids))
def test_a_set_holds_what_was_added_once(added: list[int]) -> None:
    plain: set[int] = set()
    compact = IdSet()
    for one in added:
        assert compact.add(one) is (one not in plain)
        plain.add(one)
    assert sorted(compact) == sorted(plain)
    assert len(compact) == len(plain)
    assert all(one in compact for one in plain)
    assert all((one + 1 in compact) is (one + 1 in plain) for one in plain)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 20))), st.integers(1, 320))
def test_ranges_hold_their_ids_whether_they_touch_or_overlap(
    spans: list[tuple[int, int]], least: int
) -> None:
    ranges = IdRanges([[first, first + more] for first, more in spans])
    plain = {one for first, more in spans for one in range(first, first + more + 1)}
    assert ranges.count == len(plain)
    assert ranges.highest == max(plain, default=0)
    often = Counter(one for first, more in spans for one in range(first, first + more + 1))
    assert ranges.repeats == min((one for one, times in often.items() if times > 1), default=0)
    assert bool(ranges.repeated) is bool(ranges.repeats)
    assert [one for one in range(330) if one in ranges] == sorted(plain)
    assert list(ranges.rising(least)) == sorted(one for one in plain if one >= least)
    assert ranges.count_from(least) == sum(one >= least for one in plain)


def test_ranges_of_any_size_cost_nothing() -> None:
    ranges = IdRanges([[1, 2**53 - 1]])
    assert ranges.count == 2**53 - 1
    assert 10**15 in ranges
    assert next(ranges.rising(7)) == 7


@pytest.mark.parametrize("pair", [[2, 1], [0, 1], [-3, -1], [1], [1, 2, 3], []])
def test_what_is_no_range_is_refused(pair: list[int]) -> None:
    with pytest.raises(ValueError, match="no range"):
        IdRanges([pair])
