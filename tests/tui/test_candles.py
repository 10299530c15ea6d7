"""Candles: what trades make of them."""

from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.tui.candles import KEPT, LATE_NS, PATIENCE, SECOND_NS, Candle, Candles, Span

T = 1_767_225_600


def made(*trades: tuple[float, int, int]) -> Candles:
    """Candles of (seconds, price, quantity)."""
    candles = Candles()
    for seconds, price, qty in trades:
        candles.traded(T * SECOND_NS + int(seconds * SECOND_NS), price, qty)
    return candles


def test_a_candle_has_the_first_the_extreme_and_the_last_price_and_the_volume() -> None:
    candles = made((0, 50, 1), (0.2, 53, 2), (0.4, 48, 3), (0.9, 51, 4))
    assert candles.shown(Span.SECOND, 9) == [Candle(T, 50, 53, 48, 51, 10)]


def test_longer_spans_join_the_shorter_ones() -> None:
    candles = made((1, 50, 1), (9, 55, 2), (10, 40, 3), (61, 45, 4))
    assert candles.shown(Span.TEN, 2) == [
        Candle(T // 10 + 5, 40, 40, 40, 40),
        Candle(T // 10 + 6, 45, 45, 45, 45, 4),
    ]
    assert candles.shown(Span.MINUTE, 9) == [
        Candle(T // 60, 50, 55, 40, 40, 6),
        Candle(T // 60 + 1, 45, 45, 45, 45, 4),
    ]


def test_a_second_without_a_trade_keeps_the_last_price() -> None:
    shown = made((0, 50, 1), (3, 60, 1)).shown(Span.SECOND, 9)
    assert [(candle.slot - T, candle.close, candle.qty) for candle in shown] == [
        (0, 50, 1),
        (1, 50, 0),
        (2, 50, 0),
        (3, 60, 1),
    ]


def test_a_quiet_year_is_not_filled_beyond_what_is_shown() -> None:
    shown = made((0, 50, 1), (365 * 86400, 60, 1)).shown(Span.SECOND, 30)
    assert len(shown) == 30
    assert {candle.qty for candle in shown[:-1]} == {0}


def test_a_trade_from_a_late_clock_counts_with_the_newest() -> None:
    candles = made((100, 50, 1), (99, 52, 2), (-T, 49, 3), (100.5, 51, 4))
    assert candles.shown(Span.SECOND, 9) == [Candle(T + 100, 50, 52, 49, 51, 10)]


def test_one_order_from_the_far_future_does_not_stop_the_chart() -> None:
    candles = made((0, 50, 1))
    candles.traded(2**63 - 1, 50, 1)
    for n in range(PATIENCE + 2):
        candles.traded((T + n) * SECOND_NS, 60, 1)
    assert candles.shown(Span.SECOND, 9)[-1].slot == T + PATIENCE + 1


def test_memory_is_bounded() -> None:
    candles = made(*((n, 50 + n % 7, 1) for n in range(3 * KEPT)))
    assert len(candles.shown(Span.SECOND, 10 * KEPT)) == KEPT + 1


def test_before_the_first_trade_there_is_nothing() -> None:
    assert Candles().shown(Span.TEN, 5) == ()
    assert made((0, 50, 1)).shown(Span.TEN, 0) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 40 * SECOND_NS), st.integers(1, 99), st.integers(1, 9)),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from(Span),
)
def test_candles_are_what_a_look_at_all_trades_would_say(
    steps: list[tuple[int, int, int]], span: Span
) -> None:
    candles, time, trades = Candles(), T * SECOND_NS, []
    for step, price, qty in steps:
        time += step
        candles.traded(time, price, qty)
        trades.append((time // SECOND_NS // span.value, price, qty))
    expected = []
    before = trades[0][1]
    for slot in range(trades[0][0], trades[-1][0] + 1):
        inside = [(price, qty) for at, price, qty in trades if at == slot]
        prices = [price for price, _ in inside] or [before]
        before = prices[-1]
        volume = sum(qty for _, qty in inside)
        expected.append(Candle(slot, prices[0], max(prices), min(prices), before, volume))
    assert list(candles.shown(span, 10**6))[-KEPT:] == expected[-KEPT:]


def test_a_late_trade_is_one_within_a_minute() -> None:
    """It may come as often as it likes."""
    candles = made((LATE_NS // SECOND_NS, 50, 1), *((1, 51, 1) for _ in range(3 * PATIENCE)))
    assert len(candles.shown(Span.SECOND, 9)) == 1


def candle(seconds: int, price: int, qty: int) -> Candle:
    return Candle(T + seconds, price, price, price, price, qty)


def test_older_candles_come_before_its_own() -> None:
    candles = made((5, 50, 1), (6, 51, 2), (6.5, 52, 1))
    older = [
        candle(0, 40, 9),
        candle(2, 41, 9),
        candle(5, 50, 1),
        candle(6, 1, 99),
        candle(9, 1, 9),
    ]
    shown = candles.shown(Span.SECOND, 9, older)
    # Its own newest ones stand; where nothing traded in between, the price before is kept.
    assert [(one.slot - T, one.close, one.qty) for one in shown] == [
        (0, 40, 9),
        (1, 40, 0),
        (2, 41, 9),
        (3, 41, 0),
        (4, 41, 0),
        (5, 50, 1),
        (6, 52, 3),
    ]
    assert candles.shown(Span.SECOND, 3, older) == list(shown)[-3:]


def test_a_first_candle_that_is_only_the_end_of_one_is_made_whole() -> None:
    whole = Candle(T // 10, 40, 60, 30, 55, 20)
    assert made((5, 55, 1)).shown(Span.TEN, 9, [whole]) == [whole]
    # Older figures know less of it than the app itself.
    (own,) = made((5, 55, 30)).shown(Span.TEN, 9, [whole])
    assert own.qty == 30


def test_without_a_trade_of_its_own_the_older_ones_are_all_there_is() -> None:
    older = [candle(0, 40, 1), candle(2, 41, 1)]
    shown = Candles().shown(Span.SECOND, 9, older)
    assert [(one.slot - T, one.close) for one in shown] == [(0, 40), (1, 40), (2, 41)]
    assert Candles().shown(Span.SECOND, 0, older) == ()
