"""A page as text, CSV and JSON: the same figures in each, and nothing from outside that steers anything."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from fake_ports import FakeCart, FakeClock, stock

from omsync import (
    CartListing,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    Sku,
    Warehouse,
    audit,
    compare,
    diagnose,
    drift,
    history,
    overview,
    plan_cart,
    product_view,
    quarantined,
    sync_cart,
)
from omsync.convergence import History
from omsync.errors import InvalidValueError
from omsync.exchange import HistoryEntry
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning.spreadsheet import as_csv
from omsync.views.page import Branch, Chart, Column, Fact, Page, Series, Table, Tree
from omsync.views.rendered import Rendered
from omsync.views.text import to_csv, to_json, to_text

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
STOCK = Table(
    title="Stock",
    columns=[
        Column(title="SKU", kind="code", is_key=True),
        Column(title="units", kind="number"),
        Column(title="active", kind="flag"),
        Column(title="since", kind="time"),
    ],
    rows=[("MUG", 1200, True, AT), ("=CUP", None, False, None), ("茶", -3, True, AT)],
    note="All figures are units.",
)
WHY = Tree(
    title="Why 7",
    root=Branch(
        label="SET",
        figure=7,
        branches=[
            Branch(
                label="Reno",
                figure=7,
                branches=[Branch(label="LID", figure=7, tone="decides", detail="7 // 1")],
            ),
            Branch(label="FBA", detail="not counted", tone="quiet"),
        ],
    ),
    note="As read.",
)
DRAWN = Chart(
    title="Before and after",
    labels=["MUG", "CUP"],
    series=[Series(name="shows", figures=[3, None]), Series(name="shall show", figures=[4, 5])],
    unit="pieces",
    note="Held lines too.",
)
PAGE = Page(
    title="A page",
    summary="Three products.",
    facts=[Fact(name="Read", value="now"), Fact(name="Held", value="2", tone="warning")],
    parts=[WHY, STOCK, DRAWN],
    notes=["Look at it."],
    at=AT,
)


def test_a_page_is_text_that_a_person_reads() -> None:
    assert to_text(PAGE).splitlines() == [
        "A page (2026-03-02 08:30Z)",
        "Three products.",
        "",
        "  Read: now",
        "  Held: 2 (!)",
        "",
        "Why 7",
        "  SET: 7",
        "  ├─ Reno: 7",
        "  │  └─ LID: 7 (7 // 1) <- decides",
        "  └─ FBA (not counted)",
        "  As read.",
        "",
        "Stock",
        "  SKU   units  active  since",
        "  MUG   1,200  yes     2026-03-02 08:30Z",
        "  =CUP      ?  no      ?",
        "  茶       -3  yes     2026-03-02 08:30Z",
        "  All figures are units.",
        "",
        "Before and after (pieces)",
        "       shows  shall show",
        "  MUG      3           4",
        "  CUP      ?           5",
        "  Held lines too.",
        "",
        "note: Look at it.",
    ]


def test_a_long_table_is_cut_and_an_empty_one_says_so() -> None:
    rows = [(f"SKU-{number}",) for number in range(45)]
    long = Table(title="Long", columns=[Column(title="SKU")], rows=rows)
    none = Table(title="None", columns=[Column(title="SKU")], rows=[], empty="Nothing is held.")
    text = to_text(Page(title="Two", parts=[long, none])).splitlines()

    assert text[-4:] == ["  ... and 5 more rows", "", "None", "  Nothing is held."]
    assert to_text(Page(title="One", parts=[long]), most=1).count("SKU-") == 1


def test_what_came_from_outside_steers_no_terminal() -> None:
    evil = Table(title="Evil", columns=[Column(title="SKU")], rows=[("\x1b[2Jred\nmug\u202e",)])
    text = to_text(Page(title="\x1b]0;owned\x07", parts=[evil]))

    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert len(text.splitlines()) == 5


def test_csv_has_the_first_table_and_other_parts_by_their_title() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(PAGE))))
    assert rows == [
        ["SKU", "units", "active", "since"],
        ["MUG", "1200", "true", "2026-03-02T08:30:00+00:00"],
        ["'=CUP", "", "false", ""],
        ["茶", "-3", "true", "2026-03-02T08:30:00+00:00"],
    ]
    assert to_csv(PAGE, "Before and after").splitlines() == [",shows,shall show", "MUG,3,4", "CUP,,5"]
    assert to_csv(PAGE, "Why 7").splitlines() == [
        "level,what,figure,why,tone",
        "0,SET,7,,",
        "1,Reno,7,,",
        "2,LID,7,7 // 1,decides",
        "1,FBA,,not counted,quiet",
    ]


@pytest.mark.parametrize(
    "sign", [*"=+-@", *map(chr, (0xFF1D, 0xFF0B, 0xFF0D, 0xFF20)), "\t", "\r", "\n", "'"]
)
def test_no_text_is_run_by_a_spreadsheet_in_any_csv(sign: str) -> None:
    text = f"{sign}1"
    table = Table(title="Evil", columns=[Column(title=text)], rows=[(text,), (-1,)])
    page = csv.reader(io.StringIO(to_csv(Page(title="One", parts=[table])), newline=""))
    snapshot = InventorySnapshot(taken_at=AT, skus=[Sku(master_sku="MUG", name=text)])
    products = csv.DictReader(io.StringIO(product_view(snapshot).to_csv(), newline=""))
    entry = HistoryEntry(
        run_id="r", listing_sku="MUG", sent_at=AT, quantity=1, status="rejected", message=text
    )
    sent = History(merchant="acme", cart="shop", entries=[entry])

    assert list(page) == [[f"'{text}"], [f"'{text}"], ["-1"]]
    assert [row["name"] for row in products] == [f"'{text}"]
    assert [row["message"] for row in csv.DictReader(io.StringIO(sent.to_csv(), newline=""))] == [f"'{text}"]


def test_a_line_end_in_a_cell_begins_no_row_of_its_own() -> None:
    for end in ("\r", "\n", "\r\n"):
        assert as_csv([["a", f"x{end}=1+1", 2]]) == f'a,"x{end}=1+1",2\n'
    assert as_csv([["a,b", 'c"', "", None]]) == '"a,b","c""",,\n'
    assert as_csv([]) == ""


