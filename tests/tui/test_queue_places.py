"""Where own orders stand in the queue."""

from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import Exchange, Market, NewOrder, OrderBook, Side
from matchbox_tui.tui import queue_places
from matchbox_tui.tui.queue_places import STEPS, Place, Places, place_of


def book_of(*sizes: int) -> OrderBook:
    """A book with orders 1, 2, ... of these sizes at one price."""
    exchange = Exchange([Market("RAIN")])
    for number, qty in enumerate(sizes, 1):
        exchange.apply(
            NewOrder(order_id=number, market="RAIN", side=Side.BUY, price=50, qty=qty, timestamp=0)
        )
    return exchange.book("RAIN")


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_the_place_is_what_the_book_says(sizes: list[int]) -> None:
    book = book_of(*sizes)
    for order in book.orders.values():
        assert place_of(order) == Place(book.queue_ahead(order.id))


def test_in_a_long_queue_both_ends_are_exact_and_the_middle_is_at_least() -> None:
    count = 2 * STEPS + 102
    book = book_of(*[3] * count)
    for number in (1, STEPS, count - STEPS, count):
        assert place_of(book.orders[number]) == Place(3 * (number - 1)), number
    middle = place_of(book.orders[STEPS + 51])
    assert middle == Place(3 * STEPS, exact=False)


def test_an_order_that_does_not_rest_has_no_place() -> None:
    book = book_of(5)
    order = book.orders[1]
    book.remove(order)
    assert place_of(order) is None


def test_a_place_is_found_once_for_each_state_of_the_book(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    book, places, asked = book_of(5, 6), Places(), []

    def counted(order):  # type: ignore[no-untyped-def]
        asked.append(order.id)
        return place_of(order)

    monkeypatch.setattr(queue_places, "place_of", counted)
    order = book.orders[2]
    assert places.of(order, book) == places.of(order, book) == Place(5)
    assert asked == [2]
    book.remove(book.orders[1])
    book.sequence += 1
    assert places.of(order, book) == Place(0)
    places.keep(set())
    assert places.of(order, book) == Place(0)
    assert asked == [2, 2, 2]
