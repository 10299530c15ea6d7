"""The light on the last trade: bright at first, out after a second and a half."""

from functools import lru_cache

from rich.color import Color, blend_rgb
from rich.style import Style

from matchbox_tui.tui.model import Model

FADE_NS = 1_500_000_000
BRIGHTEST = 3


class Glow:
    """How warm the last trade of the market on the screen still is.

    Only trades that were seen to happen are warm: neither what the journal tells of the past, nor
    the last trade of a market that was just turned to.
    """

    def __init__(self) -> None:
        self._symbol: str | None = None
        self._n = 0
        self._since = 0
        self._watching = False

    def heat(self, model: Model, symbol: str, now: int) -> int:
        """From `BRIGHTEST` down to 0, at a time in nanoseconds. Asked for once a frame."""
        last = model.prints.get(symbol)
        n = last.n if last is not None else 0
        if symbol != self._symbol or n < self._n:
            self._symbol, self._watching = symbol, False
        if n != self._n:
            self._n = n
            self._since = now if self._watching else now - FADE_NS
        self._watching = model.caught_up
        age = max(now - self._since, 0)
        return max(BRIGHTEST - age * BRIGHTEST // FADE_NS, 0)


@lru_cache(maxsize=64)
def glowing(light: str, ground: str, heat: int) -> Style:
    """The ground of the last trade."""
    if not heat:
        return Style()
    share = (0.0, 0.16, 0.3, 0.5)[heat]
    dark, bright = (Color.parse(name).get_truecolor() for name in (ground, light))
    return Style(bgcolor=Color.from_triplet(blend_rgb(dark, bright, share)))
