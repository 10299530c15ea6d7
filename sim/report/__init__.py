"""The report of a run: tables for a terminal, and one page with pictures.

Only `page` needs the plotting library, and it is imported when a page is made.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sim.report.tables import Table, conclusion, lines, tables

if TYPE_CHECKING:
    from sim.report.page import Told

__all__ = ["Table", "conclusion", "lines", "tables", "write_page"]


def write_page(told: "Told", path: Path) -> None:
    """Draws the pictures and writes the page. Raises `OSError`."""
    from sim.report.page import page

    path.write_text(page(told), encoding="utf-8")
