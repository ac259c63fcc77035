"""The exports that a merchant has already: own names, columns and dialect, declared and never guessed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omsync import CartSettings, MerchantSettings, PerWarehouse, allocate, load_settings
from omsync.checks import LARGEST
from omsync.errors import DecodeError, InvalidValueError, SettingsError, WrongTypeError
from omsync.model import Alias, Bundle, Component, InventorySnapshot, Sku, StockLevel, Warehouse
from omsync.ports import OrderManagerSource, ReadRequest
from omsync.sources.files import CsvExports, Dialect, Export
from omsync.textfiles.tables import CellError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REQUEST = ReadRequest(merchant=MerchantSettings(mode=PerWarehouse()), now=NOW)

GERMAN = Dialect(
    delimiter=";",
    encoding="cp1252",
    decimal=",",
    thousands=".",
    zone="Europe/Berlin",
    time_format="%d.%m.%Y %H:%M",
    true_values=("Ja",),
    false_values=("Nein", ""),
)
LONG = Export("bestand.csv", columns={"master_sku": "Artikel", "location_id": "Lager", "on_hand": "Bestand"})
WIDE = Export(
    "stock.csv",
    columns={"master_sku": "SKU"},
    by_warehouse={
        "Reno DC": {"on_hand": "Reno on hand", "available": "Reno available"},
        "Ohio DC": {"available": "Ohio available"},
    },
)


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes(text.encode(encoding))
    os.utime(folder / name, (NOW.timestamp(), NOW.timestamp()))
    return folder


def levels_of(source: CsvExports) -> list[StockLevel]:
    return list(source.read(REQUEST).levels)


def problems_of(source: CsvExports) -> tuple[str, ...]:
    with pytest.raises(DecodeError, match="are not as declared") as caught:
        source.read(REQUEST)
    assert caught.value.code == "broken_files"
    return caught.value.problems


def stock(folder: Path, text: str, *, stock: Export = LONG, **dialect: Any) -> CsvExports:
    """Write the stock's file, and declare it with semicolons."""
    written(folder, stock.file, text)
    return CsvExports(folder, stock=stock, dialect=Dialect(**{"delimiter": ";", **dialect}))


HEADER = "Artikel;Lager;Bestand\n"


def test_exports_are_an_order_manager() -> None:
    assert isinstance(CsvExports(".", stock=LONG), OrderManagerSource)


def test_a_merchants_own_files_give_a_snapshot(tmp_path: Path) -> None:
    files = {
        "artikel.csv": (
            "Item No;Beschreibung;Aktiv;Gewicht;Regal\n0012;Löffel;Ja;1.200,5;A1\nMUG;Tasse;;;A2\n"
        ),
        "shop.csv": "Angebot;Artikel;Stück\nmug-6;MUG;6,00\n",
        "lager.csv": "Nr;Bezeichnung;Gesperrt\n1;Reno DC;\n2;Ohio DC;Ja\n",
        "sets.csv": "Set;Teil;Menge\nSET;MUG;2\nSET;0012;1\nEMPTY;;\n",
        "bestand.csv": (
            "Artikel;Lager;Bestand;Frei;Auftrag;Stand\n"
            "MUG;1;1.234;;2;01.03.2026 12:30\n"
            "0012;2;;-3;;28.02.2026 23:00\n"
        ),
    }
    for name, text in files.items():
        written(tmp_path, name, text, "cp1252")
    source = CsvExports(
        tmp_path,
        products=Export(
            "artikel.csv",
            columns={
                "master_sku": "Item No",
                "name": "Beschreibung",
                "active": "Aktiv",
                "weight_oz": "Gewicht",
            },
        ),
        listings=Export(
            "shop.csv",
            columns={"listing_sku": "Angebot", "master_sku": "Artikel", "units": "Stück"},
            fixed={"name": "Shopify US"},
        ),
        warehouses=Export(
            "lager.csv",
            columns={"id": "Nr", "name": "Bezeichnung", "active": "Gesperrt"},
            dialect=Dialect(delimiter=";", true_values=("",), false_values=("Ja",)),
        ),
        bundles=Export("sets.csv", columns={"bundle": "Set", "component": "Teil", "quantity": "Menge"}),
        stock=Export(
            "bestand.csv",
            columns={
                "master_sku": "Artikel",
                "location_id": "Lager",
                "on_hand": "Bestand",
                "available": "Frei",
                "committed": "Auftrag",
                "taken_at": "Stand",
            },
            empty_as_zero=("committed",),
        ),
        dialect=GERMAN,
        bundles_include_buildable="unknown",
    )

    assert source.read(REQUEST) == InventorySnapshot(
        taken_at=datetime(2026, 2, 28, 22, 0, tzinfo=UTC),
        skus=[
            Sku(master_sku="0012", name="Löffel", weight_oz=1200.5),
            Sku(master_sku="MUG", name="Tasse", active=False),
        ],
        aliases=[Alias(name="Shopify US", listing_sku="mug-6", master_sku="MUG", units=6)],
        warehouses=[Warehouse(id="1", name="Reno DC"), Warehouse(id="2", name="Ohio DC", active=False)],
        bundles=[
            Bundle(
                master_sku="SET",
                components=[Component(master_sku="MUG", quantity=2), Component(master_sku="0012")],
            ),
            Bundle(master_sku="EMPTY", components=[]),
        ],
        levels=[
            StockLevel(master_sku="0012", location_id="2", available=-3),
            StockLevel(master_sku="MUG", location_id="1", on_hand=1234, committed=2),
        ],
        bundles_include_buildable="unknown",
    )


