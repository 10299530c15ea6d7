"""What the journal does not go back to, out of the database that persistence writes."""

from collections.abc import Callable, Iterable

import msgspec

from matchbox_tui.consumers.analytics.figures import Figures
from matchbox_tui.store import Tip


class PastAway(Exception):
    """The database can't be read now; `str()` says why and what to do."""


class PastUnusable(Exception):
    """The database can't be used as it is; `str()` says why and what to do."""


class Recalled(msgspec.Struct, frozen=True):
    """What came of it: the place up to which the database knows the journal, None where nothing
    was recalled, and then why not.
    """

    place: Tip | None
    why_not: str = ""


class PastTrades:
    """The trades of a venue's database. Its calls wait for it, so they belong in a thread."""

    def __init__(self, url: str, venue: str = "", *, required: bool = True) -> None:
        """`venue` is the key prefix. Where it is not `required`, one that can't be read counts as
        none.
        """
        self._url = url
        self._venue = venue
        self._required = required

    def recall(self, figures: Figures, stopped: Callable[[], bool]) -> Recalled:
        """Puts the trades before the figures' beginning into them, as far back as none is missing.

        Nothing, where the database does not reach up to the figures' beginning. Where nothing comes
        of it the figures are void: also when this raises `PastUnusable`, or `PastAway`, as it does
        where `stopped` says so meanwhile.
        """
        # An analytics without a database needs no library for one.
        from matchbox_tui.consumers.persistence import (
            DatabaseError,
            DatabaseUnusable,
            open_history,
        )

        try:
            with open_history(self._url, self._venue) as history:
                extent = history.extent
                if extent.seq < figures.seq:
                    words = f"the database knows the journal up to {extent.seq} only"
                    return Recalled(None, words)
                first = whole_from(extent.gaps, figures.seq)
                if first > figures.seq:
                    return Recalled(None, "the database has a gap just before it")
                for trades in history.executions(first, figures.seq):
                    if stopped():
                        raise PastAway("it is not needed any more")
                    figures.recall(trades)
                figures.history_from = first
                return Recalled(Tip(extent.seq, history.chain()))
        except DatabaseError as error:
            if not self._required:
                return Recalled(None, str(error))
            kind = PastUnusable if isinstance(error, DatabaseUnusable) else PastAway
            raise kind(str(error)) from None


def whole_from(gaps: Iterable[tuple[int, int]], seq: int) -> int:
    """The first command from which on none up to `seq` is in one of the gaps (first, last)."""
    return max((last + 1 for first, last in gaps if first <= seq), default=1)