def test_what_is_written_keeps_the_line_ends_that_it_has(tmp_path: Path) -> None:
    table = Table(title="Notes", columns=[Column(title="note")], rows=[("a\r\nb\nc",)])
    page = Page(title="One", parts=[table])

    assert page.to_csv(tmp_path / "notes.csv") == 'note\n"a\r\nb\nc"\n'
    assert (tmp_path / "notes.csv").read_bytes() == b'note\n"a\r\nb\nc"\n'


def test_a_page_without_tables_gives_its_first_part_or_its_facts() -> None:
    assert to_csv(Page(title="Tree", parts=[WHY])).startswith("level,what")
    assert to_csv(Page(title="Facts", facts=PAGE.facts)).splitlines() == ["fact,value", "Read,now", "Held,2"]


def test_a_part_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidValueError, match="no part 'Stok'") as caught:
        to_csv(PAGE, "Stok")
    assert caught.value.remedy == "It has: 'Why 7', 'Stock', 'Before and after'."


def test_json_has_everything() -> None:
    data = json.loads(to_json(PAGE))

    assert [(part["kind"], part["title"]) for part in data["parts"]] == [
        ("tree", "Why 7"),
        ("table", "Stock"),
        ("chart", "Before and after"),
    ]
    assert data["parts"][1]["rows"][1] == ["=CUP", None, False, None]
    assert data["parts"][1]["tone_words"] == {}
    assert data["parts"][0]["root"]["branches"][0]["branches"][0]["tone"] == "decides"
    assert (data["parts"][2]["drawn_as"], data["at"]) == ("bars", "2026-03-02T08:30:00+00:00")
    assert to_json(PAGE, indent=2).startswith('{\n  "title"')