def test_a_column_for_each_warehouse_gives_a_record_where_a_cell_is_filled(tmp_path: Path) -> None:
    written(
        tmp_path,
        "stock.csv",
        "SKU,Reno on hand,Reno available,Ohio available\nA,5,3,0\nB,,,7\nC,2,,\nD,,,\n",
    )

    snapshot = CsvExports(tmp_path, stock=WIDE).read(REQUEST)

    assert list(snapshot.levels) == [
        StockLevel(master_sku="A", location_id="Ohio DC", available=0),
        StockLevel(master_sku="A", location_id="Reno DC", on_hand=5, available=3),
        StockLevel(master_sku="B", location_id="Ohio DC", available=7),
        StockLevel(master_sku="C", location_id="Reno DC", on_hand=2),
    ]
    assert [one.id for one in snapshot.warehouses] == ["Ohio DC", "Reno DC"]


def test_warehouses_and_products_are_those_of_the_stock_when_no_file_lists_them(tmp_path: Path) -> None:
    source = stock(tmp_path, HEADER + "MUG;Reno DC;5\n0012;Ohio DC;\n")
    written(tmp_path, "sets.csv", "Set;Teil;Menge\nSET;MUG;2\n")
    with_sets = CsvExports(
        tmp_path,
        stock=LONG,
        bundles=Export("sets.csv", columns={"bundle": "Set", "component": "Teil", "quantity": "Menge"}),
        dialect=source.dialect,
    )

    snapshot = with_sets.read(REQUEST)

    assert snapshot.warehouses == (
        Warehouse(id="Ohio DC", name="Ohio DC"),
        Warehouse(id="Reno DC", name="Reno DC"),
    )
    assert [sku.master_sku for sku in snapshot.skus] == ["0012", "MUG", "SET"]
    settings = MerchantSettings(mode=PerWarehouse(disabled={"Ohio DC"}))
    allocation = allocate(snapshot, settings, CartSettings(name="shop"))
    assert {one.listing_sku: one.quantity for one in allocation.quantities}["MUG"] == 5


def test_a_column_for_each_warehouse_lists_a_warehouse_that_holds_nothing(tmp_path: Path) -> None:
    written(tmp_path, "stock.csv", "SKU,Reno on hand,Reno available,Ohio available\nA,5,3,\n")

    assert len(CsvExports(tmp_path, stock=WIDE).read(REQUEST).warehouses) == 2


def test_stock_and_listings_may_lie_in_several_files(tmp_path: Path) -> None:
    columns = {"master_sku": "SKU", "available": "Free"}
    written(tmp_path, "reno.csv", "SKU,Free\nA,5\n")
    written(tmp_path, "ohio.csv", "SKU,Free\nA,7\n")
    both = [
        Export("reno.csv", columns=columns, fixed={"location_id": "Reno DC"}),
        Export("ohio.csv", columns=columns, fixed={"location_id": "Ohio DC"}),
    ]

    assert levels_of(CsvExports(tmp_path, stock=both)) == [
        StockLevel(master_sku="A", location_id="Ohio DC", available=7),
        StockLevel(master_sku="A", location_id="Reno DC", available=5),
    ]
    assert problems_of(CsvExports(tmp_path, stock=[both[0], both[0]])) == (
        "reno.csv:2: 'A' at 'Reno DC' is in reno.csv:2 already",
    )


def test_a_settings_file_says_all_of_it(tmp_path: Path) -> None:
    written(tmp_path, "bestand.csv", "Bericht\nArtikel;Lager;Bestand\nMUG;Reno DC;5,00\n")
    written(tmp_path, "omsync.toml", """
        [merchant]
        name = "acme"
        mode = { per = "warehouse" }

        [merchant.source]
        dialect = { delimiter = ";", decimal = ",", thousands = "", quote = "" }

        [[merchant.source.stock]]
        file = "bestand.csv"
        header_row = 2
        columns = { master_sku = "Artikel", location_id = "Lager", on_hand = "Bestand" }
        dialect = { delimiter = ";", decimal = ",", true_values = ["Ja"] }

        [merchant.source.products]
        file = "artikel.csv"
        columns = { master_sku = "Artikel" }

        [[cart]]
        name = "shop"
        """)  # fmt: skip
    written(tmp_path, "artikel.csv", "Artikel\nMUG\n")
    declared = load_settings(tmp_path / "omsync.toml").source

    source = CsvExports(tmp_path, **declared)

    assert source.dialect == Dialect(delimiter=";", decimal=",", quote=None)
    assert source == CsvExports(
        str(tmp_path),
        stock=Export(
            "bestand.csv",
            columns=LONG.columns,
            header_row=2,
            dialect=Dialect(delimiter=";", decimal=",", true_values=("Ja",)),
        ),
        products=Export("artikel.csv", columns={"master_sku": "Artikel"}),
        dialect=source.dialect,
    )
    assert levels_of(source) == [StockLevel(master_sku="MUG", location_id="Reno DC", on_hand=5)]


