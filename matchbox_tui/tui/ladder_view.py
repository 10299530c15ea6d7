"""The ladder of a desk as plain rows. Looks only at what is shown."""

from dataclasses import dataclass, field

from matchbox_tui.engine import Order, OrderBook, Side
from matchbox_tui.tui.depth import accumulated, row_quantities
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.ladder_rows import Columns, Half, LadderRow
from matchbox_tui.tui.ticket import Kind
from matchbox_tui.tui.window import Window

Cell = tuple[Side, int]
"""A side, and a row of the window."""


@dataclass
class _Own:
    """This trader's part of the rows that are shown."""

    mine: dict[Cell, int] = field(default_factory=dict)
    asked: dict[Cell, int] = field(default_factory=dict)
    draft: dict[Cell, int] = field(default_factory=dict)
    first: dict[Cell, Order] = field(default_factory=dict)
    """The order of ours that would be filled first."""


def ladder_rows(desk: Desk, width: int) -> list[LadderRow]:
    """The rows of the desk's window. O(rows shown + own orders + prices that moved)."""
    book, gaze = desk.book, desk.gaze
    if book is None or gaze is None:
        return []
    model, window = desk.model, gaze.window
    watch = model.watch
    watch.look(book, model.source.seq)
    if window.group == 1 and not desk.cumulative:
        watch.rest()
    sizes = {side: row_quantities(book, window, side, watch) for side in Side}
    depth = sizes
    if desk.cumulative:
        depth = {side: accumulated(book, window, side, sizes[side], watch) for side in Side}
    volume = model.volume(book.market.symbol)
    traded = volume.rows(window) if volume is not None else [0] * window.rows
    peak = round_up(max(*depth[Side.BUY], *depth[Side.SELL], 1))
    most = max(*traded, 1)
    columns = Columns.of(width, min(window.top, window.high), peak)
    halves = 2 * max(columns.bar - 2, 1)
    eighths = 8 * max(columns.volume - 8, 0)
    own = _own(desk, book, window)
    watch.queues.keep({(order.side, order.price) for order in own.first.values()})

    def half(side: Side, row: int) -> Half:
        cell = (side, row)
        first = own.first.get(cell)
        return Half(
            depth[side][row] if sizes[side][row] else 0,
            -(-depth[side][row] * halves // peak),
            own.mine.get(cell, 0),
            watch.queues.ahead(first) if first is not None else 0,
            own.asked.get(cell, 0),
            own.draft.get(cell, 0),
        )

    last = model.prints.get(book.market.symbol)
    last_row = window.row(last.price, last.side.opposite) if last is not None else -1
    heat = desk.heat
    best_rows = {window.row(price, side) for side, price in _best(book)}
    cursor_row = gaze.row if not desk.on_orders or desk.ticket.prepared else -1
    rows = []
    for row in range(window.rows):
        price = window.price(row)
        if price is None:
            rows.append(LadderRow(columns, None))
            continue
        rows.append(
            LadderRow(
                columns,
                gaze.cursor if row == gaze.row else price,
                half(Side.BUY, row),
                half(Side.SELL, row),
                row in best_rows,
                last.move if last is not None and row == last_row else None,
                heat if row == last_row else 0,
                row == cursor_row,
                traded[row],
                -(-traded[row] * eighths // most),
            )
        )
    return rows


def _best(book: OrderBook) -> list[tuple[Side, int]]:
    prices = ((Side.BUY, book.best_bid), (Side.SELL, book.best_ask))
    return [(side, price) for side, price in prices if price is not None]


def _own(desk: Desk, book: OrderBook, window: Window) -> _Own:
    """O(own orders in the market)."""
    own, ticket = _Own(), desk.ticket
    if ticket.side is not None and ticket.kind is not Kind.MARKET:
        own.draft[ticket.side, window.row(desk.price, ticket.side)] = ticket.qty
    if not desk.model.trader:
        return own
    intents = desk.model.intents
    for order in book.by_trader.get(desk.model.trader, {}).values():
        side = order.side
        row = window.row(order.price, side)
        if not 0 <= row < window.rows:
            continue
        cell = (side, row)
        own.mine[cell] = own.mine.get(cell, 0) + order.leaves_qty
        if len(intents) and intents.ending(order.id):
            own.asked[cell] = own.asked.get(cell, 0) + order.leaves_qty
        first = own.first.get(cell)
        # Of one price those that came first are met first here.
        if first is None or (
            order.price > first.price if side is Side.BUY else order.price < first.price
        ):
            own.first[cell] = order
    for side, price, qty in intents.resting(book.market.symbol):
        cell = (side, window.row(price, side))
        own.asked[cell] = own.asked.get(cell, 0) + qty
    return own


def round_up(value: int) -> int:
    """The next of 1, 2, 5, 10, 20, ...: so that bars keep their scale while sizes move."""
    power: int = 10 ** (len(str(value)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
