"""The token and the rate limit, where they are on."""

import pytest

from matchbox_tui.api import limits
from matchbox_tui.api.limits import RateLimit
from tests.api.serving import serving
from tests.node.venue import Venue

TOKEN = "open sesame \u00fc"
ORDER = {"side": "buy", "price": 50, "qty": 10}


def bearer(token: str) -> dict[str, bytes]:
    return {"Authorization": b"Bearer " + token.encode()}


async def test_with_a_token_only_who_has_it_is_served(venue: Venue) -> None:
    async with serving(venue.url, venue.prefix, token=TOKEN) as api:
        wrong = [{}, bearer("wrong"), bearer("open sesame"), {"Authorization": TOKEN.encode()}]
        for path in ("/orders", "/orderbook", "/cluster", "/metrics", "/docs", "/nothing"):
            for headers in wrong:
                answer = await api.http.get(path, headers=headers)
                assert answer.status_code == 401, path
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert "Authorization" in answer.json()["error"]
        assert (await api.http.post("/orders", json=ORDER)).status_code == 401
        assert (await api.gateway.client.cluster()).queue_depth == 0
        right = await api.http.post("/orders", json=ORDER, headers=bearer(TOKEN))
        assert right.status_code == 201
        assert (await api.http.get("/orderbook", headers=bearer(TOKEN))).status_code == 200


async def test_the_probes_need_no_token_and_have_no_rate(venue: Venue) -> None:
    async with serving(venue.url, venue.prefix, token=TOKEN, rate_limit=1) as api:
        for _ in range(5):
            assert (await api.http.get("/health")).status_code == 200
            assert (await api.http.get("/ready")).status_code in (200, 503)


async def test_who_asks_too_often_is_told_when_to_come_again(venue: Venue) -> None:
    async with serving(venue.url, venue.prefix, rate_limit=3) as api:
        answers = [await api.http.post("/orders", json=ORDER) for _ in range(10)]
        queued = (await api.gateway.client.cluster()).queue_depth
    taken = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(taken) >= 3
    assert refused
    assert len(taken) + len(refused) == 10
    assert queued == len(taken)
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert all("more than 3 requests a second" in answer.json()["error"] for answer in refused)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_at_its_rate_and_holds_a_second_s_worth() -> None:
    clock = Clock()
    limit = RateLimit(4, clock)
    assert [limit.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.25]
    clock.now += 0.25
    assert [limit.wait("a") for _ in range(2)] == [0, 0.25]
    clock.now += 3600
    assert [limit.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.25]


def test_asking_in_vain_makes_nobody_wait_longer() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    for _ in range(50):
        limit.wait("a")
    clock.now += 0.5
    assert limit.wait("a") == 0


def test_one_address_does_not_use_up_another_s() -> None:
    limit = RateLimit(1, Clock())
    assert limit.wait("a") == 0
    assert limit.wait("a") > 0
    assert limit.wait("b") == 0


def test_addresses_that_were_not_heard_of_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLIENTS_KEPT", 10)
    limit = RateLimit(1, Clock())
    for number in range(100):
        limit.wait(f"10.0.0.{number}")
        limit.wait("busy")
    assert len(limit) == 10
    assert limit.wait("busy") > 0
