"""Traders who act at random times, at a pace that may follow that of trading."""

from sim.agents.dice import CELLS_BITS, UNIT_BITS, Dice


class Restless:
    """Waits for times that are exponentially distributed around `_mean`, which whoever acts sets
    anew where it is excited: to its own interval at `_calm` and `_excitement` times the tape's pace
    in millionths, taken together.
    """

    __slots__ = ("_calm", "_dice", "_excitement", "_mean")

    def _begin(self, dice: Dice, every: int, excitement: int) -> None:
        """`every` is the mean wait in ns, `excitement` is in per mille of its pace."""
        self._dice = dice
        self._mean = every
        self._excitement = excitement
        self._calm = (1_000 - excitement) * 1_000

    def wait(self) -> int:
        # As `Dice.exponential` does, without the call: nothing is drawn more often.
        dice = self._dice
        return 1 + ((dice.quantiles[dice.bits(CELLS_BITS)] * self._mean) >> UNIT_BITS)
