"""Consumers in `status`, `consume list` and `consume remove`, where nothing else runs."""

from collections.abc import Iterator

import pytest
import redis

from matchbox_tui.store import Keys
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