# What is declared wrong is said before a file is looked at.


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({"stock": ()}, "stock: at least one file must be declared"),
        (
            {"stock": Export("s", columns={"master_skus": "A", "location_id": "B", "on_hand": "C"})},
            "stock.columns: there is no field 'master_skus'; did you mean 'master_sku'?",
        ),
        (
            {"stock": Export("s", columns={"location_id": "B", "on_hand": "C"})},
            "stock.columns: 'master_sku' is not declared",
        ),
        (
            {"stock": Export("s", columns={"master_sku": "A", "on_hand": "C"})},
            "stock.columns: 'location_id' is not declared",
        ),
        (
            {"stock": Export("s", columns={"master_sku": "A", "location_id": "B", "locked": "C"})},
            "stock.columns: neither 'on_hand' nor 'available' is declared",
        ),
        (
            {"stock": [LONG, Export("s", columns={**LONG.columns, "taken": "T"})]},
            "stock[1].columns: there is no field 'taken'; did you mean 'taken_at'?",
        ),
        (
            {"stock": Export("s", columns=LONG.columns, fixed={"location_id": "Reno DC"})},
            "stock.fixed: 'location_id' has a column already",
        ),
        (
            {"stock": Export("s", columns=LONG.columns, fixed={"locked": "5"})},
            "stock.fixed.locked: must be a whole number, not '5' (str)",
        ),
        (
            {"stock": Export("s", columns=LONG.columns, fixed={"taken_at": NOW})},
            "stock.fixed: there is no field 'taken_at'",
        ),
        (
            {"stock": Export("s", columns=LONG.columns, empty_as_zero=("locked",))},
            "stock.empty_as_zero: 'locked' has no column",
        ),
        (
            {"products": Export("p", columns={"master_sku": "A", "taken_at": "B"})},
            "products.columns: there is no field 'taken_at'",
        ),
        (
            {"products": Export("p", columns={"master_sku": "A"}, by_warehouse=WIDE.by_warehouse)},
            "products.by_warehouse: is for stock only",
        ),
        (
            {"listings": Export("l", columns={"master_sku": "A", "listing_sku": "B"})},
            "listings.columns: 'name' is not declared",
        ),
        (
            {"bundles": Export("b", columns={"bundle": "A", "component": "B"}, fixed={"quantity": 1.5})},
            "bundles.fixed.quantity: must be a whole number, not 1.5 (float)",
        ),
        (
            {
                "stock": Export(
                    "s", columns={"master_sku": "A", "on_hand": "B"}, by_warehouse=WIDE.by_warehouse
                )
            },
            "stock.by_warehouse: 'on_hand' would be the same for all warehouses",
        ),
        (
            {"stock": Export("s", columns={"master_sku": "A"}, by_warehouse={"Reno": {"locked": "B"}})},
            "stock.by_warehouse.Reno: neither 'on_hand' nor 'available' is declared",
        ),
        (
            {
                "stock": Export(
                    "s", columns={"master_sku": "A"}, by_warehouse={"R": {"onhand": "B", "available": "C"}}
                )
            },
            "stock.by_warehouse.R: there is no figure 'onhand'; did you mean 'on_hand'?",
        ),
        (
            {
                "stock": Export(
                    "s",
                    columns={"master_sku": "A"},
                    by_warehouse={"Reno": {"on_hand": "B"}, "Ohio": {"on_hand": "B"}},
                )
            },
            "stock.by_warehouse.Ohio: the column 'B' is that of 'Reno' already",
        ),
    ],
)
def test_a_wrong_declaration_is_named(declared: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match="are declared wrong") as caught:
        CsvExports("nowhere", **{"stock": LONG, **declared})
    assert caught.value.code == "exports_declared"
    assert caught.value.problems[0].startswith(problem)


