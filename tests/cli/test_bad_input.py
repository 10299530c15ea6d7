"""What is wrong on the command line is told in a line, and nothing is sent."""

import os

import pytest

from tests.cli.command import call, run
from tests.cli.venue import Venue

NOWHERE = {"REDIS_URL": "redis://127.0.0.1:1"}
"""Where a command that connects before it looks at its arguments would fail with 3."""

LONG = "x" * 65

QTY = "qty must be > 0 and at most 10**12"
PRICE = "price must be > 0 and at most 10**12"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("buy 0 50", QTY),
        ("buy -5 50", QTY),
        ("buy 9007199254740992 50", QTY),
        ("buy 99999999999999999999999 50", QTY),
        ("buy five 50", "Invalid value for 'QTY'"),
        ("buy NaN 50", "Invalid value for 'QTY'"),
        ("buy 1.5 50", "Invalid value for 'QTY'"),
        ("sell 5 0", PRICE),
        ("sell 5 -1", PRICE),
        ("sell 5 9007199254740992", PRICE),
        ("sell 5 99999999999999999999999", PRICE),
        ("sell 5 cheap", "Invalid value for 'PRICE'"),
        ("sell 5 NaN", "Invalid value for 'PRICE'"),
        ("sell 5 inf", "Invalid value for 'PRICE'"),
        ("buy", "Missing argument 'QTY'"),
        ("buy 5", "PRICE is missing: give one, or --type market"),
        ("buy 5 50 60", "unexpected extra argument"),
        ("buy 5 50 --type market", "a market order takes none"),
        ("buy 5 50 --type stop", "--type 'stop': use limit or market"),
        ("buy 5 50 --tif NOW", "--tif 'NOW': use GTC, IOC, FOK or GTD"),
        ("buy 5 50 --tif GTD", "--expires-in and --tif GTD go together"),
        ("buy 5 50 --expires-in 5", "--expires-in and --tif GTD go together"),
        ("buy 5 50 --tif GTD --expires-in -5", "--expires-in and --tif GTD go together"),
        ("buy 5 50 --tif GTD --expires-in 99999999999", "--expires-in: use fewer seconds"),
        ("buy 5 50 --post-only --tif IOC", "post_only needs a limit order that is GTC or GTD"),
        ("buy 5 50 --reduce-only", "reduce_only needs IOC, FOK or a market order"),
        ("buy 5 50 --self-trade maybe", "--self-trade 'maybe': use cancel_taker"),
        (f"buy 5 50 --trader {LONG}", "use at most 64 characters"),
        (f"buy 5 50 --market {LONG}", "use at most 64 characters"),
        (f"buy 5 50 --client-order-id {LONG}", "use at most 64 characters"),
        ("buy 5 50 --timeout 0", "--timeout 0: use 1 or more seconds"),
        ("buy 5 50 --nope", "unexpected extra argument"),
        ("cancel", "Missing argument 'ID'"),
        ("cancel 0", "ID 0: use the number that the order was given"),
        ("cancel -1", "ID -1: use the number that the order was given"),
        ("cancel 9007199254740992", "use the number that the order was given"),
        ("cancel first", "Invalid value for 'ID'"),
        ("cancel 1 --timeout 0", "--timeout 0"),
        (f"cancel-all --trader {LONG}", "use at most 64 characters"),
        (f"cancel-all --market {LONG}", "use at most 64 characters"),
        ("book --depth 0", "--depth 0: use a number between 1 and 100"),
        ("book --depth 101", "--depth 101: use a number between 1 and 100"),
        ("fills --limit -1", "--limit -1: use a number between 0 and 10000"),
        ("orders --nope", "No such option: --nope"),
        ("nope", "No such command 'nope'"),
        ("--nope", "No such option: --nope"),
        ("tui", "the screen needs a terminal"),
        ("engine --lease-ms 5", "MATCHBOX_LEASE_MS must be between 100 and 600000"),
        ("engine --renew-ms 1900", "MATCHBOX_RENEW_MS must be"),
        ("engine --poll-ms 0", "MATCHBOX_POLL_MS must be"),
        ("engine --log-level loud", "LOG_LEVEL 'loud': use debug, info, warning or error"),
        ("engine --markets A/B", "'A/B' is no symbol"),
        ("engine --id a\tb", "--id 'a\\tb': use letters, digits and dashes"),
        ("engine --data-dir /dev/null", "--data-dir /dev/null: can't make that directory"),
        ("serve --port 0 --data-dir /dev/null/x", "can't make that directory (Not a directory)"),
        ("traders --traders 0", "--traders 0: use a number between 1 and 10000"),
        ("traders --rate 0", "--rate 0: use a number between 1 and 100000"),
        ("traders --scenario nope", "--scenario: nope: no such scenario, and no such file"),
        ("traders --duration -1", "--duration -1"),
        ("redis --port 0", "--port 0: use a number between 1 and 65535"),
        ("redis --port 65536", "--port 65536: use a number between 1 and 65535"),
        ("play --instances 0", "--instances 0: use a number between 1 and 20"),
        ("play --instances 21", "--instances 21: use a number between 1 and 20"),
        ("play --traders -1", "--traders -1: use a number between 0 and 10000"),
        ("play --rate 0", "--rate 0: use a number between 1 and 100000"),
        ("play --api-port -1", "--api-port -1: use a number between 1 and 65533, or 0 for no API"),
        ("play --api-port 65534", "--api-port 65534: use a number between 1 and 65533"),
        ("play --instances 2 --api-port 65535", "use a number between 1 and 65534"),
        ("play --api-port web", "Invalid value for '--api-port'"),
        ("play --duration 0", "--duration 0: use 1 or more seconds"),
        (f"play --trader {LONG}", "use at most 64 characters"),
        ("play --markets 0", "--markets 0: use a number between 1 and 100"),
        ("play --markets -3", "--markets -3: use a number between 1 and 100"),
        ("play --markets ,", "--markets: give a number, or symbols"),
        ("play --markets A/B", "'A/B' is no symbol"),
        ("--duration soon", "Invalid value for '--duration'"),
    ],
)
def test_wrong_usage(arguments: str, words: str) -> None:
    assert words in call(*arguments.split(" "), env=NOWHERE).refusal(2)


def test_wrong_usage_as_a_process() -> None:
    assert QTY in run("buy", "0", "50", env=NOWHERE).refusal(2)


def test_a_wrong_variable_is_told_like_its_option() -> None:
    assert "--tif 'NOW'" in call("buy", "5", "50", env=NOWHERE | {"MATCHBOX_TIF": "NOW"}).refusal(2)
    words = call("book", env=NOWHERE | {"MATCHBOX_DEPTH": "deep"}).refusal(2)
    assert "MATCHBOX_DEPTH" in words or "--depth" in words


def test_a_name_that_is_no_text(venue: Venue) -> None:
    name = os.fsdecode(b"\xff")
    for command in (("buy", "1", "1"), ("cancel-all",), ("orders", "--market", name)):
        done = run(*command, "--trader", name, env=venue.env)
        assert done.code in (0, 2)
        assert "Traceback" not in done.err
    assert "is no text in UTF-8" in run("buy", "1", "1", "--trader", name, env=venue.env).refusal(2)
