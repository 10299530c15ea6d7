"""The app in the terminal. May import the engine, the store and Textual, nothing else of ours.

`model` folds the journal for the eye and `desk` is what the person does; both are plain state,
as are the `*_rows`, which draw. `feed` connects them to a venue, the widgets (`panel` and its
kinds) look at them once a frame, `keys` is the table that dispatches, `app` starts it all.
"""

from matchbox_tui.tui.app import Look, MatchboxApp
from matchbox_tui.tui.key_file import key_file, read_keys
from matchbox_tui.tui.keys import KeyTable
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.palette import PALETTES
from matchbox_tui.tui.places import parse_place
from matchbox_tui.tui.player import FULL_SPEED, SPEEDS
from matchbox_tui.tui.replay import ReplayApp

__all__ = [
    "FULL_SPEED",
    "PALETTES",
    "SPEEDS",
    "KeyTable",
    "Look",
    "MatchboxApp",
    "ReplayApp",
    "Tone",
    "key_file",
    "parse_place",
    "read_keys",
]
