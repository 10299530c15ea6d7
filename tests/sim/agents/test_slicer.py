"""The slicer: equal slices in time, a share of the volume, then a rest."""

import pytest

from matchbox_tui.engine import NewOrder, Side, TimeInForce
from tests.sim.agents.pit import SECOND, START, Pit

BUY, SELL = Side.BUY, Side.SELL


def liquid(style: str, **parameters: int | str) -> Pit:
    pit = Pit("slicer", style=style, **parameters)
    pit.quotes(49, 51, qty=10**6)
    return pit


def test_twap_is_done_in_time_in_equal_slices_at_equal_times() -> None:
    pit = liquid("twap", side="buy", quantity=1000, horizon=10 * SECOND, slices=10, first=SECOND)
    times, sizes = [], []
    while pit.sight.now < START + 11 * SECOND:
        actions = pit.go()
        for action in actions:
            assert isinstance(action, NewOrder)
            assert action.side is BUY
            assert action.time_in_force is TimeInForce.IOC
            times.append(pit.sight.now - START)
            sizes.append(action.qty)
    assert sizes == [100] * 10
    assert times == [SECOND * (1 + number) for number in range(10)]
    assert pit.held == 1000


@pytest.mark.parametrize(("quantity", "slices", "horizon"), [(100, 7, 10**9 + 3), (5, 20, 10**9)])
def test_twap_with_a_remainder_is_done_too_and_looks_no_more_often_than_it_must(
    quantity: int, slices: int, horizon: int
) -> None:
    pit = liquid("twap", side="sell", quantity=quantity, horizon=horizon, slices=slices, first=1)
    pit.go()
    begun = pit.sight.now
    sizes = [-pit.held] if pit.held else []
    looks = 1
    while pit.agent.wait() + pit.sight.now <= begun + horizon and pit.sight.now < begun + horizon:
        sizes += [action.qty for action in pit.go() if isinstance(action, NewOrder)]
        looks += 1
    assert pit.held == -quantity
    assert max(sizes) - min(sizes) <= 1
    # One look for each slice, and one that finds it done.
    assert looks == slices + 1


def test_twap_makes_up_for_what_it_missed() -> None:
    pit = Pit("slicer", side="buy", quantity=100, horizon=10 * SECOND, slices=10, first=1)
    assert pit.go() == []
    pit.crowd(SELL, 50, 15)
    (second,) = pit.go()
    assert isinstance(second, NewOrder)
    assert (second.qty, pit.held) == (20, 15)
    pit.crowd(SELL, 50, 1000)
    (third,) = pit.go()
    assert isinstance(third, NewOrder)
    assert (third.qty, pit.held) == (15, 30)


def test_what_is_left_when_time_is_up_is_given_up() -> None:
    pit = Pit(
        "slicer", side="buy", quantity=100, horizon=SECOND, slices=4, first=1, rest=9 * SECOND
    )
    for _ in range(4):
        assert pit.go() == []
    pit.crowd(SELL, 50, 1000)
    assert pit.go() == []
    assert pit.held == 0
    assert pit.agent.wait() > 0


def test_its_orders_have_a_limit() -> None:
    pit = liquid("twap", side="buy", slippage=4, first=1)
    (order,) = pit.go()
    assert isinstance(order, NewOrder)
    assert order.price == 55


@pytest.mark.parametrize("share", [50, 100, 300])
def test_pov_keeps_its_share_of_all_that_is_traded(share: int) -> None:
    pit = liquid("pov", side="sell", quantity=10**5, share=share, horizon=10**6 * SECOND, first=1)
    pit.go()
    assert pit.held == 0
    for number in range(400):
        pit.wash(50, 1 + number % 23)
        pit.go()
        volume = pit.tape.volume
        assert -pit.held * 1000 <= share * volume
        # Never a contract behind, at its looks.
        assert -pit.held * 1000 > share * volume - 2000
    assert -pit.held > 200


def test_pov_counts_from_its_own_beginning_and_waits_where_nobody_trades() -> None:
    pit = Pit("slicer", style="pov", side="buy", share=200, first=1)
    pit.wash(50, 10_000)
    pit.quotes(49, 51, qty=10**6)
    for _ in range(10):
        assert pit.go() == []
    pit.wash(50, 80)
    pit.go()
    assert pit.held == 20


