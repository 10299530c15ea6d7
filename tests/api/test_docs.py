"""/docs: a page that needs nothing else, and an OpenAPI document that is true."""

from html.parser import HTMLParser
from typing import Any

import pytest

from matchbox_tui.api.openapi import Document
from matchbox_tui.api.routes import market_data_routes, order_routes
from matchbox_tui.api.shapes import TERMS_LISTED
from matchbox_tui.engine import CreateMarket, Market
from tests.api.serving import Api, serving
from tests.node.venue import Venue


async def test_the_document_lists_every_route_with_its_answers(api: Api) -> None:
    document = await api.get("/docs/openapi.json")
    assert document["openapi"].startswith("3.1")
    methods = {path: set(item) for path, item in document["paths"].items()}
    assert methods["/orders"] == {"get", "post", "delete"}
    assert methods["/orders/{order_id}"] == {"get", "patch", "delete"}
    assert {
        *("/orders/batch", "/orderbook", "/trades", "/markets", "/positions"),
        *("/health", "/ready", "/cluster", "/metrics"),
    } < set(methods)
    statuses = set(document["paths"]["/orders"]["post"]["responses"])
    assert statuses == {"200", "201", "400", "413", "415", "422", "503", "504"}
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status[0] in "45" and status != "503":
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}


async def test_the_document_says_what_an_instance_that_is_not_ready_answers(api: Api) -> None:
    document = await api.get("/docs/openapi.json")
    responses = document["paths"]["/ready"]["get"]["responses"]
    for status in ("200", "503"):
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ReadyAnswer"}
    assert "Retry-After" in responses["503"]["headers"]


async def test_every_reference_in_the_document_leads_somewhere(api: Api) -> None:
    document = await api.get("/docs/openapi.json")
    schemas = document["components"]["schemas"]

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            found = {value["$ref"]} if "$ref" in value else set()
            return found.union(*map(references, value.values()))
        if isinstance(value, list):
            return set().union(*map(references, value))
        return set()

    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names <= set(schemas)
    assert set(schemas) <= names, "what nothing refers to"


async def test_every_example_works(api: Api) -> None:
    """In the order of the page: the first order is the one that the others are about."""
    document = await api.get("/docs/openapi.json")
    tried = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            examples = content.get("application/json", {}).get("examples", {})
            for example in examples.values():
                order_id = await api.place("buy", 1, 10)
                url = path.replace("{order_id}", str(order_id))
                answer = await api.http.request(method, url, json=example["value"])
                assert answer.status_code in (201, 202), answer.text
                tried += 1
    assert tried >= 6


async def test_the_document_knows_the_markets_that_there_are(api: Api) -> None:
    async def market_names() -> set[str]:
        document = await api.get("/docs/openapi.json")
        (parameter,) = (
            parameter
            for parameter in document["paths"]["/orderbook"]["get"]["parameters"]
            if parameter["name"] == "market"
        )
        return set(parameter["schema"]["enum"])

    assert await market_names() == {"MAIN", "RAIN"}
    await api.gateway.ask(CreateMarket(Market("<SNOW>"), 1))  # No symbol: refused.
    await api.gateway.ask(CreateMarket(Market("SNOW", "<b>Snow?</b>", 10, 90, 5), 1))
    await api.settled()
    assert await market_names() == {"MAIN", "RAIN", "SNOW"}


def shapes(document: dict[str, Any], *fields: str) -> list[dict[str, Any]]:
    """The kinds of order that have all these fields."""
    return [
        shape
        for shape in document["components"]["schemas"]["OrderRequest"]["oneOf"]
        if set(fields) <= set(shape["properties"])
    ]


async def test_the_document_says_which_prices_a_market_takes(api: Api) -> None:
    await api.gateway.ask(CreateMarket(Market("SNOW", "", 10, 90, 5), 1))
    await api.settled()
    document = await api.get("/docs/openapi.json")
    terms = {
        symbol: {
            (price["minimum"], price["maximum"], price.get("multipleOf"))
            for shape in shapes(document, "price")
            for price in [shape["properties"]["price"]]
            if symbol in shape["properties"]["market"]["enum"]
        }
        for symbol in ("MAIN", "RAIN", "SNOW")
    }
    assert terms == {"MAIN": {(1, 10**12, None)}, "RAIN": {(1, 99, None)}, "SNOW": {(10, 90, 5)}}
    for shape in shapes(document):
        others = "MAIN" not in shape["properties"]["market"]["enum"]
        assert ("market" in shape["required"]) == others


def test_many_kinds_of_market_do_not_swell_the_document() -> None:
    gateway: Any = None
    handlers = [*order_routes(gateway), *market_data_routes(gateway)]
    document = Document(handlers, token=False, limited=False)
    few = document.of([Market("MAIN")])
    many = document.of([Market(f"M{top}", max_price=top) for top in range(1, TERMS_LISTED + 2)])
    assert len(shapes(many)) == len(shapes(few))
    (price,) = {shape["properties"]["price"]["maximum"] for shape in shapes(many, "price")}
    assert price == 10**12


async def test_the_document_names_the_token_and_the_rate_where_they_are_on(
    venue: Venue,
) -> None:
    async with serving(venue.url, venue.prefix, token="t", rate_limit=1000) as api:
        headers = {"Authorization": "Bearer t"}
        document = (await api.http.get("/docs/openapi.json", headers=headers)).json()
    operation = document["paths"]["/orders"]["get"]
    assert {"401", "429"} <= set(operation["responses"])
    assert operation["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "security" not in document["paths"]["/health"]["get"]


class Page(HTMLParser):
    """What a page links to and loads, and whether its elements close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "a":
            self.links.add(values["href"] or "")
        if "id" in values:
            self.ids.add(values["id"] or "")
        if tag in ("script", "link", "img", "iframe") or "src" in values:
            self.loads.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


async def test_the_page_shows_every_route_and_loads_nothing(api: Api) -> None:
    answer = await api.http.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = Page(answer.text)
    assert page.open == []
    assert page.loads == []
    assert "/docs/openapi.json" in page.links
    document = await api.get("/docs/openapi.json")
    text = " ".join(page.text)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert f"{method.upper()} {path}" in text
            assert operation["summary"] in text
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert f"curl http://{api.address}/orders" in text


@pytest.mark.parametrize("name", ["<i>x</i>", "a&b"])
async def test_no_name_can_put_markup_into_the_page(venue: Venue, name: str) -> None:
    async with serving(venue.url, venue.prefix) as api:
        api.gateway.view.exchange.add_market(Market(name))
        answer = await api.http.get("/docs")
    assert name not in answer.text
    assert name in " ".join(Page(answer.text).text)
