"""Persistence: the journal as tables of a database, for questions about the past.

`Persistence` is the service and `Database` the tables. The only place that knows SQLAlchemy.
"""

from matchbox_tui.consumers.persistence.database import Database
from matchbox_tui.consumers.persistence.errors import (
    DatabaseError,
    DatabaseTrouble,
    DatabaseUnusable,
    Overtaken,
)
from matchbox_tui.consumers.persistence.service import Persistence, Progress

__all__ = [
    "Database",
    "DatabaseError",
    "DatabaseTrouble",
    "DatabaseUnusable",
    "Overtaken",
    "Persistence",
    "Progress",
]
