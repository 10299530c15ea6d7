"""The OpenAPI document: the framework's, made out of the handlers, and what it leaves out."""

import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.typing import FieldDefinition

from matchbox_tui.api.answers import Problem
from matchbox_tui.api.limits import FREE_PATHS
from matchbox_tui.api.shapes import order_shapes
from matchbox_tui.engine import Market

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"

_DESCRIPTION = (
    "Orders are queued: an answer with an order id says that the order will be matched in its"
    " turn, and GET /orders/{id} what became of it. Prices are in ticks, quantities in contracts,"
    " times in ns since the epoch; all are whole numbers. A 400 is a rule that the request breaks,"
    " a 422 a request that can't be understood."
)

_RETRY_AFTER = {
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}

_FRESHNESS = {
    "Matchbox-Sequence": {
        "description": "The last command of the venue that the answer knows of.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "Matchbox-Age": {
        "description": "How long ago that was known to be all there is, in ms.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
}

_MISSING = {
    "Matchbox-Missing": {
        "description": "Commands of which nothing is known, as first-last,...: what traded or ended"
        " at one of them may be missing from the answer.",
        "required": False,
        "schema": {"type": "string", "pattern": "^[0-9]+-[0-9]+(,[0-9]+-[0-9]+)*$"},
    },
}

PAGES = ("listOrders", "listTrades")
"""The operations that go back as far as anything is known."""

READS_OF_THE_VIEW = ("Orders", "Market data")
"""The tags whose GETs say how fresh they are."""

_EXAMPLES: dict[str, dict[str, Json]] = {
    "placeOrder": {
        "limit": {"side": "buy", "price": 50, "qty": 10},
        "market": {"side": "sell", "type": "market", "qty": 5},
        "immediate": {"side": "buy", "price": 55, "qty": 10, "time_in_force": "IOC"},
        "maker": {
            "side": "sell",
            "price": 60,
            "qty": 10,
            "post_only": True,
            "trader": "alice",
            "client_order_id": "alice-1",
        },
    },
    "placeOrders": {
        "two sides": {
            "orders": [
                {"side": "buy", "price": 49, "qty": 10, "trader": "maker"},
                {"side": "sell", "price": 51, "qty": 10, "trader": "maker"},
            ]
        }
    },
    "replaceOrder": {"price": {"price": 52}, "both": {"price": 52, "qty": 20}},
}


class Document:
    """The document of one application: made once, then kept up with the markets."""

    def __init__(self, handlers: Sequence[HTTPRouteHandler], *, token: bool, limited: bool) -> None:
        self._handlers = handlers
        self._token = token
        self._limited = limited
        self._plain: Json | None = None
        self._general: Json = {}

    def of(self, markets: Iterable[Market]) -> Json:
        """The document for a venue with these markets."""
        if self._plain is None:
            self._plain = self._made()
            self._general = self._plain["components"]["schemas"]["OrderRequest"]
        markets = tuple(markets)
        document = dict(self._plain)
        schemas = dict(document["components"]["schemas"])
        # What is over can't be the end of an order; later than now, which no schema can say.
        self._general["properties"]["expires_at"]["minimum"] = time.time_ns()
        schemas["OrderRequest"] = order_shapes(self._general, markets)
        document["components"] = {**document["components"], "schemas": schemas}
        symbols = [market.symbol for market in markets]
        for operation in _operations(document):
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "market":
                    parameter["schema"]["enum"] = symbols
        return document

    def _made(self) -> Json:
        document = Litestar(
            list(self._handlers),
            openapi_config=OpenAPIConfig(
                title="Matchbox", version=version("matchbox-tui"), description=_DESCRIPTION
            ),
            logging_config=None,
        ).openapi_schema.to_schema()
        document["components"]["schemas"] |= _schemas(self._handlers)
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if path not in FREE_PATHS:
                    self._guard(operation)
                _complete(operation, method)
        if self._token:
            document["components"]["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"}
            }
        return document

    def _guard(self, operation: Json) -> None:
        responses = operation["responses"]
        if self._token:
            operation["security"] = [{"token": []}]
            responses["401"] = _problem("The token is missing or wrong.")
        if self._limited:
            responses["429"] = _problem("Too many requests a second.") | {"headers": _RETRY_AFTER}


def _complete(operation: Json, method: str) -> None:
    """Adds examples and headers, and tidies parameters."""
    for parameter in operation.get("parameters", ()):
        _tidy(parameter)
    examples = _EXAMPLES.get(operation["operationId"])
    if examples is not None:
        (content,) = operation["requestBody"]["content"].values()
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    responses = operation["responses"]
    # The framework adds a 400 of its own kind wherever there are parameters.
    if "Validation Exception" in str(responses.get("400")):
        del responses["400"]
    operation["responses"] = responses = dict(sorted(responses.items()))
    for status, response in responses.items():
        if not response.get("headers"):
            response.pop("headers", None)
        if status == "503":
            response["headers"] = _RETRY_AFTER
    if method == "get" and set(operation.get("tags", ())) & set(READS_OF_THE_VIEW):
        pages = operation["operationId"] in PAGES
        responses["200"]["headers"] = _FRESHNESS | (_MISSING if pages else {})


def _tidy(parameter: Json) -> None:
    """A parameter that may be left out is not null: it has no such value. Bounds are integers."""
    for name in ("deprecated", "allowEmptyValue", "allowReserved"):
        parameter.pop(name, None)
    schema = parameter["schema"]
    choices = schema.pop("oneOf", ())
    for choice in choices:
        if choice.get("type") != "null":
            schema |= choice
    schema.pop("description", None)
    for bound in ("minimum", "maximum"):
        if bound in schema:
            schema[bound] = int(schema[bound])


def _problem(description: str) -> Json:
    schema = {"$ref": _REF.format(name=Problem.__name__)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _schemas(handlers: Iterable[HTTPRouteHandler]) -> Json:
    """The messages as their decoder and encoder see them."""
    kinds = {kind for handler in handlers for kind in _messages(handler)}
    _, schemas = msgspec.json.schema_components(
        sorted(kinds, key=lambda kind: kind.__name__), ref_template=_REF
    )
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = " ".join(schema["description"].split())
    if "ReplaceRequest" in schemas:
        schemas["ReplaceRequest"]["minProperties"] = 1
    return schemas


def _messages(handler: HTTPRouteHandler) -> Iterator[type[msgspec.Struct]]:
    signature = handler.parsed_fn_signature
    fields = [signature.return_type, *signature.parameters.values()]
    fields += [
        FieldDefinition.from_annotation(response.data_container)
        for response in (handler.responses or {}).values()
    ]
    while fields:
        field = fields.pop()
        fields += field.inner_types
        if isinstance(field.annotation, type) and issubclass(field.annotation, msgspec.Struct):
            yield field.annotation


def _operations(document: Json) -> Iterator[Json]:
    for item in document["paths"].values():
        yield from item.values()