def test_a_part_of_a_set_and_a_pack_size_may_be_fixed(tmp_path: Path) -> None:
    source = stock(tmp_path, HEADER + "MUG;1;5\n")
    written(tmp_path, "pairs.csv", "Set;Teil\nPAIR;MUG\n")
    pairs = Export("pairs.csv", columns={"bundle": "Set", "component": "Teil"}, fixed={"quantity": 2})

    snapshot = CsvExports(tmp_path, stock=LONG, bundles=pairs, dialect=source.dialect).read(REQUEST)

    assert snapshot.bundles[0].components == (Component(master_sku="MUG", quantity=2),)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"delimiter": ";;"}, "Dialect.delimiter must be one letter"),
        ({"delimiter": "\n"}, "Dialect.delimiter must be one letter"),
        ({"delimiter": ""}, "Dialect.delimiter must not be empty"),
        ({"delimiter": 5}, "Dialect.delimiter must be text"),
        ({"quote": "''"}, "Dialect.quote must be one letter"),
        ({"quote": ","}, "Dialect.delimiter and Dialect.quote are both ','"),
        ({"decimal": "5"}, "Dialect.decimal must not be a digit or a sign"),
        ({"thousands": "-"}, "Dialect.thousands must not be a digit or a sign"),
        ({"decimal": ",", "thousands": ","}, "Dialect.decimal and Dialect.thousands are both ','"),
        ({"decimal": ",", "quote": None}, "Dialect.delimiter and Dialect.decimal are both ','"),
        ({"encoding": "utf-9"}, "Dialect.encoding must name an encoding of text, not 'utf-9'"),
        ({"encoding": "utf-8\0"}, "Dialect.encoding must name an encoding of text"),
        ({"encoding": "hex"}, "Dialect.encoding must name an encoding of text, not 'hex'"),
        ({"zone": "Berlin"}, "Dialect.zone must name a time zone, not 'Berlin'"),
        ({"zone": "../etc"}, "Dialect.zone must name a time zone"),
        ({"true_values": "Ja"}, "not the bare text 'Ja'"),
        ({"true_values": ("Ja",), "false_values": ("Ja",)}, "both have 'Ja'"),
        ({"trim": "yes"}, "Dialect.trim must be True or False"),
    ],
)
def test_a_dialect_that_means_nothing_is_refused(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Dialect(**declared)
    assert said in caught.value.message


NO_EXPORTS: Any = [5]
NO_HEADERS: Any = {"on_hand": 3}


def test_arguments_that_mean_nothing_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"Export has no argument 'colums'; did you mean 'columns'\?"):
        CsvExports(".", stock={"file": "s", "colums": {}})
    with pytest.raises(SettingsError, match="Dialect has no argument 'separator'") as caught:
        CsvExports(".", stock=LONG, dialect={"separator": ";"})
    assert caught.value.code == "unknown_argument"
    with pytest.raises(WrongTypeError, match=r"CsvExports.stock must be Export, not 5"):
        CsvExports(".", stock=NO_EXPORTS)
    with pytest.raises(InvalidValueError, match=r"empty_as_zero must be one of 'committed'"):
        Export("s", empty_as_zero=("on_hand",))
    with pytest.raises(InvalidValueError, match=r"header_row must be at least 1"):
        Export("s", header_row=0)
    with pytest.raises(InvalidValueError, match=r"Export.columns must be text, not 3"):
        Export("s", columns=NO_HEADERS)
    with pytest.raises(InvalidValueError, match=r"Export.by_warehouse must be text, not 3"):
        Export("s", by_warehouse={"Reno": NO_HEADERS})


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere") as caught:
        CsvExports(tmp_path / "nowhere", stock=LONG).read(REQUEST)
    assert caught.value.code == "no_folder"


# Cells


@pytest.mark.parametrize(
    ("cell", "dialect", "quantity"),
    [
        ("5", {}, 5),
        ("-5", {}, -5),
        ("0", {}, 0),
        ("", {}, None),
        ("5,00", {"decimal": ","}, 5),
        ("5.0", {"decimal": "."}, 5),
        ("1.234", {"thousands": "."}, 1234),
        ("-1.234.567,000", {"decimal": ",", "thousands": "."}, -1_234_567),
        ("1234", {"thousands": "."}, 1234),
        ("1\u202f234", {"thousands": "\u202f"}, 1234),
        ("1'234", {"thousands": "'"}, 1234),
        (str(LARGEST), {}, LARGEST),
        (" 5 ", {"trim": True}, 5),
    ],
)
def test_a_quantity_is_a_whole_number_as_declared(
    tmp_path: Path, cell: str, dialect: dict[str, Any], quantity: int | None
) -> None:
    (level,) = levels_of(stock(tmp_path, HEADER + f"MUG;1;{cell}\n", **dialect))
    assert level.on_hand == quantity


@pytest.mark.parametrize(
    ("cell", "dialect", "said"),
    [
        ("5,7", {"decimal": ","}, "must be a whole number, not '5,7'"),
        ("5,00", {}, "must be a whole number, not '5,00' (declared: plain digits, no marks)"),
        ("5,00", {"decimal": "."}, "must be a whole number, not '5,00' (declared: decimal mark '.')"),
        ("1.234", {}, "must be a whole number, not '1.234' (declared: plain digits, no marks)"),
        ("1.234", {"decimal": "."}, "must be a whole number, not '1.234'"),
        ("12.34", {"thousands": "."}, "must be a whole number, not '12.34' (declared: thousands mark '.')"),
        ("1.2345", {"thousands": "."}, "must be a whole number, not '1.2345'"),
        ("1234.567", {"thousands": "."}, "must be a whole number, not '1234.567'"),
        ("0.123", {"thousands": "."}, "must be a whole number, not '0.123'"),
        ("5,0.000", {"decimal": ",", "thousands": "."}, "must be a whole number, not '5,0.000'"),
        ("5,", {"decimal": ","}, "must be a whole number, not '5,'"),
        (",0", {"decimal": ","}, "must be a whole number, not ',0'"),
        ("5,-1", {"decimal": ","}, "must be a whole number, not '5,-1'"),
        ("+5", {}, "must be a whole number, not '+5'"),
        ("007", {}, "must be a whole number, not '007'"),
        (" 5", {}, "must be a whole number, not ' 5'"),
        ("1e3", {}, "must be a whole number, not '1e3'"),
        ("\u0665", {}, "must be a whole number, not '\u0665'"),
        ("n/a", {}, "must be a whole number, not 'n/a'"),
        ("9" * 20, {}, "must be a whole number, not"),
        (str(LARGEST + 1), {}, f"must be at most {LARGEST}"),
    ],
)
def test_a_quantity_that_is_none_names_file_row_column_and_value(
    tmp_path: Path, cell: str, dialect: dict[str, Any], said: str
) -> None:
    (problem,) = problems_of(stock(tmp_path, HEADER + f"A;1;5\nMUG;1;{cell}\n", **dialect))
    assert problem.startswith(f"bestand.csv:3:Bestand: {said}")


