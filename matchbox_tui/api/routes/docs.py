"""The API's own description: a page to read, and the OpenAPI document."""

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from matchbox_tui.api.docs_page import docs_page
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.openapi import Document

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def docs_routes(gateway: Gateway, document: Document) -> list[HTTPRouteHandler]:
    @get("/docs", include_in_schema=False)
    async def docs(request: Request[Any, Any, Any]) -> Response[str]:
        described = document.of(gateway.view.exchange.markets)
        return Response(
            docs_page(described, str(request.base_url).rstrip("/")),
            media_type="text/html",
            headers={"Content-Security-Policy": _POLICY},
        )

    @get("/docs/openapi.json", include_in_schema=False)
    async def openapi() -> Response[dict[str, Any]]:
        return Response(document.of(gateway.view.exchange.markets), media_type="application/json")

    return [docs, openapi]
