"""The cold path: services that read the journal beside the engine and never hold it up.

Each follows the journal from a place of its own (`JournalReader`), is registered so that trimming
waits for it, and may run in several copies, of which one works (`Duty`).
"""

from matchbox_tui.consumers.draining import Drain, Unread
from matchbox_tui.consumers.duty import Duty
from matchbox_tui.consumers.reader import HistoryTrimmed, JournalReader, Place

__all__ = ["Drain", "Duty", "HistoryTrimmed", "JournalReader", "Place", "Unread"]
