"""A folder of CSV files, or one JSON file, as an order manager."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omsync.checks import LARGEST
from omsync.errors import DecodeError, InvalidValueError, SettingsError
from omsync.model import (
    Alias,
    Bundle,
    Component,
    InventorySnapshot,
    SalesChannel,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.ports import OrderManagerSource, ReadRequest
from omsync.serial import snapshot_to_json
from omsync.settings import MerchantSettings, PerWarehouse
from omsync.sources.files import CsvFolder, JsonSnapshot, write_folder

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REQUEST = ReadRequest(merchant=MerchantSettings(mode=PerWarehouse()), now=NOW)

SMALL = {
    "skus.csv": "master_sku,name\nMUG-01,Mug\n0012,Spoon\n",
    "warehouses.csv": "id,name\n1,Reno DC\n2,Ohio DC\n",
    "levels.csv": "master_sku,location_id,on_hand,available\nMUG-01,1,5,\n0012,2,,-3\n",
}


def folder_of(path: Path, **changed: str) -> Path:
    for name, text in {**SMALL, **{f"{name}.csv": text for name, text in changed.items()}}.items():
        (path / name).write_text(text, encoding="utf-8", newline="")
    return path


def problems_of(path: Path, **arguments: str) -> tuple[str, ...]:
    with pytest.raises(DecodeError) as caught:
        CsvFolder(path, **arguments).read(REQUEST)
    assert caught.value.code == "broken_files"
    return caught.value.problems


def test_a_folder_is_an_order_manager() -> None:
    assert isinstance(CsvFolder("."), OrderManagerSource)
    assert isinstance(JsonSnapshot("snapshot.json"), OrderManagerSource)


def test_a_small_folder_gives_a_snapshot(tmp_path: Path) -> None:
    folder_of(
        tmp_path,
        aliases="name,listing_sku,master_sku,units\nShopify US,mug-us,MUG-01,1\nUPC,000123,MUG-01,6\n",
        bundles="bundle,component,quantity\nSET,MUG-01,2\nEMPTY,,\nSET,0012,1\n",
        sales_channels="id,name,kind,active\n9,Shopify US,SHOPIFY,false\n",
    )

    snapshot = CsvFolder(tmp_path, taken_at=NOW).read(REQUEST)

    assert snapshot == InventorySnapshot(
        taken_at=NOW,
        skus=[Sku(master_sku="MUG-01", name="Mug"), Sku(master_sku="0012", name="Spoon")],
        aliases=[
            Alias(name="Shopify US", listing_sku="mug-us", master_sku="MUG-01"),
            Alias(name="UPC", listing_sku="000123", master_sku="MUG-01", units=6),
        ],
        warehouses=[Warehouse(id="1", name="Reno DC"), Warehouse(id="2", name="Ohio DC")],
        sales_channels=[SalesChannel(id="9", name="Shopify US", kind="SHOPIFY", active=False)],
        bundles=[
            Bundle(
                master_sku="SET",
                components=[Component(master_sku="MUG-01", quantity=2), Component(master_sku="0012")],
            ),
            Bundle(master_sku="EMPTY", components=[]),
        ],
        levels=[
            StockLevel(master_sku="MUG-01", location_id="1", on_hand=5),
            StockLevel(master_sku="0012", location_id="2", available=-3),
        ],
    )


def test_an_empty_figure_is_not_reported_and_an_empty_deduction_is_nothing(tmp_path: Path) -> None:
    levels = "master_sku,location_id,on_hand,available,committed,locked,in_transit\nMUG-01,1,,,,,\n"

    (level,) = CsvFolder(folder_of(tmp_path, levels=levels)).read(REQUEST).levels

    assert (level.on_hand, level.available) == (None, None)
    assert (level.committed, level.locked, level.in_transit) == (0, 0, 0)


def test_channel_levels_are_of_the_sales_channels(tmp_path: Path) -> None:
    folder_of(
        tmp_path,
        sales_channels="id,name\n1,Shopify US\n",
        levels="master_sku,location_id,available\nMUG-01,1,5\n",
    )

    snapshot = CsvFolder(tmp_path, scope="channel", bundles_include_buildable="unknown").read(REQUEST)

    assert (snapshot.scope, snapshot.bundles_include_buildable) == ("channel", "unknown")
    (tmp_path / "sales_channels.csv").unlink()
    assert problems_of(tmp_path, scope="channel") == ("sales_channels.csv: is missing",)


def test_old_files_look_old_and_never_newer_than_the_read(tmp_path: Path) -> None:
    folder_of(tmp_path)
    written = NOW - timedelta(days=3)
    os.utime(tmp_path / "levels.csv", (written.timestamp(), written.timestamp()))
    assert CsvFolder(tmp_path).read(REQUEST).taken_at == written

    ahead = NOW + timedelta(days=3)
    os.utime(tmp_path / "levels.csv", (ahead.timestamp(), ahead.timestamp()))
    assert CsvFolder(tmp_path).read(REQUEST).taken_at == NOW


def test_the_folder_can_say_itself_when_it_was_taken_and_what_it_means(tmp_path: Path) -> None:
    reading = "taken_at,scope,bundles_include_buildable\n2026-01-31T06:00:00-08:00,warehouse,yes\n"
    folder_of(tmp_path, reading=reading, doubtful="master_sku,location_id\nMUG-01,1\n")

    snapshot = CsvFolder(tmp_path).read(REQUEST)

    assert snapshot.taken_at == datetime(2026, 1, 31, 14, 0, tzinfo=UTC)
    assert snapshot.bundles_include_buildable == "yes"
    assert snapshot.doubtful == {("MUG-01", "1")}
    assert CsvFolder(tmp_path, taken_at=NOW).read(REQUEST).taken_at == NOW
    assert problems_of(tmp_path, scope="channel", bundles_include_buildable="no") == (
        "reading.csv:2:scope: is 'warehouse', but 'channel' was asked for",
        "reading.csv:2:bundles_include_buildable: is 'yes', but 'no' was asked for",
        "sales_channels.csv: is missing",
    )


def test_progress_is_told_for_each_file(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    request = ReadRequest(
        merchant=REQUEST.merchant,
        now=NOW,
        on_progress=lambda stage, done, total: told.append((stage, done, total)),
    )

    CsvFolder(folder_of(tmp_path)).read(request)

    assert told == [("skus", 2, 2), ("warehouses", 2, 2), ("levels", 2, 2)]


LEVELS = "master_sku,location_id,on_hand\n"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "levels",
            LEVELS + "MUG-01,1,5.0\n",
            "levels.csv:2:on_hand: must be a whole number in plain digits, not '5.0'",
        ),
        (
            "levels",
            LEVELS + 'MUG-01,1,"1,000"\n',
            "levels.csv:2:on_hand: must be a whole number in plain digits, not",
        ),
        (
            "levels",
            LEVELS + "MUG-01,1, 5\n",
            "levels.csv:2:on_hand: must be a whole number in plain digits, not ' 5'",
        ),
        (
            "levels",
            LEVELS + "MUG-01,1,\u0665\n",
            "levels.csv:2:on_hand: must be a whole number in plain digits, not '\u0665'",
        ),
        ("levels", LEVELS + "MUG-01,1,5,6\n", "levels.csv:2: the row has 4 cells and the header 3"),
        ("levels", LEVELS + f"MUG-01,1,{LARGEST + 1}\n", "levels.csv:2:on_hand: must be at most"),
        (
            "levels",
            LEVELS + f"MUG-01,1,{'9' * 30}\n",
            "levels.csv:2:on_hand: must be a whole number in plain digits, not",
        ),
        ("levels", LEVELS + ",1,5\n", "levels.csv:2:master_sku: must not be empty"),
        ("levels", LEVELS + "MUG-01,3,5\n", "levels.csv:2:location_id: '3' is not in warehouses.csv"),
        (
            "levels",
            LEVELS + "1.23E+05,1,5\n",
            "levels.csv:2:master_sku: '1.23E+05' is what a spreadsheet makes of",
        ),
        (
            "levels",
            LEVELS + '"1,23E+05",1,5\n',
            "levels.csv:2:master_sku: '1,23E+05' is what a spreadsheet makes",
        ),
        (
            "levels",
            LEVELS + "A,1,5\nA,1,5\n",
            "levels.csv:3: master_sku 'A', location_id '1' is given in row 2 already",
        ),
        ("levels", LEVELS + "A,1,5\nB,1\n", "levels.csv:3: the row has 2 cells and the header 3"),
        (
            "levels",
            LEVELS + "A,1,5\nB,1,12",
            "levels.csv: the last row does not end with a line break, so the file may",
        ),
        (
            "levels",
            LEVELS + 'A,1,5\n"B,1,5\n',
            "levels.csv:3: the row is broken or cut off (unexpected end of data)",
        ),
        ("levels", LEVELS + '"A"x,1,5\n', "levels.csv:2: the row is broken or cut off"),
        ("levels", "", "levels.csv:1: there is no header; it is: master_sku,location_id,on_hand,available"),
        ("levels", "master_sku;location_id\n", "levels.csv:1: the columns must be separated by commas"),
        ("levels", "master_sku,on_hand\n", "levels.csv:1: the column 'location_id' is missing"),
        (
            "levels",
            "master_sku,location_id,onhand\n",
            "levels.csv:1: unknown column 'onhand'; did you mean 'on_hand'?",
        ),
        (
            "levels",
            "master_sku,location_id,locked,locked\n",
            "levels.csv:1: the column 'locked' is there twice",
        ),
        (
            "levels",
            "master_sku,location_id,committed\nA,1,-1\n",
            "levels.csv:2:committed: must be at least 0, not -1",
        ),
        ("skus", "master_sku,active\nA,TRUE\n", "skus.csv:2:active: must be true or false, not 'TRUE'"),
        ("skus", "master_sku,active\nA,\n", "skus.csv:2:active: must be true or false, not ''"),
        ("skus", "master_sku,kind\nA,kit\n", "skus.csv:2:kind: must be one of 'core', 'bundle', 'virtual'"),
        (
            "skus",
            'master_sku,weight_oz\nA,"1,5"\n',
            "skus.csv:2:weight_oz: must be a number such as 12.5, not '1,5'",
        ),
        (
            "skus",
            "master_sku,weight_oz\nA,-1.5\n",
            "skus.csv:2:weight_oz: must be a finite number from 0, not -1.5",
        ),
        (
            "skus",
            "master_sku,upc\nA,1.23457E+11\n",
            "skus.csv:2:upc: '1.23457E+11' is what a spreadsheet makes",
        ),
        ("skus", "master_sku\nA\nA\n", "skus.csv:3: master_sku 'A' is given in row 2 already"),
        (
            "aliases",
            "name,listing_sku,master_sku,units\nX,a,A,\n",
            "aliases.csv:2:units: must be a whole number",
        ),
        (
            "aliases",
            "name,listing_sku,master_sku,units\nX,a,A,0\n",
            "aliases.csv:2:units: must be at least 1, not 0",
        ),
        ("aliases", "name,listing_sku,master_sku\n,a,A\n", "aliases.csv:2:name: must not be empty"),
        (
            "bundles",
            "bundle,component,quantity\nA,B,\n",
            "bundles.csv:2: a component has a quantity, and a quantity",
        ),
        (
            "bundles",
            "bundle,component,quantity\nA,,2\n",
            "bundles.csv:2: a component has a quantity, and a quantity",
        ),
        (
            "reading",
            "taken_at\nyesterday\n",
            "reading.csv:2:taken_at: must be a time such as 2026-01-31T06:00:00",
        ),
        ("reading", "taken_at\n2026-01-31T06:00\n", "reading.csv:2:taken_at: must have its zone"),
        ("reading", "scope\nplanet\n", "reading.csv:2:scope: must be warehouse or channel, not 'planet'"),
        ("reading", "scope\nwarehouse\nwarehouse\n", "reading.csv:3: the file describes one reading"),
        ("alias", "name,listing_sku,master_sku\n", "alias.csv: unknown file; did you mean 'aliases.csv'?"),
    ],
)
def test_a_wrong_cell_names_file_row_column_and_value(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    assert problems_of(folder_of(tmp_path, **{name: text}))[0].startswith(problem)


def test_all_findings_of_a_folder_come_in_one_error(tmp_path: Path) -> None:
    folder_of(
        tmp_path,
        skus="master_sku,active,weight_oz\nA,yes,heavy\nB,true,1.5\n",
        levels=LEVELS + "A,1,5.0\nA,2,\n,1,x\n",
    )
    (tmp_path / "warehouses.csv").unlink()

    with pytest.raises(DecodeError, match="sound set of inventory files") as caught:
        CsvFolder(tmp_path).read(REQUEST)
    assert caught.value.problems == (
        "skus.csv:2:active: must be true or false, not 'yes'",
        "skus.csv:2:weight_oz: must be a number such as 12.5, not 'heavy'",
        "warehouses.csv: is missing",
        "levels.csv:2:on_hand: must be a whole number in plain digits, not '5.0'",
        "levels.csv:4:master_sku: must not be empty",
        "levels.csv:4:on_hand: must be a whole number in plain digits, not 'x'",
    )


def test_a_broken_column_of_many_rows_does_not_fill_the_screen(tmp_path: Path) -> None:
    rows = "".join(f"SKU-{number},1,5.0\n" for number in range(500))

    problems = problems_of(folder_of(tmp_path, levels=LEVELS + rows))

    assert len(problems) == 101
    assert problems[-1] == "and 400 more"


def test_files_that_are_no_text_or_no_files_are_named(tmp_path: Path) -> None:
    folder_of(tmp_path)
    (tmp_path / "skus.csv").write_bytes(b"master_sku,name\nA,ok\nB,caf\xe9\n")
    (tmp_path / "aliases.csv").mkdir()

    assert problems_of(tmp_path) == (
        "skus.csv:3: is not UTF-8; save the file as 'CSV UTF-8'",
        "aliases.csv: cannot be read (Is a directory)",
    )


def test_a_spreadsheet_of_windows_and_blank_lines_are_read(tmp_path: Path) -> None:
    folder_of(tmp_path, levels="\ufeffmaster_sku,location_id,on_hand\r\n\r\n0012,1,5\r\n\r\n")

    assert list(CsvFolder(tmp_path).read(REQUEST).levels) == [
        StockLevel(master_sku="0012", location_id="1", on_hand=5)
    ]


def test_other_files_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    (folder_of(tmp_path) / "notes-from-monday.csv").write_text("hello", encoding="utf-8")

    assert len(CsvFolder(tmp_path).read(REQUEST).levels) == 2


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere") as caught:
        CsvFolder(tmp_path / "nowhere").read(REQUEST)
    assert caught.value.code == "no_folder"


def test_arguments_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="warehouse"):
        CsvFolder(".", scope="warehouses")
    with pytest.raises(InvalidValueError, match="time zone"):
        CsvFolder(".", taken_at=datetime(2026, 1, 1))  # noqa: DTZ001  that it has no zone is the point


TEXT = st.text(
    st.one_of(st.sampled_from("\"',;=+-@\n\r\t 0'é\x00\u2028"), st.characters(codec="utf-8")), max_size=8
)
CODE = TEXT.filter(bool)
FIGURE = st.integers(-LARGEST, LARGEST)
COUNT = st.integers(0, LARGEST)
MEASURE = st.none() | st.integers(0, 10**6) | st.floats(0, allow_infinity=False, allow_nan=False)
NOT_EMPTY = st.none() | CODE


def places(kind: type[Warehouse | SalesChannel]) -> st.SearchStrategy[list[Warehouse | SalesChannel]]:
    place: st.SearchStrategy[Any] = st.builds(kind, id=CODE, name=TEXT, kind=TEXT, active=st.booleans())
    return st.lists(place, max_size=4, unique_by=lambda one: one.id)


@st.composite
def snapshots(draw: st.DrawFn) -> InventorySnapshot:
    scope = draw(st.sampled_from(["warehouse", "channel"]))
    warehouses, channels = draw(places(Warehouse)), draw(places(SalesChannel))
    ids = [place.id for place in (warehouses if scope == "warehouse" else channels)]
    sku = st.builds(
        Sku,
        master_sku=CODE,
        name=TEXT,
        description=TEXT,
        active=st.booleans(),
        kind=st.sampled_from(["core", "bundle", "virtual"]),
        digital=st.booleans(),
        tracked=st.booleans(),
        weight_oz=MEASURE,
        length_in=MEASURE,
        width_in=MEASURE,
        height_in=MEASURE,
        upc=NOT_EMPTY,
        mpn=NOT_EMPTY,
        brand=NOT_EMPTY,
        source_id=NOT_EMPTY,
    )
    alias = st.builds(
        Alias,
        name=CODE,
        listing_sku=CODE,
        master_sku=CODE,
        units=st.integers(1, LARGEST),
        active=st.booleans(),
        push_inventory=st.booleans(),
        channel_id=NOT_EMPTY,
        source_id=NOT_EMPTY,
    )
    parts = st.lists(st.builds(Component, master_sku=CODE, quantity=FIGURE), max_size=3)
    level = st.builds(
        StockLevel,
        master_sku=CODE,
        location_id=st.sampled_from(ids or ["none"]),
        on_hand=st.none() | FIGURE,
        available=st.none() | FIGURE,
        committed=COUNT,
        locked=COUNT,
        in_transit=COUNT,
    )
    doubtful: Any = draw(st.frozensets(st.tuples(CODE, CODE), max_size=2))
    bundle = st.builds(Bundle, master_sku=CODE, components=parts)
    return InventorySnapshot(
        taken_at=draw(st.datetimes(timezones=st.just(UTC))),
        skus=draw(st.lists(sku, max_size=3, unique_by=lambda one: one.master_sku)),
        aliases=draw(st.lists(alias, max_size=3)),
        warehouses=warehouses,
        sales_channels=channels,
        bundles=draw(st.lists(bundle, max_size=3, unique_by=lambda one: one.master_sku)),
        levels=draw(
            st.lists(level, max_size=4 if ids else 0, unique_by=lambda one: (one.master_sku, one.location_id))
        ),
        scope=scope,
        bundles_include_buildable=draw(st.sampled_from(["no", "yes", "unknown"])),
        doubtful=doubtful,
    )


@given(snapshots())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_a_snapshot_comes_back_from_its_folder_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, snapshot: InventorySnapshot
) -> None:
    folder = tmp_path_factory.mktemp("inventory")

    write_folder(snapshot, folder)

    assert CsvFolder(folder).read(REQUEST) == snapshot


def test_writing_again_replaces_what_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "inventory"
    bundle = Bundle(master_sku="SET", components=[Component(master_sku="A", quantity=2)])
    full = InventorySnapshot(taken_at=NOW, bundles=[bundle])

    write_folder(full, folder)
    write_folder(InventorySnapshot(taken_at=NOW), str(folder))

    assert CsvFolder(folder).read(REQUEST) == InventorySnapshot(taken_at=NOW)
    assert all(file.suffix == ".csv" for file in folder.iterdir())


def test_absent_and_empty_bar_codes_are_one_in_csv(tmp_path: Path) -> None:
    write_folder(InventorySnapshot(taken_at=NOW, skus=[Sku(master_sku="A", upc="")]), tmp_path)

    assert CsvFolder(tmp_path).read(REQUEST).skus == (Sku(master_sku="A", upc=None),)


@pytest.mark.parametrize("master_sku", ["1.23E+05", "half \ud800 a character"])
def test_a_code_that_csv_cannot_keep_is_refused_before_anything_is_written(
    tmp_path: Path, master_sku: str
) -> None:
    snapshot = InventorySnapshot(taken_at=NOW, skus=[Sku(master_sku=master_sku)])

    with pytest.raises(InvalidValueError, match=r"skus\.csv cannot hold") as caught:
        write_folder(snapshot, tmp_path)
    assert caught.value.code == "not_for_csv"
    assert list(tmp_path.iterdir()) == []


def test_a_json_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    snapshot = CsvFolder(folder_of(tmp_path), taken_at=NOW - timedelta(days=1)).read(REQUEST)
    file = tmp_path / "snapshot.json"
    file.write_text(snapshot_to_json(snapshot), encoding="utf-8")
    told: list[tuple[str, int, int | None]] = []
    request = ReadRequest(
        merchant=REQUEST.merchant,
        now=NOW,
        on_progress=lambda stage, done, total: told.append((stage, done, total)),
    )

    assert JsonSnapshot(file).read(REQUEST) == JsonSnapshot(file).read(request) == snapshot
    assert told == [("levels", 2, 2)]


def test_a_json_file_that_is_missing_or_cut_off_is_named(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    with pytest.raises(SettingsError, match=r"snapshot\.json") as missing:
        JsonSnapshot(file).read(REQUEST)
    file.write_text(snapshot_to_json(InventorySnapshot(taken_at=NOW))[:-9], encoding="utf-8")
    with pytest.raises(DecodeError, match=r"snapshot\.json") as broken:
        JsonSnapshot(file).read(REQUEST)

    assert (missing.value.code, broken.value.code) == ("no_snapshot_file", "not_json")
