"""What is done on the screen, as it would be typed in a shell."""

import shlex
from urllib.parse import urlsplit

from matchbox_tui.engine import (
    DEFAULT_MARKET,
    CancelAll,
    CancelOrder,
    HaltMarket,
    NewOrder,
    OrderType,
    ReplaceOrder,
    ResumeMarket,
    TimeInForce,
)

Asked = NewOrder | CancelOrder | CancelAll | ReplaceOrder | HaltMarket | ResumeMarket


HOME = "redis://127.0.0.1:6379"
"""The server that a command asks where nothing names another."""


def shell_setup(url: str, prefix: str) -> str:
    """What a shell needs to be told first, so that the commands reach this venue; maybe nothing.

    A password is not shown: others may look at the screen.
    """
    words = []
    if url not in ("", HOME):
        password = urlsplit(url).password
        shown = url.replace(f":{password}@", ":PASSWORD@", 1) if password else url
        words.append(f"REDIS_URL={shown}")
    if prefix:
        words.append(f"MATCHBOX_KEY_PREFIX={prefix}")
    return shlex.join(["export", *words]) if words else ""


def twin(command: Asked) -> str:
    """The command line that asks for the same: matchbox buy 10 50 --market RAIN."""
    match command:
        case NewOrder():
            words = _order(command)
        case CancelOrder():
            words = ["cancel", str(command.order_id)]
        case CancelAll():
            words = ["cancel-all", *_option("--trader", command.trader)]
            words += _option("--market", command.market or "")
        case ReplaceOrder():
            words = ["replace", str(command.order_id)]
            words += [] if command.qty is None else ["--qty", str(command.qty)]
            words += [] if command.price is None else ["--price", str(command.price)]
        case HaltMarket():
            words = ["halt", command.market]
        case ResumeMarket():
            words = ["resume", command.market]
    return shlex.join(["matchbox", *words])


def _order(order: NewOrder) -> list[str]:
    words = [order.side.value, str(order.qty)]
    if order.type is OrderType.MARKET:
        words += ["--type", "market"]
    else:
        words.append(str(order.price))
        if order.time_in_force is not TimeInForce.GTC:
            words += ["--tif", order.time_in_force.value]
    words += ["--post-only"] if order.post_only else []
    words += ["--reduce-only"] if order.reduce_only else []
    if order.market != DEFAULT_MARKET:
        words += _option("--market", order.market)
    return words + _option("--trader", order.trader)


def _option(name: str, value: str) -> list[str]:
    return [name, value] if value else []