class View(Rendered):
    """The least that a view needs."""

    def page(self) -> Page:
        return PAGE


def test_every_view_has_every_rendering(tmp_path: Path) -> None:
    view = View()
    out = io.StringIO()
    view.print(out)

    assert (str(view), view.to_csv(), view.to_json()) == (to_text(PAGE), to_csv(PAGE), to_json(PAGE))
    html = view.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes().decode() == html
    sheet = view.to_csv(tmp_path / "page.csv")
    assert (tmp_path / "page.csv").read_bytes().decode() == sheet == view.to_csv()
    assert "A page" in html
    assert view.to_html() == html
    assert "A page" in view._repr_html_()
    assert "Stock" in out.getvalue()


def test_a_view_has_to_say_what_it_is() -> None:
    with pytest.raises(TypeError, match=r"abstract method '?page"):
        Rendered()  # type: ignore[abstract]  # that is the point


def test_rows_that_do_not_fit_their_columns_are_refused() -> None:
    columns = [Column(title="SKU")]
    with pytest.raises(InvalidValueError, match="Row 1 of 'Odd' has 2 cells under 1 columns"):
        Table(title="Odd", columns=columns, rows=[("A",), ("B", 1)])
    with pytest.raises(InvalidValueError, match="as many tones and details as rows"):
        Table(title="Odd", columns=columns, rows=[("A",)], tones=["bad", "bad"])
    with pytest.raises(InvalidValueError, match="'up' of 'Odd' has 1 figures for 2 labels"):
        Chart(title="Odd", labels=["a", "b"], series=[Series(name="up", figures=[1])])


def test_a_number_that_is_none_is_not_known_in_any_rendering() -> None:
    strange = [math.nan, math.inf, -math.inf]
    table = Table(
        title="Rates", columns=[Column(title="rate", kind="number")], rows=[(one,) for one in strange]
    )
    chart = Chart(title="Drawn", labels=["a", "b", "c"], series=[Series(name="rate", figures=strange)])
    page = Page(title="Strange", parts=[table, chart])
    data = json.loads(to_json(page), parse_constant=pytest.fail)

    assert data["parts"][0]["rows"] == [[None]] * 3
    assert data["parts"][1]["series"][0]["figures"] == [None] * 3
    assert to_csv(page) == 'rate\n""\n""\n""\n'
    assert [line.split() for line in to_text(page).splitlines()[4:7]] == [["?"]] * 3


def test_whatever_is_printed_steers_no_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2Jred\nmug\u202e"
    clock = FakeClock()
    merchant = MerchantSettings(name="acme\x1b[2J", mode=PerWarehouse())
    shop = CartSettings(name="shop\x1b[2J", order_lag=0)
    reading = attrs.evolve(
        stock({evil: 5, "MUG": 9}), taken_at=clock.now(), warehouses=[Warehouse(id="W1", name=evil)]
    )
    cart = FakeCart({evil: 9, "MUG": 1}, rows={evil: "rejected"})
    with SqliteLedger(tmp_path / "ledger.db", now=clock.now) as ledger:
        given: dict[str, Any] = {"merchant": merchant, "ledger": ledger, "clock": clock}
        plan = plan_cart(reading, cart, shop, **given)
        reports = [sync_cart(reading, cart, shop, **given) for _ in range(3)]
        printed = [
            product_view(reading, merchant),
            plan,
            reports[-1],
            plan.explain(evil),
            overview(ledger, now=clock.now()),
            diagnose(reading, cart, shop, listing_sku=evil, **given),
            audit(reading, merchant=merchant, cart=shop, shown=[CartListing(listing_sku=evil, quantity=4)]),
            drift(ledger, cart, shop, merchant=merchant, clock=clock),
            history(ledger, shop, merchant=merchant),
            quarantined(ledger, shop, merchant=merchant),
            compare(reading, attrs.evolve(reading, levels=[]), merchant=merchant),
            *ledger.runs(merchant, shop.name),
        ]

    for one in printed:
        assert all(line.isprintable() for line in str(one).split("\n")), one
        assert "\nmug" not in str(one)
