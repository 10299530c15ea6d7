"""A picture of the report: drawn twice, for a wide page and for a phone, as SVG without colours of
its own, so that the page decides what ink and paper are.
"""

import io
import logging
import re
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# The first run on a machine makes a list of its fonts, which is nobody's trouble.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

INK, SOFT, FAINT, GRID = "#01fe01", "#01fe02", "#01fe03", "#01fe04"
BID, ASK, LAST, BAND, ALARM = "#01fe05", "#01fe06", "#01fe07", "#01fe08", "#01fe09"
SERIES = tuple(f"#01fe{number:02x}" for number in range(0x10, 0x18))
"""Colours that the page gives their meaning: `var(--ink)` and so on, light or dark."""

_NAMES = {
    INK: "ink",
    SOFT: "soft",
    FAINT: "faint",
    GRID: "grid",
    BID: "bid",
    ASK: "ask",
    LAST: "last",
    BAND: "band",
    ALARM: "alarm",
} | {colour: f"series-{number}" for number, colour in enumerate(SERIES)}

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": SOFT,
    "axes.labelsize": 10,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.5,
    "lines.solid_joinstyle": "round",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK,
    # A market may be called "$10 or $20?".
    "text.parse_math": False,
    "xtick.color": FAINT,
    "xtick.labelcolor": SOFT,
    "xtick.labelsize": 9.5,
    "ytick.color": FAINT,
    "ytick.labelcolor": SOFT,
    "ytick.labelsize": 9.5,
    "ytick.major.size": 0,
}

WIDE, NARROW = 920, 360
"""Widths in CSS pixels."""

_DOTS = 72
"""The unit of SVG that Matplotlib writes is the point: a pixel here."""


class Sheet(msgspec.Struct, frozen=True):
    """What a picture is drawn on: `width` in pixels, and whether that is a phone's."""

    width: int
    narrow: bool

    def figure(self, height: int) -> Figure:
        """An empty figure of this width."""
        size = (self.width / _DOTS, height / _DOTS)
        return Figure(figsize=size, dpi=_DOTS, layout="constrained")

    def pick(self, wide: int, narrow: int) -> int:
        return narrow if self.narrow else wide


class Picture(msgspec.Struct, frozen=True):
    """`caption` says what is seen and in which units, `words` the same without eyes: what the
    picture shows, in figures.
    """

    name: str
    title: str
    caption: str
    words: str
    draw: Callable[[Sheet], Figure]


def html_of(picture: Picture) -> str:
    """The picture as a figure of a page, which brings the colours."""
    drawn = "".join(
        f'<div class="{kind}">{_svg(picture, Sheet(width, kind == "narrow"))}</div>'
        for kind, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return (
        f'<figure id="{escape(picture.name)}"><h3>{escape(picture.title)}</h3>{drawn}'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>\n"
    )


def seconds_axis(axes: Axes, end: int, label: str = "time since the start") -> float:
    """Makes the horizontal axis the run's time, and tells how many ns one unit of it is."""
    unit, scale = ("min", 60e9) if end > 600 * 10**9 else ("s", 1e9)
    if end < 2 * 10**9:
        unit, scale = "ms", 1e6
    axes.set_xlabel(f"{label}, {unit}")
    axes.set_xlim(0, end / scale)
    return scale


def _svg(picture: Picture, sheet: Sheet) -> str:
    salt = f"{picture.name}-{sheet.width}"
    # The names within a drawing are made of it and of the salt: no other one on the page has them.
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure = picture.draw(sheet)
        out = io.BytesIO()
        # Neither the time nor the program's address: the same run, the same bytes.
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=nothing)
    return _own(out.getvalue().decode(), picture.words)


def _own(svg: str, words: str) -> str:
    """The drawing as a part of a page: without a header, in the page's colours and letters."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href", "href")
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    # A hundredth of a pixel is as near as anybody looks.
    svg = re.sub(r"(\.\d\d)\d+", r"\1", svg)
    svg = re.sub(r"#01fe[0-9a-f]{2}", lambda found: f"var(--{_NAMES[found[0]]})", svg)
    svg = re.sub(r"'DejaVu Sans'(, sans-serif)?", "var(--font)", svg)
    svg = re.sub(
        r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>",
        lambda found: f'<svg {found[1]} role="img" aria-label="{escape(words)}">',
        svg,
        count=1,
    )
    return re.sub(r"\n\s*", "\n", svg).strip()
