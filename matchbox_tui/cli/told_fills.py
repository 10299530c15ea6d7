"""Counting what `events_stream` is told while it is trimmed at its other end."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matchbox_tui.store import Client

PAGE = 1000


class ToldFills:
    """The fills after a place, counted as they come: ask every few seconds, before they go."""

    def __init__(self, client: "Client", place: tuple[int, int]) -> None:
        """`place` is the (seq, n) of the last fill that doesn't count, (0, -1) for none."""
        self._client = client
        self._place = place
        self._count = 0

    async def count(self) -> int:
        """How many there were up to now. Raises a `StoreError`."""
        while fills := await self._client.fills_after(*self._place, PAGE):
            self._count += len(fills)
            seq, _, n = fills[-1].trade_id.partition("-")
            self._place = int(seq), int(n)
        return self._count
