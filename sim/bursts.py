"""The orders of a burst, the same ones for both runners."""

from matchbox_tui.engine import NewOrder, OrderType, Side, TimeInForce
from sim.agents import Action
from sim.scenario import Burst


def burst_orders(burst: Burst, trader: str) -> list[Action]:
    """What the trader of a burst sends; times are the runner's to fill in."""
    sides = (Side(burst.side),) if burst.side else tuple(Side)
    return [
        NewOrder(
            order_id=0,
            market=burst.market,
            side=sides[number % len(sides)],
            type=OrderType.MARKET,
            qty=burst.qty,
            trader=trader,
            time_in_force=TimeInForce.IOC,
        )
        for number in range(burst.orders)
    ]
