"""A page as HTML: whatever stands in a SKU stays text, nothing is loaded, and it is small and well built."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from demo_page import HOSTILE, NOW, demo_page, empty_table, large_page
from hypothesis import given
from hypothesis import strategies as st

from omsync.errors import InvalidValueError
from omsync.views.cells import visible, worded
from omsync.views.html import to_fragment, to_html
from omsync.views.page import Branch, Cell, Chart, Column, Fact, Page, Series, Table, Tree

VOID = {"input", "link", "meta", "path", "use", "rect"}
OURS = {"script", "style"}


class Structure(HTMLParser):
    """Every element with its attributes and ancestors, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attrs), tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not OURS & set(self._open):
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.elements if name == tag]


def data_of(text: str, number: int = 1) -> dict[str, Any]:
    found = re.search(rf'<script type="([^"]*)" id="data-{number}"([^>]*)>([^<]*)</script>', text)
    assert found
    if "data-packed" not in found[2]:
        return dict(json.loads(found[3]))
    return dict(json.loads(zlib.decompress(base64.b64decode(found[3]))))


def one_table(*cells: Cell, kind: str = "text") -> Page:
    rows = [(cell,) for cell in cells]
    return Page(title="One", parts=[Table(title="Cells", columns=[Column(title="It", kind=kind)], rows=rows)])


@pytest.fixture(scope="module")
def document() -> str:
    return to_html(demo_page())


@pytest.fixture
def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def test_what_stands_in_a_sku_makes_no_element_and_no_attribute(document: str) -> None:
    structure = Structure(document)
    tags = Counter(name for name, _, _ in structure.elements)

    assert tags["img"] == 0
    assert [one.get("id") for one in structure.named("script")] == ["data-1", None]
    assert [
        name for _, attributes, _ in structure.elements for name in attributes if name.startswith("on")
    ] == []
    for text in HOSTILE:
        assert visible(text) in structure.texts


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_is_shown_letter_for_letter_wherever_it_stands(code: str, name: str) -> None:
    branch = Branch(label=code, detail=name, branches=[Branch(label=name, figure=1, tone="decides")])
    page = Page(
        title=code,
        summary=name,
        facts=[Fact(name=name, value=code, tone="bad")],
        parts=[
            Table(
                title=name,
                columns=[Column(title=code, hint=name, is_key=True, kind="code")],
                rows=[(name,)],
                tones=["warning"],
                details=[Tree(title=code, root=branch, note=name)],
                note=code,
            ),
            Tree(title=code, root=branch, note=name),
            Table(title=code, columns=[Column(title=name)], rows=(), empty=code),
        ],
        notes=[code],
    )

    for text in (to_html(page), to_fragment(page)):
        structure = Structure(text)
        # The parser reads new lines in their several forms as one; none of them is left as it is.
        assert text.encode().decode() == text
        assert structure.texts.count(visible(code)) >= 8 - 2 * (code == name)
        assert len(structure.named("script")) in {0, 2}
    data = data_of(to_html(page))
    assert data["rows"] == [[visible(name)]]
    assert data["trees"][0][0] == visible(code)


def test_an_attribute_ends_where_it_should() -> None:
    hint = '" onmouseover="alert(1) \'<b>'
    columns = [Column(title="A", hint=hint)]
    chart = Chart(title=hint, labels=("a",), series=[Series(name="s", figures=(1,))])
    page = Page(title="T", parts=[Table(title=hint, columns=columns, rows=[(1,)]), chart])
    structure = Structure(to_html(page))

    assert [one["title"] for one in structure.named("th") if "title" in one] == [hint]
    assert [one["aria-label"] for one in structure.named("svg")] == [hint]
    assert not any(name.startswith("on") for _, attributes, _ in structure.elements for name in attributes)


@given(st.text())
def test_nothing_hides_in_what_is_visible(text: str) -> None:
    seen = visible(text)

    assert all(letter.isprintable() or letter in "\u200c\u200d\xa0\u202f" for letter in seen)
    if "⟨" not in text:
        assert re.sub("⟨U\\+([0-9A-F]+)⟩", lambda found: chr(int(found[1], 16)), seen) == text


