"""Writes docs/keys.md out of the table of keys: ``python docs/make_keys.py``."""

from itertools import groupby
from pathlib import Path

from matchbox_tui.tui import KeyTable

PAGE = Path(__file__).with_name("keys.md")

INTRODUCTION = """\
# Keys

The table that dispatches the keys also makes this page, the help screen (`?`), the hints at the
bottom and the command palette (`^P`). Nothing is sent before `Enter`, but for cancels; and nothing
but cancels is sent while trading is locked, as it is at the start. On a recorded run (`matchbox
replay`) the keys under Replay go before all others, and those that trade are off.

To change a key, name it in `keys.toml` in the directory for your settings
(`~/.config/matchbox/keys.toml` on Linux). A key that you take leaves what it did before.

```toml
buy = "B"
cancel-all = ["X", "ctrl+x"]
```
"""


def page() -> str:
    """The page as it should be."""
    lines = [INTRODUCTION]
    for group, keys in groupby(KeyTable().keys, key=lambda key: key.group):
        lines += [f"## {group}", "", "| keys | name | does |", "|---|---|---|"]
        for key in keys:
            shown = " ".join(f"`{one}`" for one in key.shown.split())
            lines.append(f"| {shown} | {'' if key.each else f'`{key.name}`'} | {key.words} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
