"""What a market's trades add up to, as far back as the journal was read."""

import msgspec


class Day(msgspec.Struct):
    """First and last price in ticks, and the contracts traded."""

    first: int
    last: int
    volume: int = 0

    def traded(self, price: int, qty: int) -> None:
        self.last = price
        self.volume += qty
