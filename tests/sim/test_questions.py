"""Markets made up from a seed."""

import pytest

from matchbox_tui.engine import refusal_of_market
from sim import make_markets


@pytest.mark.parametrize("seed", range(5))
def test_all_are_valid_and_have_names_of_their_own(seed: int) -> None:
    markets = make_markets(100, seed)
    assert len({market.symbol for market in markets}) == 100
    for market in markets:
        assert refusal_of_market(market) is None
        assert 3 <= len(market.symbol) <= 8
        assert (market.min_price, market.max_price) == (1, 99)
        assert market.title.endswith("?")
        assert "{" not in market.title


def test_the_same_seed_makes_the_same_markets() -> None:
    assert make_markets(20, 7) == make_markets(20, 7)
    assert make_markets(20, 7)[:5] == make_markets(5, 7)
    assert make_markets(20, 7) != make_markets(20, 8)
