"""A submit that can't be done: a clear error, and nothing half done."""

import pytest

from matchbox_tui.store import Client, Keys, Link, Overloaded, Refused
from matchbox_tui.store import client as client_module
from tests.store.build import buy, cancel, content


async def test_a_full_queue_refuses_the_whole_batch(
    client: Client, link: Link, keys: Keys, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "QUEUE_LIMIT", 3)
    await client.submit([buy(), buy()])
    before = await content(link, prefix)
    with pytest.raises(Overloaded, match="the order queue holds 2 commands: try again"):
        await client.submit([buy(client_order_id="new"), cancel(1)])
    assert await content(link, prefix) == before
    assert await client.submit([cancel(1)]) == [0]
    with pytest.raises(Overloaded):
        await client.submit([buy()])


@pytest.mark.parametrize("victim", ["queue", "order_id", "known name"])
async def test_a_key_of_another_type_refuses_the_whole_batch(
    client: Client, link: Link, keys: Keys, prefix: str, victim: str
) -> None:
    names = {
        "queue": keys.queue,
        "order_id": keys.order_id,
        "known name": keys.client_order("ada", "mine"),
    }
    await client.submit([buy()])
    await link.call("DEL", names[victim])
    await link.call("HSET", names[victim], "some", "thing")
    before = await content(link, prefix)
    with pytest.raises(Refused, match=f"{names[victim]} holds a value of type hash"):
        await client.submit([buy(client_order_id="1"), buy(trader="ada", client_order_id="mine")])
    assert await content(link, prefix) == before


@pytest.mark.parametrize(
    ("victim", "value"),
    [
        *[("order_id", "seven"), ("known name", "seven"), ("known name", "0")],
        *[("known name", "-5"), ("known name", "1.5"), ("known name", "inf")],
    ],
)
async def test_a_key_that_holds_no_id_refuses_the_whole_batch(
    client: Client, link: Link, keys: Keys, prefix: str, victim: str, value: str
) -> None:
    names = {"order_id": keys.order_id, "known name": keys.client_order("ada", "mine")}
    await client.submit([buy()])
    await link.call("SET", names[victim], value)
    before = await content(link, prefix)
    with pytest.raises(Refused, match=f"{names[victim]} holds"):
        await client.submit([buy(client_order_id="1"), buy(trader="ada", client_order_id="mine")])
    assert await content(link, prefix) == before
