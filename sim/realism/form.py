"""What the scorecard ends with."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """A fact of real markets, held against one that was simulated.

    `name` is one of `FACTS`. `figure` and `ok` are None where there was too little to tell;
    `words` say plainly what was found, or what was missing.
    """

    name: str
    figure: float | None
    ok: bool | None
    words: str


class MarketScore(msgspec.Struct, frozen=True):
    """One market. `trades` are counted by takers: what one takes at one moment, from however many
    makers, is one. A return is the change of the middle of the quotes over `interval` ns.
    """

    symbol: str
    trades: int
    interval: int
    findings: list[Finding]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many facts hold, how many don't, and of how many there was too little to tell."""
        held = [one.ok for one in self.findings]
        return held.count(True), held.count(False), held.count(None)


class Scorecard(msgspec.Struct, frozen=True):
    """How far the markets of a run are like real ones: the first four that were traded in.

    It is no verdict: whatever is found, the run may be all that was expected of it.
    """

    markets: list[MarketScore]
