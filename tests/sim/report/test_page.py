"""The report's page: all in one file, safe, the same every time, and readable without eyes."""

import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from sim.report import page as page_module
from sim.report.page import page
from sim.report.picture import Sheet
from sim.report.plotting import Mark, draw_marks
from sim.scenario import Expectation
from tests.sim.report.reported import NASTY, day, measured, told

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """What a browser would see: tags with their attributes, and the text of each kind of tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    wanted = (Expectation("trades", ">", 1), Expectation("RAIN.price_last", ">", 99))
    return page(told(None, *wanted))


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    found = Reader(html)
    assert found.open == []
    return found


def test_nothing_is_loaded_from_anywhere(html: str, read: Reader) -> None:
    assert "http" not in html
    assert "@import" not in html
    tags = Counter(tag for tag, _ in read.tags)
    assert not tags.keys() & {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    for tag, attributes in read.tags:
        assert not {"src", "srcset", "action", "data", "xlink:href"} & attributes.keys(), tag
        assert not any(name.startswith("on") for name in attributes), tag
        href = attributes.get("href")
        assert href is None or href.startswith(("#", "data:image/png;base64,")), tag
    for place in re.findall(r"url\(([^)]*)", html):
        assert place.startswith("#")


def test_what_a_scenario_says_is_text_and_nothing_else(html: str, read: Reader) -> None:
    assert "<script" not in html
    assert read.texts["h1"] == [NASTY]
    assert read.texts["title"] == [NASTY]
    assert read.texts["pre"] == [NASTY]


def test_the_same_run_gives_the_same_bytes(html: str) -> None:
    wanted = (Expectation("trades", ">", 1), Expectation("RAIN.price_last", ">", 99))
    again = told(None, *wanted)
    # How long it took on the wall's clock is the machine's, and not in it.
    slower = replace(again, report=replace(again.report, wall_seconds=99.0, directory="/elsewhere"))
    assert page(slower) == html


def test_every_picture_has_a_title_a_caption_words_and_units(html: str, read: Reader) -> None:
    titles = read.texts["h3"]
    assert titles == [
        *("RAIN: price and volume", "RAIN: spread", "RAIN: depth over time"),
        *("SNOW: price and volume", "SNOW: spread", "SNOW: depth over time"),
        *("Profit by kind of agent", "Orders for each trade"),
        *("Time to recover", "The queue around each fault"),
    ]
    assert len(read.texts["figcaption"]) == len(titles)
    assert all(len(text) > 60 for text in read.texts["figcaption"])
    drawn = re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL)
    # One for a wide page, one for a phone.
    assert len(drawn) == 2 * len(titles)
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        assert len(root.get("aria-label") or "") > 30
        texts = "".join(root.itertext())
        assert re.search(r", (s|ms)\b|for each trade", texts), texts


def test_words_for_those_who_do_not_see_have_the_figures(read: Reader) -> None:
    measures = measured()
    words = [svg["aria-label"] or "" for svg in read.all("svg")]
    last = measures.values["RAIN.price_last"]
    assert f"last {last}." in words[0]
    profit = next(text for text in words if text.startswith("Profit"))
    for kind in measures.kinds:
        assert f"{kind.kind} {kind.profit:+,}" in profit
    assert any("kill node-1 at 20 s 20.0 ms" in text for text in words)


def test_names_within_the_pictures_are_of_one_picture_only(html: str, read: Reader) -> None:
    names = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(names) > 10
    assert len(set(names)) == len(names)
    used = re.findall(r'(?:url\(#|href="#)([^)"]+)', html)
    assert used
    assert set(used) <= set(names)


def test_colours_are_the_pages_so_that_light_and_dark_both_work(html: str) -> None:
    assert "prefers-color-scheme: dark" in html
    for svg in re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL):
        plain = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
        # The keys of the heat map alone, whose image has these two.
        assert plain <= {"#2a78d6", "#de6228", "#000000"}, plain
    defined = set(re.findall(r"(--[\w-]+):", html))
    assert set(re.findall(r"var\((--[\w-]+)\)", html)) <= defined


def test_what_happened_is_marked_and_said(read: Reader) -> None:
    caption = read.texts["figcaption"][0]
    for words in (
        "A: news -5 at 10 s",
        "B: kill node-1 at 20 s",
        "halt at 40 s",
        "resume at 50 s",
    ):
        assert words in caption
    assert "burst" not in caption
    # It never came to that.
    assert "500 s" not in caption
    assert "burst of 5 at 30 s" in read.texts["figcaption"][3]


def test_the_verdict_says_what_was_not_met(read: Reader) -> None:
    assert any("1 of 2 expectations are met" in text for text in read.texts["div"])
    assert any("RAIN.price_last is" in text and "not > 99" in text for text in read.texts["li"])
    cells = read.texts["td"]
    assert "met" in cells
    assert "NOT MET" in cells


def test_problems_and_an_early_end_are_said() -> None:
    html = page(told(problems=("node-2 <did> not come back",), interrupted=True))
    read = Reader(html)
    assert "node-2 <did> not come back" in read.texts["li"]
    assert any("ended early" in text for text in read.texts["p"])
    assert "not sound" in html


def test_a_run_in_which_nothing_happened_has_a_page() -> None:
    html = page(told(measured(day(0), faults=0), happenings=()))
    titles = Reader(html).texts["h3"]
    assert "RAIN: price and volume" in titles
    assert "Time to recover" not in titles


def test_a_fault_that_was_never_over_is_drawn() -> None:
    measures = measured()
    rows = [replace(one, row=replace(one.row, recovered_us=None)) for one in measures.faults]
    html = page(told(replace(measures, faults=rows)))
    assert ">never</text>" in html
    rows = [replace(one, row=replace(one.row, cut_short=True)) for one in rows]
    html = page(told(replace(measures, faults=rows)))
    assert ">never</text>" not in html
    assert "cut short by the run" in html


def test_thousands_of_marks_are_as_many_lines_as_can_be_told_apart() -> None:
    sheet = Sheet(920, narrow=False)
    axes = sheet.figure(200).subplots()
    axes.set_xlim(0, 10)
    draw_marks(axes, [Mark(n * 1000, "news") for n in range(10_000)], 1e6, sheet)
    assert 200 < len(axes.lines) <= 920 // 4
    draw_marks(axes, [Mark(0, "kill", fault=True)], 1e6, sheet)
    assert 201 < len(axes.lines) <= 920 // 4 + 1


@pytest.mark.timeout(240)
def test_many_markets_and_faults_stay_a_small_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each is drawn alike: two of them tell as much as all that are shown.
    assert page_module.MOST_MARKETS == 4
    monkeypatch.setattr(page_module, "MOST_MARKETS", 2)
    markets = tuple(f"M{n}" for n in range(9))
    html = page(told(measured(day(6000, markets), faults=40), happenings=()))
    assert len(html.encode()) < 1_700_000
    read = Reader(html)
    assert sum(text.endswith("depth over time") for text in read.texts["h3"]) == 2
    assert any("7 more markets" in text for text in read.texts["p"])
    assert "M8.trades" in read.texts["td"]


def test_the_plotting_library_is_imported_for_a_page_only() -> None:
    code = (
        "import sys, sim.running, sim.report, matchbox_tui.cli;"
        "print([m for m in ('matplotlib', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