def test_the_document_may_run_its_own_script_and_load_nothing(document: str) -> None:
    policy = next(
        str(one["content"])
        for one in Structure(document).named("meta")
        if one.get("http-equiv") == "Content-Security-Policy"
    )
    scripts = re.findall(r"<script>(.*?)</script>", document, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]

    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{digests[0]}'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert len(scripts) == 1


def test_nothing_in_the_document_refers_to_anything_outside(document: str) -> None:
    structure = Structure(document)

    assert {
        str(one)
        for _, given, _ in structure.elements
        for key in ("src", "action", "poster")
        if (one := given.get(key))
    } == set()
    references = [
        str(given[key])
        for _, given, _ in structure.elements
        for key in ("href", "xlink:href")
        if key in given
    ]
    assert references
    assert all(one.startswith(("#", "data:,")) for one in references)
    assert set(re.findall(r"https?://[^\s\"'<]+", document)) <= {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }
    assert not re.search(r"@import|url\((?!#)", document)


def test_our_own_script_and_style_cannot_end_their_elements_or_write_markup() -> None:
    for name in ("page.js", "page.css"):
        text = (files("omsync.views") / "assets" / name).read_text(encoding="utf-8")
        assert "</" not in text
        assert "<!--" not in text
    script = (files("omsync.views") / "assets" / "page.js").read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|fetch\(", script
    )


def test_twenty_thousand_explained_products_under_twelve_columns_stay_below_two_megabytes() -> None:
    page = large_page()
    text = to_html(page)
    data = data_of(text)

    assert len(page.parts[0].columns) == 12  # type: ignore[union-attr]
    assert len(data["rows"]) == len(data["trees"]) == 20_000
    assert data["rows"][19_999][0] == "SKU-019999-K"
    assert data["trees"][19_999][4][0][0] == "PART-B, twice"
    assert len(text.encode()) < 2_000_000
    body = [given for name, given, above in Structure(text).elements if name == "tr" and "tbody" in above]
    assert len(body) == 200
    assert "... and 19,800 more rows." in text


def test_a_small_page_keeps_its_rows_readable_and_without_a_tag(document: str) -> None:
    found = re.search(r'<script type="application/json" id="data-1">(.*?)</script>', document)

    assert found
    assert "<" not in found[1]
    assert json.loads(found[1])["rows"][1][0] == "</script><script>alert(2)</script>"


def test_the_script_is_given_numbers_as_numbers_and_moments_as_seconds() -> None:
    columns = [Column(title=kind, kind=kind) for kind in ("number", "time", "flag", "text", "code")]
    east = datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=2)))
    rows: list[tuple[Cell, ...]] = [
        (3, NOW, True, "a", "b"),
        (2.5, east, False, NOW, 7),
        (2**63 - 1, 5, "maybe", True, None),
        (float("nan"), None, None, 1.5, float("inf")),
        ("+3", NOW.replace(tzinfo=None), None, "", ""),
    ]
    page = Page(title="Cells", parts=[Table(title="Cells", columns=columns, rows=rows)])
    data = data_of(to_html(page))

    assert data["rows"] == [
        [3, 1772438400, True, "a", "b"],
        [2.5, 1772438400, False, "2026-03-02 08:00Z", 7],
        ["9,223,372,036,854,775,807", "5", "maybe", True, None],
        [None, None, None, 1.5, None],
        ["+3", 1772438400, None, "", ""],
    ]
    assert [one["datetime"] for one in Structure(to_html(page)).named("time")] == ["2026-03-02T08:00:00Z"] * 4


def test_a_figure_that_no_browser_can_count_stays_exact_in_an_explanation() -> None:
    most = 2**63 - 1
    tree = Tree(title="Why", root=Branch(label="all", figure=most, branches=[Branch(label="none", figure=0)]))
    page = Page(
        title="One", parts=[Table(title="T", columns=[Column(title="A")], rows=[("a",)], details=[tree])]
    )

    assert data_of(to_html(page))["trees"] == [["all", f"{most:,}", "", "", [["none", 0]]]]


def test_what_is_not_known_says_so_and_is_no_nought() -> None:
    structure = Structure(to_html(one_table(None, float("nan"), 0)))
    unknown = [one for one in structure.named("span") if one.get("class") == "unknown"]

    assert [(one["title"], one["aria-label"], one["role"]) for one in unknown] == [
        ("not known", "not known", "img")
    ] * 2
    assert structure.texts.count("?") == 2
    assert "0" in structure.texts


