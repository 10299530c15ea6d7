"""How long the last trade stays bright."""

from matchbox_tui.engine import Side
from matchbox_tui.store import ClusterStatus
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.glow import BRIGHTEST, FADE_NS, Glow, glowing
from matchbox_tui.tui.palette import PALETTES
from tests.tui.cockpit import desk_on, fold
from tests.tui.venue import LocalVenue


def lively() -> tuple[LocalVenue, Desk, Glow]:
    """A market with one trade in the past, looked at."""
    venue = LocalVenue()
    venue.order(Side.SELL, 50, 52)
    venue.order(Side.BUY, 5, 52)
    desk = desk_on(venue)
    glow = Glow()
    assert glow.heat(desk.model, "RAIN", 0) == 0
    caught_up(desk, venue)
    assert glow.heat(desk.model, "RAIN", 1) == 0
    return venue, desk, glow


def caught_up(desk: Desk, venue: LocalVenue) -> None:
    desk.model.observed(ClusterStatus("node-2", 7, venue.exchange.seq, 0, ()), venue.time)


def trade(venue: LocalVenue, desk: Desk) -> None:
    venue.order(Side.BUY, 5, 52)
    fold(desk.model, venue)


def test_a_trade_is_bright_and_fades_in_steps() -> None:
    venue, desk, glow = lively()
    trade(venue, desk)
    seen = [glow.heat(desk.model, "RAIN", 10 + share * FADE_NS // 30) for share in range(31)]
    assert seen[0] == BRIGHTEST
    assert seen[-1] == 0
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {0, 1, 2, 3}


def test_another_trade_at_the_same_price_is_bright_again() -> None:
    venue, desk, glow = lively()
    trade(venue, desk)
    assert glow.heat(desk.model, "RAIN", 10) == BRIGHTEST
    assert glow.heat(desk.model, "RAIN", 10 + 2 * FADE_NS) == 0
    trade(venue, desk)
    assert glow.heat(desk.model, "RAIN", 11 + 2 * FADE_NS) == BRIGHTEST


def test_what_the_journal_tells_of_the_past_is_not_bright() -> None:
    venue, desk, glow = lively()
    behind = ClusterStatus("node-2", 7, venue.exchange.seq + 9, 0, ())
    desk.model.observed(behind, venue.time)
    assert glow.heat(desk.model, "RAIN", 10) == 0
    trade(venue, desk)
    caught_up(desk, venue)
    assert glow.heat(desk.model, "RAIN", 20) == 0


def test_the_last_trade_of_a_market_that_is_turned_to_is_not_bright() -> None:
    venue, desk, glow = lively()
    assert glow.heat(desk.model, "SNOW", 10) == 0
    trade(venue, desk)
    assert glow.heat(desk.model, "RAIN", 20) == 0


def test_each_step_has_its_own_ground_in_every_palette() -> None:
    for palette in PALETTES.values():
        grounds = [glowing(palette.own, palette.ground, heat).bgcolor for heat in range(4)]
        assert grounds[0] is None
        assert len({ground and ground.name for ground in grounds}) == 4
