from tests.api.serving import Api


async def test_an_order_is_in_the_book_once_the_leader_took_it(api: Api) -> None:
    assert await api.place("buy", 50, 10) == 1
    await api.settled()
    book = await api.get("/orderbook")
    assert book["bids"] == [{"price": 50, "qty": 10}]
