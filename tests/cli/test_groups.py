"""Consumers in `status`, `consume list` and `consume remove`, where nothing else runs."""

import shlex
from collections.abc import Iterator

import pytest
import redis

from matchbox_tui.store import Client, ConsumerGroup, Keys
from tests.cli.venue import Venue


@pytest.fixture
def quiet(url: str, prefix: str) -> Venue:
    return Venue(url, prefix)


@pytest.fixture
def stored(url: str, keys: Keys) -> Iterator[redis.Redis]:
    """With ten commands in the journal, and a fill."""
    opened = redis.Redis.from_url(url)
    opened.hset(keys.cursor, "seq", "10")
    opened.xadd(keys.log, {"b": "[]"}, id="10-0")
    opened.xadd(keys.fills_stream, {"event": "{}"}, id="10-1")
    yield opened
    opened.close()


def test_an_abandoned_consumer_is_told_and_removed(
    quiet: Venue, stored: redis.Redis, keys: Keys
) -> None:
    stored.xgroup_create(keys.log, "bob's", "4-0")
    (told,) = quiet.call("status", "--json").json()["consumers"]
    assert (told["name"], told["behind"], told["state"]) == ("bob's", 6, "abandoned")
    assert quiet.call("consume", "list", "--json").json() == [told]
    table = quiet.call("consume", "list").out
    assert quiet.call("status").out.endswith(table)
    titles, row, words = table.splitlines()
    assert titles.split()[:5] == ["consumer", "stream", "state", "read", "behind"]
    assert row.split() == ["bob's", keys.log, "abandoned", "4-0", "6", "0", "0", "-"]
    assert f"{keys.log} is kept for it" in words
    assert words.endswith("""To remove it: matchbox consume remove 'bob'"'"'s'""")
    removed = quiet.call("consume", "remove", "bob's")
    assert (removed.code, removed.out) == (0, f"removed bob's from {keys.log}\n")
    assert stored.xinfo_groups(keys.log) == []
    assert quiet.call("consume", "list", "--json").json() == []


def test_a_name_that_begins_with_a_dash_is_removed_as_it_is_told(
    quiet: Venue, stored: redis.Redis, keys: Keys
) -> None:
    stored.xgroup_create(keys.log, "--force", "4-0")
    told = quiet.call("status").out.partition("To remove it: matchbox ")[2]
    assert quiet.call(*shlex.split(told)).out == f"removed --force from {keys.log}\n"
    assert stored.xinfo_groups(keys.log) == []


def test_one_that_somebody_else_removed_first_is_not_said_to_be_removed(
    quiet: Venue, stored: redis.Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.xgroup_create(keys.log, "audit", "4-0")
    listed = Client.consumer_groups

    async def listed_late(client: Client) -> list[ConsumerGroup]:
        found = await listed(client)
        stored.xgroup_destroy(keys.log, "audit")
        return found

    monkeypatch.setattr(Client, "consumer_groups", listed_late)
    assert quiet.call("consume", "remove", "audit").out == f"audit was no longer on {keys.log}\n"


def test_one_that_is_at_work_is_removed_by_force_alone(
    quiet: Venue, stored: redis.Redis, keys: Keys
) -> None:
    stored.xgroup_create(keys.fills_stream, "audit", "0")
    stored.xreadgroup("audit", "anna", {keys.fills_stream: ">"})
    assert "is abandoned" not in quiet.call("status").out
    words = quiet.call("consume", "remove", "audit").refusal(2)
    assert "it is at work; stop it first, or remove it with --force" in words
    assert len(stored.xinfo_groups(keys.fills_stream)) == 1
    assert quiet.call("consume", "remove", "audit", "--force").code == 0
    assert stored.xinfo_groups(keys.fills_stream) == []


def test_an_unknown_name_is_told_with_those_there_are(
    quiet: Venue, stored: redis.Redis, keys: Keys
) -> None:
    assert "there are none" in quiet.call("consume", "remove", "x").refusal(2)
    stored.xgroup_create(keys.log, "publisher", "0")
    stored.xgroup_create(keys.log, "a\x1bb", "0")
    words = quiet.call("consume", "remove", "publisher", "--force").refusal(2)
    assert "no such consumer; there are a?b" in words
    assert "\x1b" not in quiet.call("status").out
