"""The command line beside what is done on the screen."""

import shlex

import pytest

from matchbox_tui.cli.options import DEFAULT_URL
from matchbox_tui.engine import (
    DEFAULT_MARKET,
    CancelAll,
    CancelOrder,
    HaltMarket,
    NewOrder,
    OrderType,
    ReplaceOrder,
    ResumeMarket,
    Side,
    TimeInForce,
)
from matchbox_tui.tui.twins import HOME, Asked, shell_setup, twin
from tests.tui.cockpit import desk_on, hand_of
from tests.tui.venue import LocalVenue


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            NewOrder(order_id=0, market="RAIN", side=Side.BUY, price=50, qty=10),
            "matchbox buy 10 50 --market RAIN",
        ),
        (
            NewOrder(
                order_id=0,
                market=DEFAULT_MARKET,
                side=Side.SELL,
                type=OrderType.MARKET,
                qty=3,
                time_in_force=TimeInForce.IOC,
                reduce_only=True,
                trader="ada",
            ),
            "matchbox sell 3 --type market --reduce-only --trader ada",
        ),
        (
            NewOrder(order_id=0, side=Side.BUY, price=5, qty=1, time_in_force=TimeInForce.IOC),
            "matchbox buy 1 5 --tif IOC",
        ),
        (
            NewOrder(order_id=0, side=Side.BUY, price=5, qty=1, post_only=True, trader="a b"),
            "matchbox buy 1 5 --post-only --trader 'a b'",
        ),
        (CancelOrder(7), "matchbox cancel 7"),
        (CancelAll("ada", "RAIN"), "matchbox cancel-all --trader ada --market RAIN"),
        (ReplaceOrder(order_id=7, qty=5), "matchbox replace 7 --qty 5"),
        (ReplaceOrder(order_id=7, price=51), "matchbox replace 7 --price 51"),
        (HaltMarket("RAIN"), "matchbox halt RAIN"),
        (ResumeMarket("RAIN"), "matchbox resume RAIN"),
    ],
)
def test_what_is_done_is_told_as_a_command(command: Asked, line: str) -> None:
    assert twin(command) == line
    assert shlex.split(line)[0] == "matchbox"


@pytest.mark.parametrize(
    ("url", "prefix", "line"),
    [
        (HOME, "", ""),
        ("", "", ""),
        (HOME, "two:", "export MATCHBOX_KEY_PREFIX=two:"),
        ("unix:///tmp/a/server.sock", "", "export REDIS_URL=unix:///tmp/a/server.sock"),
        ("rediss://me:secret@far:1/2", "", "export REDIS_URL=rediss://me:PASSWORD@far:1/2"),
    ],
)
def test_a_shell_is_told_of_the_venue_but_of_no_password(url: str, prefix: str, line: str) -> None:
    assert DEFAULT_URL == HOME
    assert shell_setup(url, prefix) == line


def test_the_first_command_comes_with_what_its_shell_needs() -> None:
    desk = desk_on(LocalVenue())
    hand = hand_of(desk)
    desk.shell_setup = shell_setup("unix:///tmp/a/server.sock", "")
    for _ in range(2):
        hand.order(Side.BUY)
        hand.enter()
    said = [notice.words for notice in desk.model.notices]
    assert said[0] == "export REDIS_URL=unix:///tmp/a/server.sock"
    assert [words.split()[0] for words in said[1:]] == ["matchbox", "matchbox"]
