"""The check of the chaos can fail: each thing that it promises to see, it sees."""

import re
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from matchbox_tui.engine import (
    Event,
    OrderAccepted,
    TradeExecuted,
    decode_events,
    encode_events,
)
from matchbox_tui.store import Entry, chained, fill_message
from matchbox_tui.store.journal import parse_entry
from sim.floor import FloorRecord
from tests.chaos.check import Wrong, check
from tests.node.venue import PATIENT, Venue, buy, sell
from tests.waiting import eventually

ORDERS = 6

Fill = tuple[str, bytes]


class Scene:
    """A venue that did well: six orders, two fills, and everybody agrees. To be tampered with."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.link, self.keys = venue.link, venue.keys
        self.record = FloorRecord()
        self.entries: list[Entry] = []

    async def play(self) -> None:
        await self.venue.lead("a", settings=PATIENT)
        for batch in ([buy(50), buy(49)], [sell(50), sell(60)], [sell(49), buy(70, 0)]):
            self.record.acknowledge(await self.venue.client.submit(batch))
            await self.venue.handled()
        await eventually(self.venue.client.count_fills, lambda count: count == 2)
        await self.venue.stop()
        await self.look()
        state = (await self.venue.replica()).exchange.state_hash()
        await self.publish_hash(state)

    async def look(self) -> None:
        """What is in the journal is what was seen."""
        self.entries = [
            parse_entry(entry) for entry in await self.link.call("XRANGE", self.keys.log, "-", "+")
        ]

    async def publish_hash(self, state: str) -> None:
        await self.link.call(
            *("XADD", self.keys.hashes, "*", "id", "a", "role", "leading", "epoch", 1),
            *("seq", ORDERS, "hash", state),
        )

    async def rewrite(self, change: Callable[[int, list[Event]], list[Event]]) -> None:
        """Writes the whole journal anew, with a chain that holds."""
        await self.link.call("DEL", self.keys.log)
        chain = ""
        for n, entry in enumerate(self.entries):
            blob = encode_events(change(n, entry.events))
            chain = chained(chain, blob)
            fields = ("v", "1", "e", entry.epoch, "c", chain, "b", blob)
            await self.link.call("XADD", self.keys.log, f"{entry.seq}-0", *fields)
        await self.link.call("HSET", self.keys.cursor, "chain", chain)
        await self.look()

    async def check(self) -> None:
        venue = self.venue
        await check(
            *(venue.client, self.link, self.keys, self.record, self.entries),
            instances=["a"],
            patience=0.2,
        )


@pytest.fixture
async def scene(venue: Venue) -> Scene:
    made = Scene(venue)
    await made.play()
    return made


async def test_a_venue_that_did_well_passes(scene: Scene) -> None:
    await scene.check()


async def _an_order_lost(scene: Scene) -> None:
    scene.record.acknowledge([ORDERS + 1])


async def _an_id_given_twice(scene: Scene) -> None:
    scene.record.acknowledge([2])


async def _an_order_that_nobody_sent(scene: Scene) -> None:
    scene.record.order_ids.pop()


async def _an_entry_gone(scene: Scene) -> None:
    await scene.link.call("XDEL", scene.keys.log, f"{scene.entries[1].seq}-0")


async def _the_last_entry_gone(scene: Scene) -> None:
    await scene.link.call("XDEL", scene.keys.log, f"{ORDERS}-0")
    await scene.look()


async def _history_rewritten_since_it_was_seen(scene: Scene) -> None:
    seen = scene.entries
    await scene.rewrite(_other_price)
    scene.entries = seen


async def _a_fill_at_another_price_that_all_agree_on(scene: Scene) -> None:
    await scene.rewrite(_other_price)
    fills = [
        one for entry in scene.entries for one in entry.events if isinstance(one, TradeExecuted)
    ]
    await _change_fills(
        scene, lambda _: [(one.trade_id, msgspec.json.encode(fill_message(one))) for one in fills]
    )
    await scene.link.call("DEL", scene.keys.hashes)
    await scene.publish_hash((await scene.venue.replica()).exchange.state_hash())


def _other_price(n: int, events: list[Event]) -> list[Event]:
    return [
        msgspec.structs.replace(event, price=event.price + 1)
        if isinstance(event, TradeExecuted)
        else event
        for event in events
    ]


def _other_of_two(found: re.Match[bytes]) -> bytes:
    return found[1] + (b"1" if found[2] == b"2" else b"2")


async def _two_orders_in_each_other_s_place(scene: Scene) -> None:
    def swap(n: int, events: list[Event]) -> list[Event]:
        text = re.sub(rb'(id":)([12])\b', _other_of_two, encode_events(events))
        return decode_events(text)

    await scene.rewrite(swap)


async def _an_order_answered_twice(scene: Scene) -> None:
    first = next(one for one in scene.entries[0].events if isinstance(one, OrderAccepted))
    await scene.rewrite(lambda n, events: [first, *events] if n == 0 else events)


async def _the_cursor_elsewhere(scene: Scene) -> None:
    await scene.link.call("HSET", scene.keys.cursor, "seq", ORDERS - 1)


async def _the_epoch_fallen(scene: Scene) -> None:
    await scene.link.call("SET", scene.keys.epoch, 0)


async def _a_fill_not_published(scene: Scene) -> None:
    await _change_fills(scene, lambda fills: fills[:-1])


async def _a_fill_published_twice(scene: Scene) -> None:
    await _change_fills(scene, lambda fills: [*fills, (f"{ORDERS + 1}-0", fills[0][1])])


async def _fills_in_another_order(scene: Scene) -> None:
    await _change_fills(
        scene, lambda fills: [(fills[0][0], fills[1][1]), (fills[1][0], fills[0][1])]
    )


async def _change_fills(scene: Scene, change: Callable[[list[Fill]], list[Fill]]) -> None:
    reply = await scene.link.call("XRANGE", scene.keys.fills_stream, "-", "+")
    await scene.link.call("DEL", scene.keys.fills_stream)
    for name, text in change([(name.decode(), flat[1]) for name, flat in reply]):
        await scene.link.call("XADD", scene.keys.fills_stream, name, "event", text)


async def _an_instance_with_another_state(scene: Scene) -> None:
    await scene.link.call("DEL", scene.keys.hashes)
    await scene.publish_hash("0" * 16)


@pytest.mark.parametrize(
    ("tamper", "seen"),
    [
        (_an_order_lost, "acknowledged orders never happened"),
        (_an_id_given_twice, "one id was given to two orders"),
        (_an_order_that_nobody_sent, "orders happened"),
        (_an_entry_gone, "not the one that was seen before"),
        (_the_last_entry_gone, "the cursor is at"),
        (_history_rewritten_since_it_was_seen, "not the one that was seen before"),
        (_a_fill_at_another_price_that_all_agree_on, "I4 FAIL"),
        (_two_orders_in_each_other_s_place, "in another order than they were queued"),
        (_an_order_answered_twice, "answered twice"),
        (_the_cursor_elsewhere, "the cursor is at"),
        (_the_epoch_fallen, "epoch"),
        (_a_fill_not_published, "events_stream does not hold"),
        (_a_fill_published_twice, "events_stream does not hold"),
        (_fills_in_another_order, "events_stream does not hold"),
        (_an_instance_with_another_state, "state hashes at 6 differ"),
    ],
)
async def test_what_is_wrong_is_seen(
    scene: Scene, tamper: Callable[[Scene], Awaitable[None]], seen: str
) -> None:
    await tamper(scene)
    with pytest.raises(Wrong, match=seen):
        await scene.check()