def test_words_for_a_person() -> None:
    assert [worded(one) for one in (None, True, False, 1234567, -1234.5, "a\x1b", NOW)] == [
        "?", "yes", "no", "1,234,567", "-1,234.5", "a⟨U+001B⟩", "2026-03-02 08:00Z",
    ]  # fmt: skip
    assert worded(datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-03-02 08:00Z"
    assert worded(datetime(2026, 3, 2, 8, 0, tzinfo=UTC).replace(tzinfo=None)) == "2026-03-02 08:00Z"


def test_tables_say_to_a_screen_reader_what_they_are(document: str) -> None:
    structure = Structure(document)
    tables = sum(name == "table" for name, _, _ in structure.elements)

    assert len(structure.named("caption")) == tables == 3  # the plan, and the figures of two charts
    assert "Changes: 300 rows" in structure.texts
    for name, attributes, above in structure.elements:
        if name == "th":
            assert attributes["scope"] == ("col" if "thead" in above else "row")
        if attributes.get("role") == "region":
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]
    rows = [attributes for name, attributes, above in structure.elements if name == "th" and "tbody" in above]
    assert all(str(one["class"]).startswith("key") for one in rows)
    assert structure.named("html") == [{"lang": "en"}]
    assert [name for name, _, _ in structure.elements if name in {"h1", "h2", "h3"}] == ["h1", *["h2"] * 6]
    ids = [str(given["id"]) for _, given, _ in structure.elements if "id" in given]
    assert len(ids) == len(set(ids))
    labelled = [
        str(given["aria-labelledby"]) for _, given, _ in structure.elements if "aria-labelledby" in given
    ]
    assert set(labelled) <= set(ids)


def test_a_tone_is_said_in_words_as_well() -> None:
    tones = ["bad", "warning", "decides", "good", "quiet"]
    facts = [Fact(name=tone, value="x", tone=tone) for tone in tones]
    structure = Structure(to_html(Page(title="Tones", facts=facts)))
    signs = [
        str(given["title"])
        for name, given, _ in structure.elements
        if str(given.get("class")).startswith("sign ")
    ]

    assert signs == tones
    for tone in tones:
        assert structure.texts.count(tone) == 2  # the fact's name, and the word of its sign


def test_a_table_that_has_its_own_words_for_tones_says_those() -> None:
    table = Table(
        title="The check list",
        columns=[Column(title="status")],
        rows=[("ok",), ("look",)],
        tones=["good", "warning"],
        tone_words={"good": "ok", "": "<open>"},
        details=[Tree(title="Why", root=Branch(label="it", tone="good")), None],
    )
    text = to_html(Page(title="Doctor", parts=[table]))
    signs = [
        given["title"]
        for _, given, _ in Structure(text).elements
        if str(given.get("class")).startswith("sign ")
    ]

    assert signs == ["ok", "good", "warning"]  # the row's, its explanation's, and the one without its own
    assert data_of(text)["words"] == {"good": "ok", "": "<open>"}
    assert data_of(text)["signs"]["good"] == ["✓", "good"]
    with pytest.raises(InvalidValueError, match="fine"):
        Table(title="Odd", columns=[Column(title="A")], rows=[], tone_words={"fine": "ok"})


def test_without_a_script_the_first_rows_are_there_with_their_explanations() -> None:
    text = to_html(demo_page(250))
    structure = Structure(text)
    opened = [given for name, given, above in structure.elements if name == "details" and "tbody" in above]

    assert len(opened) == sum(number % 3 != 2 for number in range(200))
    assert "... and 50 more rows. They are in this file too: a browser of 2024 or later" in text
    assert "One more of PART-B raises three listings." in structure.texts


def test_a_table_without_keys_is_searched_and_named_by_its_first_columns() -> None:
    columns = [Column(title="A"), Column(title="B")]
    page = Page(title="T", parts=[Table(title="T", columns=columns, rows=[("a", "b")])])
    keyed = [Column(title="A"), Column(title="B", is_key=True)]
    other = Page(title="T", parts=[Table(title="T", columns=keyed, rows=[("a", "b")])])

    assert data_of(to_html(page))["columns"] == [["text", 1], ["text", 1]]
    assert '<th scope="row" class="key"><span class="named"><bdi>a' in to_html(page)
    assert data_of(to_html(other))["columns"] == [["text", 0], ["text", 1]]
    assert '<td><bdi>a</bdi></td><th scope="row" class="key"><span class="named"><bdi>b' in to_html(other)