def test_pov_stops_at_its_quantity() -> None:
    pit = liquid("pov", side="buy", quantity=30, share=500, first=1, parents=1)
    pit.go()
    for _ in range(10):
        pit.wash(50, 20)
        pit.go()
    assert pit.held == 30


def test_it_rests_and_then_begins_another_on_either_side() -> None:
    pit = liquid("twap", quantity=10, horizon=SECOND, slices=2, rest=5 * SECOND)
    rests, sides = [], []
    for _ in range(400):
        wait = pit.agent.wait()
        before = pit.sight.now
        pit.act(after=wait)
        if pit.tape.volume % 10 == 5 and (not sides or sides[-1][0] != pit.tape.volume):
            last = pit.tape.last
            sides.append((pit.tape.volume, "buy" if last == 51 else "sell"))
            rests.append(pit.sight.now - before)
    assert {side for _, side in sides} == {"buy", "sell"}
    assert len(sides) > 50
    # The wait before a parent order is the rest, whose mean was asked for.
    assert 3.5 < sum(rests) / len(rests) / SECOND < 6.5


def test_it_does_as_many_as_it_is_told() -> None:
    pit = liquid(
        "twap", side="sell", quantity=10, horizon=SECOND, slices=2, rest=SECOND // 1000, parents=2
    )
    for _ in range(100):
        pit.go()
    assert pit.held == -20


def test_a_halt_silences_it() -> None:
    pit = liquid("twap", side="buy", quantity=100, horizon=10 * SECOND, slices=10, first=1)
    pit.go()
    pit.halt()
    assert pit.go() == []
    pit.resume()
    pit.go()
    assert pit.held == 30


def parents(count: int, **parameters: int | str) -> list[tuple[int, int]]:
    """The sizes of so many parent orders that find all they want, buys > 0, and how long each
    lasted in ns.
    """
    pit = liquid("twap", rest=SECOND, first=1, **parameters)
    found = []
    while len(found) < count:
        before = pit.held
        assert pit.go()
        begun = last = pit.sight.now
        while pit.go():
            last = pit.sight.now
        found.append((pit.held - before, last - begun))
    return found


def test_parent_orders_are_twice_as_large_in_so_many_cases_again_and_again() -> None:
    found = parents(2_000, quantity=10, slices=2, horizon=SECOND, doubling=500, side="buy")
    counts = [sum(size == 10 << times for size, _ in found) for times in range(6)]
    assert sum(counts) == 2_000
    assert 930 < counts[0] < 1_070
    assert 440 < counts[1] < 560
    assert 210 < counts[2] < 290
    # As large as all that would be larger.
    assert 40 < counts[5] < 90


def test_a_parent_order_that_is_twice_as_large_lasts_twice_as_long() -> None:
    found = parents(300, quantity=10, slices=2, horizon=SECOND, doubling=500, side="buy")
    # The last slice is due half a second before the end.
    assert set(found) == {
        (10 * times, SECOND * times - SECOND // 2) for times in (1, 2, 4, 8, 16, 32)
    }


def test_without_doubling_they_are_all_alike() -> None:
    assert {size for size, _ in parents(100, quantity=10, slices=2, side="buy")} == {10}


def test_once_it_holds_enough_it_takes_the_way_back() -> None:
    sizes = [size for size, _ in parents(400, quantity=100, slices=2, max_position=300)]
    held, most = 0, 0
    for size in sizes:
        if abs(held) >= 300:
            assert size * held < 0
        held += size
        most = max(most, abs(held))
    assert most == 300
    assert 150 < sum(size > 0 for size in sizes) < 250


def test_whoever_only_buys_goes_on_buying() -> None:
    assert {size for size, _ in parents(10, quantity=100, max_position=300, side="buy")} == {100}


def test_by_chance_its_slices_come_at_uneven_times_and_are_as_many_contracts() -> None:
    pit = liquid(
        "twap", side="buy", quantity=40_000, horizon=1_000 * SECOND, slices=1_000, jitter=1_000
    )
    pit.go()
    begun = pit.sight.now
    waits, sizes = [], [40]
    while pit.sight.now < begun + 900 * SECOND:
        waits.append(pit.agent.wait())
        sizes += [action.qty for action in pit.act(waits[-1]) if isinstance(action, NewOrder)]
    assert sum(wait > 2 * SECOND for wait in waits) > 30
    assert sum(wait < SECOND // 4 for wait in waits) > 150
    # What is late is made up for.
    assert max(sizes) >= 120
    assert abs(pit.held - 36_000) < 500
