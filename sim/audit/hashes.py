"""I8: whoever followed the journal has the same state."""

from collections.abc import Iterable

from matchbox_tui.engine import Exchange, Order, Side
from sim.audit.inspection import Inspection, some
from sim.naive import NaiveExchange
from sim.naive.book import NaiveOrder
from sim.recording import Moment, PublishedHash

MAX_MARKS = 500
"""Sequences at which the replay's own state is hashed, spread over all that were published: a
hash costs as much as the book is large.
"""


class HashInspection(Inspection):
    """Compares the hashes that instances and snapshots published with the offline replay's.

    At every sequence they must agree with each other; the replay is asked at `MAX_MARKS` of them,
    and at its end it is compared with the naive model, book by book.
    """

    name = "I8"

    def __init__(
        self, published: Iterable[PublishedHash], exchange: Exchange, moment: Moment
    ) -> None:
        """`exchange` stands where the journal begins, and moves with it."""
        super().__init__()
        self.inspected = True
        self._exchange = exchange
        self._trouble = moment.troubles.get("hashes", "")
        self._published: dict[int, list[PublishedHash]] = {}
        for one in published:
            if one.seq >= exchange.seq:
                self._published.setdefault(one.seq, []).append(one)
        self._marks = marks(self._published)
        self._hashes = 0
        self._snapshots = 0
        self._sequences = 0
        self._replayed = 0
        self._strange = 0
        self._hash = ""
        self._agrees = False

    def read(self, seq: int, chain: str) -> None:
        """The exchange is at a commit's end, with this chain."""
        published = self._published.get(seq)
        if published is None:
            return
        known = [one for one in published if one.chain in ("", chain)]
        # From before the store was set back, when another history had this sequence.
        self._strange += len(published) - len(known)
        if not known:
            return
        mark = known[0]
        own = self._exchange.state_hash() if seq in self._marks else mark.hash
        who = "the offline replay's" if seq in self._marks else f"{mark.role} {mark.id}'s"
        for one in known:
            if one.hash != own:
                self.accuse(seq, f"the state hash {own}, {who}", f"{one.hash}, {one.role} {one.id}")
                return
            if one.role == "snapshot":
                self._snapshots += 1
            else:
                self._hashes += 1
        self._sequences += 1
        self._replayed += seq in self._marks

    def finish(self, model: NaiveExchange | None) -> None:
        """The journal was read to its end. `model` stands there as well, or is None."""
        self._hash = self._exchange.state_hash()
        if model is None:
            return
        wrong = unlike(self._exchange, model)
        if wrong is not None:
            self.accuse(self._exchange.seq, f"{wrong[0]}, as the naive model has it", wrong[1])
        self._agrees = True

    def counts(self) -> dict[str, int]:
        return {
            "hashes": self._hashes,
            "snapshots": self._snapshots,
            "sequences": self._sequences,
            "replayed": self._replayed,
            "of_another_history": self._strange,
        }

    def words(self) -> str:
        text = f"{some(self._hashes, 'published hash', 'published hashes')}"
        text += f" and {some(self._snapshots, 'snapshot')} at {some(self._sequences, 'sequence')}"
        if self._replayed < self._sequences:
            text += f", the replay at {self._replayed:,} of them"
        if self._trouble:
            text += f"; what was published can't be read: {self._trouble}"
        if self._strange:
            text += f"; {self._strange:,} of a history that was set back"
        if self._agrees:
            text += f"; the books are the naive model's at {self._exchange.seq}"
        return f"{text} ({self._hash[:12]})" if self._hash else text


def marks(published: dict[int, list[PublishedHash]]) -> set[int]:
    """Where to hash: at every snapshot, and else evenly spread, the last one among them."""
    chosen = {
        seq for seq, those in published.items() if any(one.role == "snapshot" for one in those)
    }
    others = sorted(published.keys() - chosen, reverse=True)
    step = max(1, -(-len(others) // MAX_MARKS))
    return chosen | set(others[::step])


def unlike(exchange: Exchange, model: NaiveExchange) -> tuple[str, str] | None:
    """The first difference between the two, as (the model's, the exchange's). O(orders)."""
    if list(exchange.books) != list(model.books):
        return f"markets {', '.join(model.books)}", ", ".join(exchange.books)
    for symbol, book in exchange.books.items():
        plain = model.books[symbol]
        mine, theirs = (plain.market, plain.sequence), (book.market, book.sequence)
        if mine != theirs:
            return f"{symbol} as {mine}", f"{theirs}"
        for side in Side:
            wanted = [_plain(order) for order in plain.queue(side)]
            found = [_held(order) for order in book.queue(side)]
            if wanted != found:
                return (
                    f"the {side} side of {symbol} with {_first(wanted, found)}",
                    _first(found, wanted),
                )
    held = {(who, where): position for who, where, position in exchange.positions.items()}
    for key in held.keys() | model.positions.keys():
        if held.get(key) != model.positions.get(key):
            return f"{key} with {model.positions.get(key)}", f"{held.get(key)}"
    return None


def _plain(order: NaiveOrder) -> tuple[int, int, int, int]:
    return order.asked.order_id, order.price, order.qty, order.leaves


def _held(order: Order) -> tuple[int, int, int, int]:
    return order.id, order.price, order.qty, order.leaves_qty


def _first(these: list[tuple[int, int, int, int]], those: list[tuple[int, int, int, int]]) -> str:
    """The first order of `these` that is not so in `those`."""
    for n, order in enumerate(these):
        if n >= len(those) or those[n] != order:
            return "order {} at {}, {} contracts, {} left".format(*order)
    return "no further order"
