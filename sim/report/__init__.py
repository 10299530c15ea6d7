"""The report of a run: tables for a terminal, and one page with pictures.

Only the page needs the plotting library, which is imported when one is made.
"""

from pathlib import Path

from sim.report.tables import Table, conclusion, lines, tables
from sim.report.told import Told

__all__ = ["Table", "Told", "conclusion", "lines", "tables", "write_page"]


def write_page(told: Told, path: Path) -> None:
    """Draws the pictures and writes the page. Raises `OSError`."""
    from sim.report.page import page

    path.write_text(page(told), encoding="utf-8")
