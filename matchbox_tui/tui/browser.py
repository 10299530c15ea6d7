"""Textual's driver for a browser, made to end the app with whoever serves it."""

import contextlib
import os
from typing import Any

from textual.app import App
from textual.driver import Driver
from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


def kept_to_its_server(driver: type[Driver]) -> type[Driver]:
    """The driver to use where Textual has chosen this one."""
    return BrowserDriver if driver is WebDriver else driver


class BrowserDriver(WebDriver):
    """Ends the app when the pipes to its server close, which a killed server does as well.

    Textual's own goes on without its input, and fails where nobody reads what it draws.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._write = self._put  # type: ignore[assignment]  # there is no other way in

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(ExitApp())

    def _put(self, data: bytes) -> None:
        # A signal may come while only a part was taken.
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self.fileno, data) :]