def test_an_empty_page_and_an_empty_table_are_whole_documents() -> None:
    assert "Nothing is in quarantine." in to_html(Page(title="T", parts=[empty_table()]))
    structure = Structure(to_html(Page(title="Nothing yet")))

    assert structure.texts.count("Nothing yet") == 2
    assert [one.get("id") for one in structure.named("script")] == [None]


def test_a_fragment_brings_no_script_no_names_and_a_style_of_its_own_only() -> None:
    text = to_fragment(demo_page())
    structure = Structure(text)

    assert structure.named("script") == structure.named("html") == structure.named("meta") == []
    assert [name for name, _, _ in structure.elements if name in {"h1", "h2", "h3"}] == ["h2", *["h3"] * 6]
    names = [str(given["id"]) for _, given, _ in structure.elements if "id" in given]
    assert all(re.match("c[0-9a-f]{8}-", one) for one in names)
    assert "... and 250 more rows. to_html() writes a file with all of them." in structure.texts
    assert len(structure.named("style")) == 1


def test_the_style_holds_only_for_what_is_ours() -> None:
    style = (files("omsync.views") / "assets" / "page.css").read_text(encoding="utf-8")
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", style) for one in rule.split(",")]
    ours = [one for one in selectors if not one.startswith("@") and not one.startswith("(")]

    assert len(ours) > 80
    assert [one for one in ours if ".omsync" not in one and one != "body.omsync-page"] == []


def test_what_is_read_stands_out_from_what_is_behind_it_in_light_and_dark() -> None:
    style = (files("omsync.views") / "assets" / "page.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", style)
    colours = {name: (light, dark) for name, light, dark in found}

    assert len(colours) == 17
    pairs = [
        *((ink, behind) for ink in ("ink", "soft") for behind in ("paper", "card", "hover", "bad-wash")),
        *((tone, "card") for tone in ("accent", "bad", "warning", "decides")),
        *(("card", tone) for tone in ("bad", "decides")),
        *((tone, f"{tone}-wash") for tone in ("warning", "decides", "good", "quiet")),
        ("ink", "quiet-wash"), ("soft", "quiet-wash"), ("accent", "paper"), ("accent", "hover"),
    ]  # fmt: skip
    for first, second in pairs:
        for mode in (0, 1):
            assert contrast(colours[first][mode], colours[second][mode]) >= 4.5, (first, second, mode)


def contrast(first: str, second: str) -> float:
    """Give the ratio of two colours as the WCAG defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.usefixtures("no_matplotlib")
def test_without_matplotlib_a_chart_is_its_figures_with_bars() -> None:
    chart = Chart(
        title="Stock",
        labels=("Reno <b>", "Columbus", "Shop"),
        series=[Series(name="Available", figures=(200, None, -50)), Series(name="Left", figures=(0, 1, 0.5))],
        unit="units",
    )
    text = to_html(Page(title="T", parts=[chart]))
    structure = Structure(text)
    bars = [given for name, given, _ in structure.elements if str(given.get("class")).startswith("bar")]

    assert structure.named("svg") == []
    assert [one for one in structure.texts if one in {"200", "-50", "0", "1", "0.5", "?"}] == [
        "200",
        "0",
        "?",
        "1",
        "-50",
        "0.5",
    ]
    assert [(one["class"], one["style"]) for one in bars if "style" in one] == [
        ("bar", "inline-size:100%;background-color:#3178b0"),
        ("bar", "inline-size:1%;background-color:#c2661a"),
        ("bar below", "inline-size:25%;background-color:#3178b0"),
        ("bar", "inline-size:1%;background-color:#c2661a"),
    ]
    assert {"Reno <b>", "Available (units)", "Left (units)"} <= set(structure.texts)


def test_the_same_page_gives_the_same_document() -> None:
    assert to_html(demo_page(30)) == to_html(demo_page(30))
    assert to_html(large_page(2500)) == to_html(large_page(2500))
