"""What rests in each row and up to it, while the market moves."""

from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import OrderBook, Side
from matchbox_tui.store import Replica
from matchbox_tui.tui import watch as watch_module
from matchbox_tui.tui.depth import accumulated, row_quantities
from matchbox_tui.tui.ladder_view import ladder_rows
from matchbox_tui.tui.sums import Sums
from matchbox_tui.tui.watch import Watch, WatchedReplica
from matchbox_tui.tui.window import Window
from tests.tui.cockpit import desk_on, fold
from tests.tui.commands import Command, commands
from tests.tui.venue import RAIN, LocalVenue

groupings = st.sampled_from((1, 2, 5, 10, 20, 50))


def watched(venue: LocalVenue) -> tuple[Watch, WatchedReplica]:
    watch = Watch()
    return watch, WatchedReplica(Replica(), watch)


def catch_up(replica: Replica, venue: LocalVenue) -> OrderBook:
    for entry in venue.entries:
        if entry.seq > replica.seq:
            replica.apply(entry)
    return replica.exchange.books["RAIN"]


def resting(book: OrderBook, side: Side) -> dict[int, int]:
    return {level.price: level.qty for level in book.side(side).best_first()}


@given(commands(), st.lists(st.integers(1, 5), min_size=1), groupings, st.integers(1, 30))
def test_a_rows_sum_is_that_of_its_prices_whatever_has_happened(
    asked: list[Command], batches: list[int], group: int, rows: int
) -> None:
    venue = LocalVenue((RAIN,))
    watch, replica = watched(venue)
    window = Window.of(RAIN, rows, 15).regrouped(group, 15, Side.BUY)
    while asked:
        batch = asked[: batches[0]]
        asked, batches = asked[len(batch) :], [*batches[1:], batches[0]]
        venue.commit(batch)
        book = catch_up(replica, venue)
        watch.look(book, replica.seq)
        for side in Side:
            levels = resting(book, side)
            shown = row_quantities(book, window, side, watch)
            for row in range(rows):
                inside = [qty for price, qty in levels.items() if window.row(price, side) == row]
                assert shown[row] == sum(inside)
            up_to = accumulated(book, window, side, shown, watch)
            for row in range(rows):
                nearer = [
                    qty
                    for price, qty in levels.items()
                    if (window.row(price, side) - row) * (1 if side is Side.BUY else -1) <= 0
                ]
                assert up_to[row] == sum(nearer)


@given(commands(highest=99), groupings)
def test_no_contract_is_lost_by_grouping(asked: list[Command], group: int) -> None:
    venue = LocalVenue((RAIN,))
    watch, replica = watched(venue)
    venue.commit(asked)
    book = catch_up(replica, venue)
    watch.look(book, replica.seq)
    window = Window.of(RAIN, 120).regrouped(group, 50, Side.BUY)
    for side in Side:
        assert sum(row_quantities(book, window, side, watch)) == sum(resting(book, side).values())


def test_a_book_that_moved_unseen_is_read_anew() -> None:
    venue = LocalVenue((RAIN,))
    watch = Watch()
    replica = Replica()
    venue.order(Side.BUY, 10, 40)
    window = Window.of(RAIN, 9, 40).regrouped(10, 40, Side.BUY)
    for qty in (10, 15):
        book = catch_up(replica, venue)
        watch.look(book, replica.seq)
        assert sum(row_quantities(book, window, Side.BUY, watch)) == qty
        venue.order(Side.BUY, 5, 40)


def test_a_book_that_moved_unseen_between_two_entries_is_read_anew() -> None:
    venue = LocalVenue((RAIN,))
    watch, replica = watched(venue)
    window = Window.of(RAIN, 9, 40).regrouped(10, 40, Side.BUY)
    watch.look(catch_up(replica, venue), replica.seq)
    assert sum(row_quantities(replica.exchange.books["RAIN"], window, Side.BUY, watch)) == 0
    venue.order(Side.BUY, 5, 40)
    Replica.apply(replica, venue.entries[-1])
    venue.order(Side.BUY, 7, 41)
    watch.look(catch_up(replica, venue), replica.seq)
    assert sum(row_quantities(replica.exchange.books["RAIN"], window, Side.BUY, watch)) == 12


def test_what_nobody_asks_for_is_not_kept_for_ever(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(watch_module, "UNREAD_KEPT", 5)
    venue = LocalVenue((RAIN,))
    watch, replica = watched(venue)
    book = catch_up(replica, venue)
    watch.look(book, replica.seq)
    window = Window.of(RAIN, 120).regrouped(10, 50, Side.BUY)
    assert sum(row_quantities(book, window, Side.BUY, watch)) == 0
    for price in range(1, 40):
        venue.order(Side.BUY, 1, price)
        catch_up(replica, venue)
        assert len(watch._moved) <= 5
    watch.look(book, replica.seq)
    assert sum(row_quantities(book, window, Side.BUY, watch)) == 39


def test_the_levels_are_read_once_while_the_market_moves(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    read: list[Side] = []
    plain = watch_module._sums

    def counted(book: OrderBook, side: Side) -> Sums:
        read.append(side)
        return plain(book, side)

    monkeypatch.setattr(watch_module, "_sums", counted)
    venue = LocalVenue((RAIN,))
    desk = desk_on(venue)
    desk.settle_view(20, 60)
    for _ in range(3):
        desk.regroup(coarser=True)
    for price in range(20, 40):
        venue.order(Side.BUY, 1, price)
        fold(desk.model, venue)
        assert sum(row.bid.qty for row in ladder_rows(desk, 60)) == price - 19
    assert read == [Side.BUY, Side.SELL]


places = st.integers(0, 120) | st.integers(0, 9999)


@given(
    st.dictionaries(places, st.integers(1, 50)),
    st.lists(st.tuples(places, st.integers(0, 50))),
    places,
    places,
)
def test_a_sum_over_a_range_is_that_of_its_places(
    values: dict[int, int], changes: list[tuple[int, int]], start: int, end: int
) -> None:
    sums = Sums(4, values.items())
    for place, value in changes:
        sums.put(place, value)
        values[place] = value
    expected = sum(value for place, value in values.items() if start <= place < end)
    assert sums.between(start, end) == expected
    assert sums.between(0, sums.end) == sum(values.values())
