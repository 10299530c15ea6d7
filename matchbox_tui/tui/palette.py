"""Colours and text styles: everything that is drawn takes them from one palette.

A colour repeats what a glyph or a column says already, so all of it may be lost.
"""

from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme


@dataclass(frozen=True)
class Palette:
    """The colours, by what they mean."""

    name: str
    ground: str
    raised: str
    text: str
    muted: str
    rule: str
    bid: str
    ask: str
    own: str
    alarm: str
    bar_bid: str
    bar_ask: str
    dark: bool = True

    def theme(self) -> Theme:
        """The same colours for style sheets."""
        return Theme(
            name=self.name,
            primary=self.bid,
            secondary=self.ask,
            accent=self.own,
            warning=self.own,
            error=self.alarm,
            success=self.bid,
            foreground=self.text,
            background=self.ground,
            surface=self.ground,
            panel=self.raised,
            dark=self.dark,
            variables={"rule": self.rule, "muted": self.muted},
        )


class Ink:
    """The text styles of a palette, with their ground; `raised` is added to them for another.

    `version` grows with every change of palette: what was painted before it looks different.
    """

    def __init__(self, palette: Palette) -> None:
        self.version = 0
        self.use(palette)

    def use(self, palette: Palette) -> None:
        """Takes another palette."""
        self.version += 1
        self.palette = palette
        ground = Style(bgcolor=palette.ground)
        strong = ground + Style(bold=True)
        self.plain = ground + Style(color=palette.text)
        self.strong = strong + Style(color=palette.text)
        self.muted = ground + Style(color=palette.muted)
        self.rule = ground + Style(color=palette.rule)
        self.bid = ground + Style(color=palette.bid)
        self.ask = ground + Style(color=palette.ask)
        self.bid_strong = strong + Style(color=palette.bid)
        self.ask_strong = strong + Style(color=palette.ask)
        self.bid_bar = ground + Style(color=palette.bar_bid)
        self.ask_bar = ground + Style(color=palette.bar_ask)
        self.own = ground + Style(color=palette.own)
        self.own_strong = strong + Style(color=palette.own)
        self.alarm = strong + Style(color=palette.alarm)
        self.raised = Style(bgcolor=palette.raised)
        self.title = self.strong

    def side(self, is_buy: bool, strong: bool = False) -> Style:
        if strong:
            return self.bid_strong if is_buy else self.ask_strong
        return self.bid if is_buy else self.ask


DARK = Palette(
    name="matchbox",
    ground="#0d1117",
    raised="#1b2331",
    text="#cdd6e0",
    muted="#74808f",
    rule="#2c3644",
    bid="#56b6a8",
    ask="#e58e6b",
    own="#e8c468",
    alarm="#f0717a",
    bar_bid="#24544f",
    bar_ask="#6a4435",
)

LIGHT = Palette(
    name="matchbox-light",
    ground="#fbfaf7",
    raised="#e9ebe6",
    text="#1f2933",
    muted="#66707a",
    rule="#c8cdd0",
    bid="#0b6b5d",
    ask="#a8451f",
    own="#7a5600",
    alarm="#b3202c",
    bar_bid="#a9d6cd",
    bar_ask="#efc4ad",
    dark=False,
)

CONTRAST = Palette(
    name="matchbox-contrast",
    ground="#000000",
    raised="#222222",
    text="#ffffff",
    muted="#d0d0d0",
    rule="#a0a0a0",
    bid="#4dffd2",
    ask="#ffb07c",
    own="#ffff5f",
    alarm="#ffa3a3",
    bar_bid="#008f70",
    bar_ask="#b34700",
)

PALETTES = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}
"""By the names that a person gives them."""
