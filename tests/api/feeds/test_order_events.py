"""A trader hears of the own orders, all of them and nobody else's."""

from typing import Any

from matchbox_tui.engine import CancelAll, CancelOrder, ExpireOrders, ReplaceOrder
from matchbox_tui.store import Keys, Link
from tests.api.feeds.trading import trade
from tests.api.feeds.watching import Served, heard, silent
from tests.node.venue import Venue, buy, sell


def brief(message: Any, *fields: str) -> tuple[Any, ...]:
    return (message["type"], message["order_id"], *(message[field] for field in fields))


async def test_the_life_of_an_order(led: Venue, served: Served) -> None:
    async with served.watch("/ws/orders?trader=ann") as watcher:
        (order_id,) = await led.client.submit(
            [buy(50, 10, trader="ann", client_order_id="first", timestamp=7)]
        )
        accepted, rested = await heard(watcher, 2)
        assert accepted == {
            "type": "order.accepted",
            "seq": 2,
            "order_id": order_id,
            "market": "MAIN",
            "timestamp": 7,
            "order": {
                "id": order_id,
                "market": "MAIN",
                "side": "buy",
                "type": "limit",
                "price": 50,
                "qty": 10,
                "time_in_force": "GTC",
                "expires_at": 0,
                "post_only": False,
                "reduce_only": False,
                "trader": "ann",
                "client_order_id": "first",
                "self_trade_prevention": "cancel_taker",
                "timestamp": 7,
            },
        }
        assert rested == {
            "type": "order.rested",
            "seq": 2,
            "order_id": order_id,
            "market": "MAIN",
            "timestamp": 7,
            "price": 50,
            "qty": 10,
        }
        await led.client.submit([sell(50, 4, trader="bob", timestamp=8)])
        assert await heard(watcher, 1) == [
            {
                "type": "trade.executed",
                "seq": 3,
                "order_id": order_id,
                "market": "MAIN",
                "timestamp": 8,
                "trade_id": "3-0",
                "price": 50,
                "qty": 4,
                "side": "buy",
                "liquidity": "maker",
            }
        ]
        await led.client.submit([ReplaceOrder(order_id=order_id, qty=9, timestamp=9)])
        (replaced,) = await heard(watcher, 1)
        assert brief(replaced, "price", "qty", "leaves_qty", "priority_kept") == (
            *("order.replaced", order_id),
            *(50, 9, 5, True),
        )
        await led.client.submit([ReplaceOrder(order_id=order_id, price=49, timestamp=10)])
        assert [brief(message, "price", "qty") for message in await heard(watcher, 2)] == [
            ("order.replaced", order_id, 49, 9),
            ("order.rested", order_id, 49, 5),
        ]
        await led.client.submit([CancelOrder(order_id, timestamp=11)])
        (cancelled,) = await heard(watcher, 1)
        assert brief(cancelled, "qty", "reason") == ("order.cancelled", order_id, 5, "requested")
        await led.client.submit([CancelOrder(order_id), ReplaceOrder(order_id=order_id, qty=3)])
        too_late = await heard(watcher, 2)
        assert [brief(message, "reason") for message in too_late] == [
            ("order.cancel_rejected", order_id, "unknown_order"),
            ("order.replace_rejected", order_id, "unknown_order"),
        ]
        assert (too_late[1]["price"], too_late[1]["qty"]) == (None, 3)
        assert await silent(watcher)


async def test_both_sides_of_a_trade_hear_of_their_own_order(led: Venue, served: Served) -> None:
    async with (
        served.watch("/ws/orders?trader=ann") as ann,
        served.watch("/ws/orders?trader=bob") as bob,
    ):
        maker, taker = await led.client.submit(
            [sell(50, 3, trader="ann"), buy(51, 3, trader="bob")]
        )
        assert [brief(message) for message in await heard(ann, 3)] == [
            ("order.accepted", maker),
            ("order.rested", maker),
            ("trade.executed", maker),
        ]
        accepted, traded = await heard(bob, 2)
        assert brief(accepted) == ("order.accepted", taker)
        assert brief(traded, "side", "liquidity", "price", "qty") == (
            *("trade.executed", taker),
            *("buy", "taker", 50, 3),
        )
        for told in (accepted, traded):
            assert "ann" not in str(told)


async def test_a_trade_with_oneself_is_told_for_each_order(led: Venue, served: Served) -> None:
    async with served.watch("/ws/orders?trader=ann") as watcher:
        none: dict[str, Any] = {"trader": "ann", "self_trade_prevention": "none"}
        maker, taker = await led.client.submit([sell(50, 3, **none), buy(50, 3, **none)])
        told = [message for message in await heard(watcher, 5) if "trade_id" in message]
        assert [brief(message, "side", "liquidity") for message in told] == [
            ("trade.executed", maker, "sell", "maker"),
            ("trade.executed", taker, "buy", "taker"),
        ]


async def test_the_anonymous_trader(led: Venue, served: Served) -> None:
    async with served.watch("/ws/orders?trader=") as watcher:
        ids = await led.client.submit([buy(50, trader="ann"), buy(50)])
        assert brief((await heard(watcher, 1))[0]) == ("order.accepted", ids[1])


async def test_what_ends_an_order_by_itself(led: Venue, served: Served) -> None:
    async with served.watch("/ws/orders?trader=ann") as watcher:
        timed: dict[str, Any] = {"time_in_force": "GTD", "expires_at": 50, "timestamp": 1}
        immediate, due, post_only = await led.client.submit(
            [
                buy(50, 2, trader="ann", time_in_force="IOC"),
                buy(48, 3, trader="ann", **timed),
                buy(0, 4, trader="ann"),
            ]
        )
        await led.client.submit([ExpireOrders(60)])
        told = await heard(watcher, 6)
        assert [brief(message) for message in told] == [
            ("order.accepted", immediate),
            ("order.expired", immediate),
            ("order.accepted", due),
            ("order.rested", due),
            ("order.rejected", post_only),
            ("order.expired", due),
        ]
        assert (told[1]["qty"], told[1]["reason"]) == (2, "immediate")
        assert (told[4]["reason"], told[4]["order"]["price"]) == ("invalid_price", 0)
        assert (told[5]["qty"], told[5]["reason"]) == (3, "time")


async def test_all_of_many_orders_that_end_at_once(led: Venue, served: Served) -> None:
    """More than the gateway remembers of ended orders, in one commit."""
    served.gateway.view.orders._ended_kept = 10
    orders = [buy(40, 1, trader="ann") for _ in range(500)]
    await served.shows(await trade(led, orders))
    async with served.watch("/ws/orders?trader=ann") as watcher:
        await led.client.submit([CancelAll(trader="ann")])
        told = await heard(watcher, 500)
        assert {message["type"] for message in told} == {"order.cancelled"}
        assert len({message["order_id"] for message in told}) == 500


async def test_what_belongs_to_nobody_harms_nobody(
    led: Venue, served: Served, link: Link, keys: Keys
) -> None:
    async with served.watch("/ws/orders?trader=") as watcher:
        await link.call("RPUSH", keys.queue, "{", '{"op":"halt_market","market":"NONE"}')
        await led.client.submit([CancelOrder(999), CancelAll(trader=""), buy(50)])
        assert brief((await heard(watcher, 1))[0])[0] == "order.accepted"
