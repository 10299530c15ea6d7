"""Another program put something of its own where a venue keeps a value: the key is named."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest

from matchbox_tui.node import Settings
from matchbox_tui.store import Refused
from matchbox_tui.store.scripts import Script
from tests.chaos.going_on import holds, opened, says, trades
from tests.node.venue import Venue, buy, sell
from tests.waiting import eventually

SNAPPING = Settings(lease_ms=500, renew_ms=100, poll_ms=10, snapshot_ms=200)

# Puts another program's value in the place of ours, which goes aside; and back.
_TAKE = Script("""
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[2])
end
redis.call(unpack(ARGV))
""")
_GIVE_BACK = Script("""
redis.call('DEL', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[1])
end
""")


@pytest.mark.parametrize(
    ("name", "kept", "told"),
    [
        ("queue", "list", "client"),
        ("order_id", "number", "client"),
        ("leader", "string", "instances"),
        ("epoch", "number", "instances"),
        ("cursor", "hash", "instances"),
        ("log", "stream", "instances"),
        ("fills_stream", "stream", "publisher"),
        ("snapshots", "zset", "instances"),
        ("instances", "zset", "status"),
    ],
)
async def test_a_key_that_another_program_took_is_named_and_all_goes_on_when_it_is_back(
    venue: Venue, name: str, kept: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(venue, SNAPPING)
    key = getattr(venue.keys, name)
    words = f"{key} holds a value of type set, a venue keeps a {kept} there"
    await venue.link.run(_TAKE, (key, "aside"), ("SADD", key, "x"))
    if told == "client":
        await says(venue, Refused, words)
    elif told == "status":
        with pytest.raises(Refused, match=words):
            await venue.client.cluster()
        # It is nothing that trading needs.
        await trades(venue)
    else:
        if told == "publisher":
            await venue.client.submit([buy(50), sell(50)])
        await eventually(_logged(caplog, words))
    await venue.link.run(_GIVE_BACK, (key, "aside"), ())
    await holds(venue)


def _logged(caplog: pytest.LogCaptureFixture, words: str) -> Callable[[], Awaitable[bool]]:
    async def logged() -> bool:
        return words in caplog.text

    return logged


async def test_an_epoch_that_is_no_number_is_made_one_again(venue: Venue) -> None:
    await opened(venue)
    await venue.link.call("SET", venue.keys.epoch, "x")
    await holds(venue)


async def test_an_id_counter_that_is_no_number_is_named(venue: Venue) -> None:
    await opened(venue)
    await venue.link.call("SET", venue.keys.order_id, "x")
    await says(venue, Refused, f"{venue.keys.order_id} holds a value of type text")
    await venue.link.call("DEL", venue.keys.order_id)
    await holds(venue)


async def test_what_is_written_again_anyway_heals_by_itself(venue: Venue) -> None:
    await opened(venue)
    for key in (venue.keys.book("MAIN"), venue.keys.instance("a"), venue.keys.instance("b")):
        await venue.link.run(_TAKE, (key, "aside"), ("SADD", key, "x"))
    await trades(venue)
    await eventually(lambda: _shown(venue))
    await holds(venue)
    book = await venue.client.published_book("MAIN")
    assert book == (await venue.replica()).exchange.book().snapshot(100)


async def _shown(venue: Venue) -> bool:
    """Whether the status shows both instances."""
    with contextlib.suppress(Refused):
        status = await venue.client.cluster()
        return {one.id for one in status.instances} == {"a", "b"}
    return False
