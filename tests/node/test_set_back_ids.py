"""Ids and epochs after the store was set back: none is used twice."""

import asyncio
import operator
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from matchbox_tui.store import (
    Store,
)
from tests.node.backups import Backup
from tests.node.set_back import (
    SHORT,
    agree,
    any_orders,
    by_a_stranger,
    knows,
    said_set_back,
    submit,
    times_said,
)
from tests.node.venue import QUIET, Venue
from tests.waiting import eventually


async def test_ids_that_were_given_but_not_yet_journaled_are_not_given_again(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    before = await submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    gate, commit = asyncio.Event(), Store.commit

    async def held(self: Store, *args: object) -> object:
        await gate.wait()
        return await commit(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "commit", held)
    before += await venue.client.submit(any_orders(40))
    await eventually(knows(venue, "b", before[-1]))
    await backup.restore()
    gate.set()
    await eventually(_counter(venue), lambda counter: counter > before[-1])
    after = await by_a_stranger(venue, 10)
    assert min(after) > max(before)
    await agree(venue)


def _counter(venue: Venue) -> Callable[[], Awaitable[int]]:
    async def counter() -> int:
        return int(await venue.link.call("GET", venue.keys.order_id) or 0)

    return counter


async def test_a_client_gets_no_id_twice_even_before_any_instance_has_looked(
    venue: Venue,
) -> None:
    backup = await Backup.of(venue.link, venue.prefix)
    seen: set[int] = set()
    for _ in range(3):
        ids = await venue.client.submit(any_orders(10))
        assert not seen & set(ids)
        seen |= set(ids)
        await backup.restore()
    await venue.lead("a", settings=QUIET)
    assert not seen & set(await venue.client.submit(any_orders(10)))


@pytest.mark.parametrize("times", [3])
async def test_set_back_again_and_again_no_id_is_given_twice_and_epochs_rise(
    venue: Venue, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abc":
        venue.start(name, settings=SHORT)
    await venue.leader()
    given = await submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    epochs = [(await venue.client.cluster()).epoch]
    for round_ in range(times):
        given += await submit(venue, 10, round_)
        leader = await venue.leader()
        await venue.instances.pop(leader).crash()
        venue.start(f"{leader}{round_}", settings=SHORT)
        await venue.leader()
        await agree(venue)
        said = len(said_set_back(caplog))
        await backup.restore()
        await eventually(times_said(caplog), partial(operator.le, said + 3))
        given += await by_a_stranger(venue, 5)
        await eventually(venue.client.cluster, lambda status: status.queue_depth == 0)
        await agree(venue)
        epochs.append((await venue.client.cluster()).epoch)
    assert len(set(given)) == len(given)
    assert epochs == sorted(set(epochs))


@pytest.mark.parametrize("what", ["deleted", "set to an older value"])
async def test_a_counter_that_fell_goes_on_above_all_ids_that_were_seen(
    venue: Venue, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    before = await submit(venue, 30)
    await eventually(knows(venue, "b", 30))
    if what == "deleted":
        await venue.link.call("DEL", venue.keys.order_id)
    else:
        await venue.link.call("SET", venue.keys.order_id, 5)
    await eventually(_counter(venue), lambda counter: counter > 30)
    assert min(await by_a_stranger(venue, 10)) > max(before)
    fell = 0 if what == "deleted" else 5
    assert f"The order id counter was set back from 30 to {fell}" in caplog.text
    # The journal is as it was.
    assert said_set_back(caplog) == []
    await agree(venue)


async def test_a_lost_counter_is_known_from_the_snapshot_where_nobody_was_there(
    venue: Venue,
) -> None:
    instance = await venue.lead("a", settings=QUIET)
    before = await submit(venue, 30)
    await venue.snapshot()
    await instance.stop()
    await venue.link.call("DEL", venue.keys.order_id)
    await venue.lead("b", settings=QUIET)
    assert min(await by_a_stranger(venue, 10)) > max(before)
