"""Which requests are valid together: what the types of single fields can't say, as JSON Schema.

The rules are the engine's (`refusal_of_terms`); this states them for those who read the document.
"""

from collections.abc import Iterable
from typing import Any

from matchbox_tui.engine import DEFAULT_MARKET, MAX_PRICE, Market

Json = dict[str, Any]

TERMS_LISTED = 8
"""How many kinds of market (range and tick) the document tells apart. Where there are more, it
says what is valid in some market.
"""

_LIMIT = {"type": {"type": "string", "const": "limit"}}
_MARKET = {"type": {"type": "string", "const": "market"}}

_KINDS: list[tuple[str, list[str], Json, list[str]]] = [
    (
        "Limit order that rests",
        ["price"],
        {**_LIMIT, "time_in_force": {"const": "GTC"}, "reduce_only": {"const": False}},
        ["expires_at"],
    ),
    (
        "Limit order that rests until a time",
        ["price", "time_in_force", "expires_at"],
        {**_LIMIT, "time_in_force": {"const": "GTD"}, "reduce_only": {"const": False}},
        [],
    ),
    (
        "Limit order that trades at once or not at all",
        ["price", "time_in_force"],
        {**_LIMIT, "time_in_force": {"enum": ["IOC", "FOK"]}, "post_only": {"const": False}},
        ["expires_at"],
    ),
    (
        "Market order",
        ["type"],
        {
            **_MARKET,
            "time_in_force": {"enum": ["GTC", "IOC", "FOK"]},
            "post_only": {"const": False},
        },
        ["price", "expires_at"],
    ),
    (
        "Market order with a time",
        ["type", "time_in_force", "expires_at"],
        {**_MARKET, "time_in_force": {"const": "GTD"}, "post_only": {"const": False}},
        ["price"],
    ),
]
"""The kinds of order: title, required fields, what fields hold, and fields that it has not."""


def order_shapes(general: Json, markets: Iterable[Market]) -> Json:
    """The schema of an order out of the one that knows its fields alone."""
    groups = _by_terms(markets)
    shapes = []
    for title, required, fields, without in _KINDS:
        if "price" in without:
            symbols = [symbol for _, symbols in groups for symbol in symbols]
            shapes.append(_shape(general, title, required, fields, without, {}, symbols))
            continue
        for price, symbols in groups:
            named = f"{title} ({', '.join(symbols[:3])}{', ...' if len(symbols) > 3 else ''})"
            shapes.append(_shape(general, named, required, fields, without, price, symbols))
    return {
        "title": general["title"],
        "description": general["description"],
        "type": "object",
        "oneOf": shapes,
    }


def _by_terms(markets: Iterable[Market]) -> list[tuple[Json, list[str]]]:
    """Symbols by the prices that their markets take."""
    groups: dict[tuple[int, int, int], list[str]] = {}
    for market in markets:
        terms = (market.min_price, market.max_price or MAX_PRICE, market.tick)
        groups.setdefault(terms, []).append(market.symbol)
    if len(groups) > TERMS_LISTED:
        return [({}, [symbol for symbols in groups.values() for symbol in symbols])]
    return [
        (
            {"minimum": low, "maximum": high} | ({"multipleOf": tick} if tick != 1 else {}),
            symbols,
        )
        for (low, high, tick), symbols in groups.items()
    ]


def _shape(
    general: Json,
    title: str,
    required: list[str],
    fields: Json,
    without: list[str],
    price: Json,
    symbols: list[str],
) -> Json:
    """One kind of order in markets of one kind."""
    properties = {
        name: {**schema, **price} if name == "price" else schema
        for name, schema in general["properties"].items()
        if name not in without
    }
    properties |= fields
    properties["market"] = {**general["properties"]["market"], "enum": symbols}
    if DEFAULT_MARKET not in symbols:
        properties["market"].pop("default")
        required = [*required, "market"]
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "required": [*general["required"], *required],
        "additionalProperties": False,
    }
