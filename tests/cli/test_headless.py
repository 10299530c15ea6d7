"""A market without a screen: what it counts is what is there."""

import asyncio
import json
import os
import signal
from typing import Any

import pytest

from matchbox_tui.cli import headless
from matchbox_tui.store import Keys, Server
from tests.cli.command import Result, call, run
from tests.cli.ledger import Ledger, read_ledger
from tests.cli.processes import Marked, traded
from tests.cli.venue import Venue
from tests.waiting import soon

TWO = ("--instances", "2")


def ledger_of(url: str, prefix: str, after: int = 0) -> tuple[Ledger, list[Any]]:
    return asyncio.run(read_ledger(url, prefix, after))


def summary_of(done: Result) -> dict[str, Any]:
    """The one object on stdout of a run in which nothing went wrong, until it was interrupted."""
    assert done.code in (0, 130), done.err
    assert len(done.out.splitlines()) == 1
    summary: dict[str, Any] = done.json()
    assert summary["errors"] == []
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["bought"] == summary["sold"] == summary["traded"]
    return summary


def agree(summary: dict[str, Any], ledger: Ledger) -> None:
    """Every count of the summary equals the test's own."""
    counts = ledger.counts
    assert summary["accepted"] == counts["order.accepted"]
    assert summary["rejects"] == counts["order.rejected"]
    assert summary["orders"] == counts["order.accepted"] + counts["order.rejected"]
    assert summary["fills"] == summary["fills_published"] == counts["trade.executed"]
    assert summary["cancels"] == counts["order.cancelled"]
    assert summary["expired"] == counts["order.expired"]
    assert summary["cancel_rejects"] == counts["order.cancel_rejected"]
    assert summary["traded"] == ledger.traded
    for book in summary["books"]:
        assert book["best_bid"] == ledger.best(book["market"], "buy")
        assert book["best_ask"] == ledger.best(book["market"], "sell")
        assert book["resting_orders"] == ledger.open_orders(book["market"])


def test_counts_are_those_of_the_journal_and_only_the_new_ones(url: str, prefix: str) -> None:
    venue = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix}
    first = summary_of(traded(*TWO, env=venue))
    ledger, published = ledger_of(url, prefix)
    agree(first, ledger)
    assert published == ledger.fills
    assert first["orders"] > 50
    assert first["fills"] > 10
    assert first["acknowledged"] > 50
    assert (first["elections"], first["epoch"]) == (1, 1)

    again = summary_of(traded(*TWO, "--rate", "400", env=venue))
    total, published = ledger_of(url, prefix, after=ledger.last)
    agree(again, total)
    assert published == total.fills
    assert (again["elections"], again["epoch"]) == (1, 2)
    assert [book["market"] for book in again["books"]] == [
        book["market"] for book in first["books"]
    ]


def test_fills_that_a_killed_leader_left_unpublished_are_not_this_runs(
    url: str, prefix: str
) -> None:
    venue = Venue(url, prefix)
    with venue.engine():
        venue.call("sell", "5", "50")
        assert venue.call("buy", "5", "50").out.endswith("filled, 5 @ 50\n")

    async def forget() -> None:
        link = Server(url, timeout_s=20).link()
        # As where the leader died between its commit and the publishing.
        await link.call("DEL", Keys(prefix).fills_stream)
        await link.close()

    asyncio.run(forget())
    summary = summary_of(traded(*TWO, env=venue.env))
    total, published = ledger_of(url, prefix)
    assert published == total.fills
    assert len(published) == summary["fills"] + 1


def test_without_a_terminal_and_for_a_person() -> None:
    with Marked({"MATCHBOX_DURATION": "3", "MATCHBOX_INSTANCES": "1"}) as marked:
        process = marked.start()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        facts = dict(line.split(None, 1) for line in out.splitlines()[1:] if ":" not in line)
        assert facts["seconds"] == "3"
        assert int(facts["orders"]) > 50
        assert facts["lost"] == "0"
        assert sum(line.endswith(" orders)") for line in out.splitlines()) == 4
        ticks = [line for line in err.splitlines() if "  leader " in line]
        assert len(ticks) == 3
        marked.leave_nothing()


def test_fifteen_seconds_unless_told(
    monkeypatch: pytest.MonkeyPatch, url: str, prefix: str
) -> None:
    assert headless.DEFAULT_SECONDS == 15
    monkeypatch.setattr(headless, "DEFAULT_SECONDS", 1)
    done = call(
        *("play", "--headless", "--json", "--instances", "1", "--traders", "0"),
        env={"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix},
    )
    assert summary_of(done)["seconds"] == 1


def test_a_market_that_never_opens_is_no_success(
    monkeypatch: pytest.MonkeyPatch, url: str, prefix: str
) -> None:
    monkeypatch.setattr(headless, "OPENING_SECONDS", 0)
    venue = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix}
    words = call("play", "--headless", "--instances", "1", env=venue).refusal(3)
    assert "no engine instance took the lead within 0 s" in words


def test_named_markets_and_no_traders(url: str, prefix: str) -> None:
    done = run(
        *("play", "--headless", "--duration", "1", "--json", "--instances", "1"),
        *("--markets", "RAIN,SNOW=Will it snow?", "--traders", "0"),
        env={"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix},
    )
    summary = summary_of(done)
    assert [book["market"] for book in summary["books"]] == ["MAIN", "RAIN", "SNOW"]
    assert (summary["orders"], summary["acknowledged"], summary["commands"]) == (0, 0, 2)


def test_markets_open_on_a_venue_that_others_lead(url: str, prefix: str) -> None:
    venue = Venue(url, prefix)
    with venue.engine("--id", "theirs", "--markets", "RAIN"):
        soon(venue.leads)
        summary = summary_of(traded(*TWO, "--markets", "RAIN,SNOW", env=venue.env))
        assert [book["market"] for book in summary["books"]] == ["MAIN", "RAIN", "SNOW"]
        assert (summary["leader"], summary["elections"]) == ("theirs", 0)
        assert summary["fills"] > 0


def test_the_market_outlives_its_leader(url: str, prefix: str) -> None:
    venue = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix}

    def leader() -> int:
        status = json.loads(call("status", "--json", env=venue).out)
        busy = status["seq"] > 50
        return next((i["pid"] for i in status["instances"] if busy and i["role"] == "leading"), 0)

    with Marked(venue) as marked:
        process = marked.start(*("--headless", "--duration", "4", "--json", "--rate", "500"))
        os.kill(soon(leader), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        summary = summary_of(Result(process.returncode, out, err))
        assert summary["elections"] >= 2
        ledger, published = ledger_of(url, prefix)
        agree(summary, ledger)
        assert published == ledger.fills
        assert soon(marked.processes, lambda left: not left) == {}


def test_a_market_whose_every_engine_dies_says_so(url: str, prefix: str) -> None:
    with Marked({"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix}) as marked:
        process = marked.start(*("--headless", "--duration", "30", "--instances", "1"))
        soon(lambda: marked.count("engine") == 1)
        for pid, line in marked.processes().items():
            if "engine" in line.split():
                os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert out == ""
        assert "every engine instance ended" in err.splitlines()[-1]
        assert "Traceback" not in err
        marked.leave_nothing()
