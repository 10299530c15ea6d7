"""What each refusal means, for the document."""

from litestar.openapi.datastructures import ResponseSpec

from matchbox_tui.api.answers import Problem

_MEANINGS = {
    400: "A rule is broken: a value out of bounds, a price that the market does not take, ...",
    404: "No order has this id.",
    409: "The order is no longer open.",
    413: "The body is too long.",
    415: "The body is not declared as JSON.",
    422: "Not JSON, a missing or unknown field or parameter, a wrong type, an unknown market.",
    503: "The server can't be asked now, or the order queue is full; nothing was queued.",
    504: "The connection broke on the way: the request may have been queued. An order with a"
    " client_order_id is safe to send again.",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """For the `responses` of a handler."""
    return {
        status: ResponseSpec(Problem, description=_MEANINGS[status], generate_examples=False)
        for status in statuses
    }
