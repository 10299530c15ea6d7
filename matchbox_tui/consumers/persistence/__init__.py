"""Persistence: the journal as tables of a database, for questions about the past.

`Persistence` is the service, `Database` the tables, `History` what they tell, `DatabasePast` the
same for a loop that must not wait. The only place that knows SQLAlchemy.
"""

from matchbox_tui.consumers.persistence.database import Database
from matchbox_tui.consumers.persistence.errors import (
    DatabaseError,
    DatabaseTrouble,
    DatabaseUnusable,
    Overtaken,
)
from matchbox_tui.consumers.persistence.opening import Source, open_history
from matchbox_tui.consumers.persistence.past import DatabasePast
from matchbox_tui.consumers.persistence.queries import (
    ORDER_COLUMNS,
    TRADE_COLUMNS,
    History,
    Rows,
)
from matchbox_tui.consumers.persistence.service import Persistence, Progress

__all__ = [
    "ORDER_COLUMNS",
    "TRADE_COLUMNS",
    "Database",
    "DatabaseError",
    "DatabasePast",
    "DatabaseTrouble",
    "DatabaseUnusable",
    "History",
    "Overtaken",
    "Persistence",
    "Progress",
    "Rows",
    "Source",
    "open_history",
]
