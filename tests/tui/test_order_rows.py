"""The rows of the open orders."""

import pytest

from matchbox_tui.engine import MAX_PRICE, Side
from matchbox_tui.tui.order_rows import WIDE, OrderRow
from matchbox_tui.tui.palette import DARK, Ink


def drawn(price: int, width: int) -> str:
    row = OrderRow(123456, "RAIN", Side.SELL, 5, 5, price)
    return "".join(segment.text for segment in row.paint(width, Ink(DARK)))


@pytest.mark.parametrize("width", [34, 44, WIDE, 60])
@pytest.mark.parametrize("price", [50, 123_456])
def test_a_price_stands_alone_and_the_id_whole(price: int, width: int) -> None:
    words = drawn(price, width + 1).split()
    assert words[4] == f"{price:,}"
    assert words[-1] == "#123456"


@pytest.mark.parametrize(
    ("width", "shown"), [(34, "1.00T"), (44, "1.00T"), (WIDE, "1.00T"), (60, "1,000,000,000,000")]
)
def test_a_price_that_does_not_fit_is_shortened_and_never_cut(width: int, shown: str) -> None:
    words = drawn(MAX_PRICE, width).split()
    assert words[4] == shown
    assert words[-1] == "#123456"
