"""The screen in a browser. May import nothing of ours.

`WebServer` serves a page with a terminal in it, and runs a command for each page that is open:
textual-serve carries the terminal for the browser and the words between it and an app.
"""

from matchbox_tui.web.admission import Admission
from matchbox_tui.web.server import WebServer
from matchbox_tui.web.session import App

__all__ = ["Admission", "App", "WebServer"]