@pytest.mark.parametrize("cell", ["1.23E+05", "1,23E+05", "1E+11", "1.23457E-11", "12.5E+3", "-4.0E+12"])
def test_a_code_that_a_spreadsheet_has_spoilt_is_an_error_with_the_remedy(tmp_path: Path, cell: str) -> None:
    (problem,) = problems_of(stock(tmp_path, HEADER + f"{cell};1;5\n"))

    assert problem.startswith(f"bestand.csv:2:Artikel: {cell!r} is what a spreadsheet makes of a long number")
    assert "with the column formatted as text" in problem


@pytest.mark.parametrize(
    "cell", ["1E5", "1E05", "1E+5", "12E+05", "E+05", "1.23e+05", "1.23E05", "00012", "MUG 1"]
)
def test_a_code_that_only_looks_like_a_number_stays_exact(tmp_path: Path, cell: str) -> None:
    (level,) = levels_of(stock(tmp_path, HEADER + f"{cell};1;5\n"))
    assert level.master_sku == cell


def test_an_empty_cell_is_never_taken_for_nought(tmp_path: Path) -> None:
    declared = Export("bestand.csv", columns={**LONG.columns, "available": "Frei", "locked": "Gesperrt"})
    text = "Artikel;Lager;Bestand;Frei;Gesperrt\nMUG;1;;;"

    (level,) = levels_of(stock(tmp_path, text + "1\n", stock=declared))
    assert (level.on_hand, level.available, level.locked) == (None, None, 1)
    assert problems_of(stock(tmp_path, text + "\n", stock=declared)) == (
        (
            "bestand.csv:2:Gesperrt: is empty, which is not taken for 0; name the field in empty_as_zero if "
            "it means that"
        ),
    )
    (level,) = levels_of(
        stock(
            tmp_path,
            text + "\n",
            stock=Export("bestand.csv", columns=declared.columns, empty_as_zero=["locked"]),
        )
    )
    assert level.locked == 0


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("JA", "must be 'Ja' or 'Nein' or '', not 'JA'; declare true_values and false_values"),
        ("true", "must be 'Ja' or 'Nein' or '', not 'true'"),
    ],
)
def test_a_flag_has_the_declared_words_only(cell: str, said: str) -> None:
    assert [GERMAN.flag(word) for word in ("Ja", "Nein", "")] == [True, False, False]
    with pytest.raises(CellError) as caught:
        GERMAN.flag(cell)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("cell", "dialect", "moment"),
    [
        ("01.03.2026 12:30", GERMAN, datetime(2026, 3, 1, 11, 30, tzinfo=UTC)),
        ("01.08.2026 12:30", GERMAN, datetime(2026, 8, 1, 10, 30, tzinfo=UTC)),
        ("25.10.2026 02:30", GERMAN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-03-01T12:30:00-08:00", Dialect(), datetime(2026, 3, 1, 20, 30, tzinfo=UTC)),
        ("2026-03-01 12:30", Dialect(zone="UTC"), datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
        (
            "03/01/26",
            Dialect(zone="America/New_York", time_format="%m/%d/%y"),
            datetime(2026, 3, 1, 5, tzinfo=UTC),
        ),
        ("1 +0200", Dialect(time_format="%d %z"), datetime(1899, 12, 31, 22, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_declared(cell: str, dialect: Dialect, moment: datetime) -> None:
    assert dialect.moment(cell) == moment


@pytest.mark.parametrize(
    ("cell", "dialect", "said"),
    [
        (
            "2026-03-01",
            GERMAN,
            "must be a time such as %d.%m.%Y %H:%M, not '2026-03-01'; declare time_format",
        ),
        (
            "29.03.2026 02:30",
            GERMAN,
            "'29.03.2026 02:30' never was in Europe/Berlin: the clocks went forward",
        ),
        ("2026-03-01 12:30", Dialect(), "'2026-03-01 12:30' does not name its time zone; declare zone"),
        ("", Dialect(zone="UTC"), "must be a time such as 2026-01-31T06:00:00, not ''"),
        ("0001-01-01T00:00", Dialect(zone="Asia/Tokyo"), "must be a time of our days"),
    ],
)
def test_a_time_that_is_not_as_declared_is_an_error(cell: str, dialect: Dialect, said: str) -> None:
    with pytest.raises(CellError) as caught:
        dialect.moment(cell)
    assert str(caught.value).startswith(said)


def test_a_weight_has_a_fraction_only_with_a_declared_mark() -> None:
    assert Dialect(decimal=",").number("1,5") == 1.5
    assert Dialect(decimal=",").number("-0,5") == -0.5
    assert Dialect().number("15") == 15
    with pytest.raises(CellError, match=r"must be a number, not '1\.5'"):
        Dialect().number("1.5")


# Files


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "bestand.csv:1: there is no header"),
        ("\n\n", "bestand.csv:1: there is no header"),
        (
            "Artikel;Lager\n",
            "bestand.csv:1: there is no column 'Bestand', declared for on_hand; known: Artikel",
        ),
        (
            "Artikel;Lager;bestnd\n",
            "bestand.csv:1: there is no column 'Bestand', declared for on_hand; did you mean 'bestnd'?",
        ),
        (
            "Artikel;Lager;Bestand;Lager\n",
            "bestand.csv:1: the column 'Lager', declared for location_id, is there",
        ),
        (
            "Artikel,Lager,Bestand\nMUG,1,5\n",
            "bestand.csv:1: the header is a single cell, 'Artikel,Lager,Bestand'; declare the delimiter",
        ),
        (HEADER + "MUG;1\n", "bestand.csv:2: the row has 2 cells and the header 3"),
        (HEADER + "MUG;1;5;\n", "bestand.csv:2: the row has 4 cells and the header 3"),
        (HEADER + "MUG;;5\n", "bestand.csv:2:Lager: must not be empty"),
        (HEADER + "MUG;1;5\nMUG;1;6\n", "bestand.csv:3: 'MUG' at '1' is in bestand.csv:2 already"),
        (HEADER + 'MUG;1;5\n"X;1;5\nY;1;5\n', "bestand.csv:3: the row is broken or cut off (unexpected end"),
        (HEADER + 'MUG;"1"x;5\n', "bestand.csv:2: the row is broken or cut off"),
        (HEADER + "MUG;1;5\n\nX\x00;1;5\n", "bestand.csv:4: holds a NUL"),
        (HEADER + "MUG;1;5\n\ufeffArtikel;Lager;Bestand\n", "bestand.csv:3: holds a byte order mark in the"),
        (HEADER + "MUG;1;5\nX;1;12", "bestand.csv: the last row does not end with a line break"),
    ],
)
def test_a_broken_file_names_the_row(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(stock(tmp_path, text))
    assert found.startswith(problem)


def test_a_header_row_beyond_the_end_is_no_header(tmp_path: Path) -> None:
    declared = Export("bestand.csv", columns=LONG.columns, header_row=9)
    assert problems_of(stock(tmp_path, HEADER, stock=declared)) == ("bestand.csv:9: there is no header",)


def test_what_is_not_declared_does_no_harm(tmp_path: Path) -> None:
    text = "Stand vom Montag\n\n;;\nNotiz;Artikel;Notiz;Lager;Bestand;\nx;MUG;1.23E+05;1;5;\n;;;;;\n\n"
    declared = Export("bestand.csv", columns=LONG.columns, header_row=4)

    assert levels_of(stock(tmp_path, text, stock=declared)) == [
        StockLevel(master_sku="MUG", location_id="1", on_hand=5)
    ]


def test_a_program_that_never_ends_its_last_row_is_declared(tmp_path: Path) -> None:
    assert len(levels_of(stock(tmp_path, HEADER + "MUG;1;5", ends_with_line_break=False))) == 1


def test_blanks_around_cells_are_kept_unless_they_are_declared_to_mean_nothing(tmp_path: Path) -> None:
    text = "Artikel ; Lager;Bestand\nMUG   ;1 ;   5\n   ;  ;\n"

    assert levels_of(stock(tmp_path, text, trim=True)) == [
        StockLevel(master_sku="MUG", location_id="1", on_hand=5)
    ]
    assert problems_of(stock(tmp_path, text))[0] == (
        "bestand.csv:1: there is no column 'Artikel', declared for master_sku; did you mean 'Artikel '?"
    )


def test_quotes_are_as_declared(tmp_path: Path) -> None:
    text = HEADER + "'MUG;1';1;5\n"
    assert levels_of(stock(tmp_path, text, quote="'"))[0].master_sku == "MUG;1"
    assert levels_of(stock(tmp_path, HEADER + '"MUG"";1;5\n', quote=None))[0].master_sku == '"MUG""'


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "UTF8"),
        ("utf-8", "utf-8-sig"),
        ("cp1252", "cp1252"),
        ("cp1252", "windows-1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("shift_jis", "shift_jis"),
    ],
)
def test_the_encoding_is_as_declared(tmp_path: Path, encoding: str, declared: str) -> None:
    code = "カップ" if encoding == "shift_jis" else "LÖFFEL"
    written(tmp_path, "bestand.csv", HEADER + f"{code};1;5\n", encoding)
    source = CsvExports(tmp_path, stock=LONG, dialect=Dialect(delimiter=";", encoding=declared))
    assert levels_of(source)[0].master_sku == code


@pytest.mark.parametrize(
    ("data", "declared", "problem"),
    [
        (
            (HEADER + "MUG;1;5\n").encode() + b'"two\nlines";1;5\nL\xd6FFEL;1;5\n',
            "utf-8",
            "bestand.csv:4: is not utf-8; declare the encoding that the file has",
        ),
        (HEADER.encode() + b"L\x81;1;5\n", "cp1252", "bestand.csv:2: is not cp1252; declare"),
        (
            HEADER.encode() + b'"' + b"x" * 140_000 + b"\xff",
            "utf-8",
            "bestand.csv:2: is not utf-8; declare",
        ),
        (
            (HEADER + "MUG;1;5\n").encode("utf-8-sig"),
            "cp1252",
            "bestand.csv:1: begins with the byte order mark of utf-8, and the encoding declared is cp1252",
        ),
        (
            (HEADER + "MUG;1;5\n").encode("utf-16"),
            "utf-8",
            "bestand.csv:1: begins with the byte order mark of utf-16, and the encoding declared is utf-8",
        ),
        (
            (HEADER + "MUG;1;5\n").encode("utf-16-le"),
            "cp1252",
            "bestand.csv:1: holds a NUL, as a file of another",
        ),
    ],
)
def test_a_file_of_another_encoding_names_the_row(
    tmp_path: Path, data: bytes, declared: str, problem: str
) -> None:
    (tmp_path / "bestand.csv").write_bytes(data)
    source = CsvExports(tmp_path, stock=LONG, dialect=Dialect(delimiter=";", encoding=declared))
    (found,) = problems_of(source)
    assert found.startswith(problem)


def test_all_findings_of_all_files_come_in_one_error(tmp_path: Path) -> None:
    source = stock(tmp_path, HEADER + "1.23E+05;1;5,7\nMUG;1;x\nMUG;3;5\nMUG;1;5\nMUG;1;6\n")
    written(tmp_path, "lager.csv", "Nr;Aktiv\n1;maybe\n1;true\n")
    (tmp_path / "sets.csv").mkdir()
    everything = CsvExports(
        tmp_path,
        stock=source.stock,
        products=Export("artikel.csv", columns={"master_sku": "Nr"}),
        warehouses=Export("lager.csv", columns={"id": "Nr", "active": "Aktiv"}),
        bundles=Export("sets.csv", columns={"bundle": "A", "component": "B", "quantity": "C"}),
        dialect=source.dialect,
    )

    assert problems_of(everything) == (
        "artikel.csv: is missing; known: bestand.csv, lager.csv, sets.csv",
        "lager.csv:2:Aktiv: must be 'true' or 'false', not 'maybe'; declare true_values and false_values",
        "sets.csv: cannot be read (Is a directory)",
        (
            "bestand.csv:2:Artikel: '1.23E+05' is what a spreadsheet makes of a long number, and the code "
            "itself is lost; write the code again, with the column formatted as text"
        ),
        "bestand.csv:2:Bestand: must be a whole number, not '5,7' (declared: plain digits, no marks)",
        "bestand.csv:3:Bestand: must be a whole number, not 'x' (declared: plain digits, no marks)",
        "bestand.csv:6: 'MUG' at '1' is in bestand.csv:5 already",
    )


def test_a_row_for_each_warehouse_names_the_columns_of_that_warehouse(tmp_path: Path) -> None:
    written(
        tmp_path,
        "stock.csv",
        f"SKU,Reno on hand,Reno available,Ohio available\nA,x,1,1.0\n,1,1,1\nB,{LARGEST + 1},,1\nB,1,,\n",
    )

    assert problems_of(CsvExports(tmp_path, stock=WIDE)) == (
        "stock.csv:2:Reno on hand: must be a whole number, not 'x' (declared: plain digits, no marks)",
        "stock.csv:2:Ohio available: must be a whole number, not '1.0' (declared: plain digits, no marks)",
        "stock.csv:3:SKU: must not be empty",
        f"stock.csv:4:Reno on hand: must be at most {LARGEST}, not {LARGEST + 1}",
        "stock.csv:5: 'B' at 'Reno DC' is in stock.csv:4 already",
    )


def test_a_missing_file_suggests_the_one_that_was_meant(tmp_path: Path) -> None:
    written(tmp_path, "Bestand_.csv", HEADER)
    assert problems_of(CsvExports(tmp_path, stock=LONG)) == (
        "bestand.csv: is missing; did you mean 'Bestand_.csv'?",
    )


def test_a_warehouse_that_no_file_lists_is_named_once(tmp_path: Path) -> None:
    source = stock(tmp_path, HEADER + "A;Reno;5\nB;Reno;5\nC;Reno DC;5\n")
    written(tmp_path, "lager.csv", "Nr\nReno DC\n")
    with_list = CsvExports(
        tmp_path, stock=LONG, warehouses=Export("lager.csv", columns={"id": "Nr"}), dialect=source.dialect
    )

    assert problems_of(with_list) == (
        "bestand.csv:2: the warehouse 'Reno' is not in lager.csv; did you mean 'Reno DC'?",
    )


def test_halves_of_parts_and_values_out_of_bounds_are_named(tmp_path: Path) -> None:
    source = stock(tmp_path, HEADER + "MUG;1;5\n")
    written(tmp_path, "sets.csv", f"Set;Teil;Menge\nSET;MUG;\nSET;;2\nSET;MUG;{LARGEST + 1}\n")
    written(tmp_path, "shop.csv", "Angebot;Artikel;Stück\nmug;MUG;0\n")
    everything = CsvExports(
        tmp_path,
        stock=LONG,
        bundles=Export("sets.csv", columns={"bundle": "Set", "component": "Teil", "quantity": "Menge"}),
        listings=Export(
            "shop.csv",
            columns={"listing_sku": "Angebot", "master_sku": "Artikel", "units": "Stück"},
            fixed={"name": "Shopify US"},
        ),
        dialect=source.dialect,
    )

    assert problems_of(everything) == (
        "shop.csv:2:Stück: must be at least 1, not 0",
        "sets.csv:2: a component has a quantity, and a quantity a component",
        "sets.csv:3: a component has a quantity, and a quantity a component",
        f"sets.csv:4:quantity: must be at most {LARGEST}, not {LARGEST + 1}",
    )


# When the stock was true


def test_old_files_look_old_and_never_newer_than_the_read(tmp_path: Path) -> None:
    source = stock(tmp_path, HEADER + "MUG;1;5\n")
    for written_at, taken_at in (
        (NOW - timedelta(days=3), NOW - timedelta(days=3)),
        (NOW + timedelta(days=3), NOW),
    ):
        os.utime(tmp_path / "bestand.csv", (written_at.timestamp(), written_at.timestamp()))
        assert source.read(REQUEST).taken_at == taken_at


def test_of_several_files_the_oldest_says_when(tmp_path: Path) -> None:
    columns = {"master_sku": "SKU", "available": "Free", "location_id": "At"}
    written(tmp_path, "one.csv", "SKU,Free,At,Time\nA,5,1,2026-03-01T10:00Z\nB,5,1,2026-03-01T09:00Z\n")
    written(tmp_path, "two.csv", "SKU,Free,At\nC,7,1\n")
    source = CsvExports(
        tmp_path,
        stock=[
            Export("one.csv", columns={**columns, "taken_at": "Time"}),
            Export("two.csv", columns=columns),
        ],
    )

    assert source.read(REQUEST).taken_at == NOW - timedelta(hours=3)
    old = NOW - timedelta(days=1)
    os.utime(tmp_path / "two.csv", (old.timestamp(), old.timestamp()))
    assert source.read(REQUEST).taken_at == old
    explicit = CsvExports(tmp_path, stock=source.stock, taken_at=NOW - timedelta(days=9))
    assert explicit.read(REQUEST).taken_at == NOW - timedelta(days=9)


def test_a_stock_without_rows_is_as_old_as_its_file(tmp_path: Path) -> None:
    declared = Export("bestand.csv", columns={**LONG.columns, "taken_at": "Stand"})
    snapshot = stock(tmp_path, "Artikel;Lager;Bestand;Stand\n", stock=declared).read(REQUEST)
    assert (snapshot.taken_at, len(snapshot.levels)) == (NOW, 0)


def test_a_time_in_the_future_is_one_of_a_wrong_zone(tmp_path: Path) -> None:
    declared = Export("bestand.csv", columns={**LONG.columns, "taken_at": "Stand"})
    text = "Artikel;Lager;Bestand;Stand\nMUG;1;5;2026-03-01 "

    assert problems_of(stock(tmp_path, text + "13:00\n", stock=declared, zone="UTC")) == (
        (
            "bestand.csv:2:Stand: '2026-03-01 13:00' is 2026-03-01 13:00Z, in the future; correct the zone "
            "or the time_format"
        ),
    )
    assert (
        stock(tmp_path, text + "13:00\n", stock=declared, zone="Europe/Berlin").read(REQUEST).taken_at == NOW
    )
    assert stock(tmp_path, text + "12:04\n", stock=declared, zone="UTC").read(REQUEST).taken_at == NOW


def test_progress_is_told_for_each_kind_of_file(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    request = ReadRequest(
        merchant=REQUEST.merchant,
        now=NOW,
        on_progress=lambda stage, done, total: told.append((stage, done, total)),
    )

    stock(tmp_path, HEADER + "A;1;5\nB;1;5\n").read(request)

    assert told == [("levels", 2, 2)]


# Laws

CODE = st.text(
    st.one_of(st.sampled_from("\"';, \n\r.-0é"), st.characters(codec="utf-8")), min_size=1, max_size=6
)
SOUND = CODE.filter(lambda code: not set("\x00\ufeff") & set(code))


def spelt(quantity: int | None, decimal: str, thousands: str) -> str:
    if quantity is None:
        return ""
    return f"{quantity:,}".replace(",", thousands) + decimal + "00"


@given(
    rows=st.dictionaries(st.tuples(SOUND, SOUND), st.none() | st.integers(-LARGEST, LARGEST), max_size=6),
    marks=st.permutations([".", ",", "'", "\u202f"]),
    delimiter=st.sampled_from(";\t|,"),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
def test_whatever_is_written_as_declared_is_read_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    rows: dict[tuple[str, str], int | None],
    marks: list[str],
    delimiter: str,
) -> None:
    decimal, thousands = marks[:2]
    lines = [["Artikel", "Lager", "Bestand"]]
    lines += [
        [sku, place, "" if q is None else spelt(q, decimal, thousands)] for (sku, place), q in rows.items()
    ]
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    folder = written(
        tmp_path_factory.mktemp("exports"), "bestand.csv", "".join(f"{line}\r\n" for line in quoted)
    )
    dialect = Dialect(delimiter=delimiter, decimal=decimal, thousands=thousands)

    levels = levels_of(CsvExports(folder, stock=LONG, dialect=dialect))

    assert {(one.master_sku, one.location_id): one.on_hand for one in levels} == rows
