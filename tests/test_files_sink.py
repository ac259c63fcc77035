"""A file as a cart: CSV that a spreadsheet cannot spoil, and one JSON object a line."""

from __future__ import annotations

import csv
import json
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fake_memory import START, FakeClock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from omsync import CartSettings, MerchantSettings, PerWarehouse, sync_cart
from omsync.checks import LARGEST
from omsync.errors import (
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    RefusedError,
    UnreachableError,
    WrongTypeError,
)
from omsync.ledgers.sqlite import SqliteLedger
from omsync.model import InventorySnapshot, Sku, StockLevel, Warehouse
from omsync.ports import ALREADY_SHOWN, CartListing, CartSink, PushResult, QuantityChange
from omsync.sinks.files import Audit, CsvCart, JsonlCart, Manifest, check_manifest

Cart = CsvCart | JsonlCart
AUDIT = Audit(source="extensiv acme", clock=FakeClock())
KINDS = [
    pytest.param(CsvCart, id="csv"),
    pytest.param(lambda path: CsvCart(path, escape_formulas=False), id="csv as it is"),
    pytest.param(JsonlCart, id="jsonl"),
    pytest.param(lambda path: CsvCart(path, audit=AUDIT), id="csv with audit"),
    pytest.param(lambda path: JsonlCart(path, audit=AUDIT), id="jsonl with audit"),
    pytest.param(
        lambda path: CsvCart(path, audit=AUDIT, line_ending="\r\n", byte_order_mark=True),
        id="csv for Excel with audit",
    ),
    pytest.param(lambda path: JsonlCart(path, line_ending="\r\n"), id="jsonl of Windows"),
]
kinds = pytest.mark.parametrize("kind", KINDS)


def change(
    listing_sku: str, quantity: int, location_id: str | None = None, shown: int | None = None, key: str = ""
) -> QuantityChange:
    return QuantityChange(
        listing_sku=listing_sku,
        location_id=location_id,
        quantity=quantity,
        available=quantity,
        shown=shown,
        key=key,
    )


def shown(cart: Cart) -> dict[tuple[str, str | None], int | None]:
    return {(one.listing_sku, one.location_id): one.quantity for one in cart.read([])}


@kinds
def test_a_file_is_a_cart_that_says_what_it_can_do(tmp_path: Path, kind: Callable[[Path], Cart]) -> None:
    cart = kind(tmp_path / "stock.csv")

    assert isinstance(cart, CartSink)
    assert cart.capabilities.destination == f"file {tmp_path.name}/stock.csv"
    assert str(tmp_path) not in repr(cart.capabilities)
    assert cart.capabilities.rows_per_push is None
    assert cart.capabilities.lists_all
    assert cart.capabilities.creates_listings
    assert cart.capabilities.compare_and_set == "cas"


@kinds
def test_a_file_that_is_not_there_yet_holds_nothing(tmp_path: Path, kind: Callable[[Path], Cart]) -> None:
    cart = kind(tmp_path / "stock")

    assert list(cart.read(["MUG-01"])) == []
    assert list(cart.push([])) == []
    assert not (tmp_path / "stock").exists()


@kinds
def test_what_is_pushed_is_shown_and_what_was_there_stays(
    tmp_path: Path, kind: Callable[[Path], Cart]
) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change("MUG-01", 5), change("MUG-01", 7, "Reno DC"), change("0012", 0)])

    results = cart.push([change("MUG-01", 4, shown=5), change("NEW", LARGEST)])

    assert list(results) == [
        PushResult(listing_sku="MUG-01", status="accepted", echo=4),
        PushResult(listing_sku="NEW", status="accepted", echo=LARGEST),
    ]
    assert list(kind(tmp_path / "stock").read([])) == [
        CartListing(listing_sku="0012", quantity=0),
        CartListing(listing_sku="MUG-01", quantity=4),
        CartListing(listing_sku="MUG-01", location_id="Reno DC", quantity=7),
        CartListing(listing_sku="NEW", quantity=LARGEST),
    ]


@kinds
def test_a_row_that_moved_since_it_was_shown_is_a_conflict_and_the_others_are_written(
    tmp_path: Path, kind: Callable[[Path], Cart]
) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change("A", 5), change("B", 5)])

    results = cart.push([change("A", 1, shown=6), change("B", 1, shown=5), change("C", 1, shown=2)])

    assert [(one.status, one.echo, one.reason) for one in results] == [
        ("conflict", 5, "moved"),
        ("accepted", 1, ""),
        ("conflict", None, "moved"),
    ]
    assert shown(cart) == {("A", None): 5, ("B", None): 1}


@kinds
def test_a_push_whose_answer_was_lost_may_be_sent_again(tmp_path: Path, kind: Callable[[Path], Cart]) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change("A", 5)])

    first, second = cart.push([change("A", 3, shown=5)]), cart.push([change("A", 3, shown=5)])

    assert first == [PushResult(listing_sku="A", status="accepted", echo=3)]
    assert second == [PushResult(listing_sku="A", status="accepted", echo=3, reason=ALREADY_SHOWN)]


@kinds
def test_a_push_that_changes_nothing_leaves_the_file_alone(
    tmp_path: Path, kind: Callable[[Path], Cart]
) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change("A", 5)])
    before = (tmp_path / "stock").stat()

    cart.push([change("A", 5)])

    assert (tmp_path / "stock").stat().st_ino == before.st_ino


def test_two_runs_compare_line_by_line(tmp_path: Path) -> None:
    rows = [change("b", 2), change("a", 1, "Reno DC"), change("a", 3)]
    for cart in (CsvCart(tmp_path / "one.csv"), JsonlCart(tmp_path / "one.jsonl")):
        cart.push(rows)
    for cart in (CsvCart(tmp_path / "two.csv"), JsonlCart(tmp_path / "two.jsonl")):
        for row in reversed(rows):
            cart.push([row])

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert (tmp_path / "one.csv").read_text(encoding="utf-8") == (
        'listing_sku,location,quantity\n"a",,3\n"a","Reno DC",1\n"b",,2\n'
    )
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert (tmp_path / "one.jsonl").read_text(encoding="utf-8") == (
        '{"listing_sku": "a", "location": null, "quantity": 3}\n'
        '{"listing_sku": "a", "location": "Reno DC", "quantity": 1}\n'
        '{"listing_sku": "b", "location": null, "quantity": 2}\n'
    )


TEXT = st.text(
    st.one_of(st.sampled_from("\"',;=+-@\n\r\t 0'\u2028\x85\x00\ufeff"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=8,
)


@kinds
@given(
    rows=st.dictionaries(st.tuples(TEXT, st.none() | TEXT), st.integers(0, LARGEST), max_size=6),
    later=st.dictionaries(st.tuples(TEXT, st.none() | TEXT), st.integers(0, LARGEST), max_size=2),
)
@example(rows={("=1+1", None): 1, ("'=1+1", None): 2, ("''=1+1", None): 3, ("'tis", "'"): 4}, later={})
@example(rows={("00012", "\r"): 1, ("1E5", "\t@"): 2, ("\ufeffa", "null"): 3}, later={("00012", None): 1})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_every_code_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    kind: Callable[[Path], Cart],
    rows: dict[tuple[str, str | None], int],
    later: dict[tuple[str, str | None], int],
) -> None:
    cart = kind(tmp_path_factory.mktemp("cart") / "stock")

    for batch in (rows, later):
        cart.push([change(sku, quantity, location) for (sku, location), quantity in batch.items()])

    assert shown(cart) == {**rows, **later}


def test_what_looks_like_a_number_is_quoted_and_comes_back_as_text(tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    CsvCart(file).push([change(code, 1) for code in ("0012", "1E5", "12", "1.0")])

    assert file.read_text(encoding="utf-8") == (
        'listing_sku,location,quantity\n"0012",,1\n"1.0",,1\n"12",,1\n"1E5",,1\n'
    )
    assert set(shown(CsvCart(file))) == {(code, None) for code in ("0012", "1E5", "12", "1.0")}


def test_a_negative_or_fractional_quantity_cannot_even_be_written_down() -> None:
    with pytest.raises(InvalidValueError, match="at least 0"):
        change("MUG-01", -1)
    for wrong in (1.5, True, "5", None):
        with pytest.raises(WrongTypeError, match="whole number"):
            change("MUG-01", wrong)  # type: ignore[arg-type]  # wrong on purpose


@given(codes=st.lists(TEXT, unique=True, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_no_cell_of_the_csv_is_a_formula(tmp_path_factory: pytest.TempPathFactory, codes: list[str]) -> None:
    file = tmp_path_factory.mktemp("cart") / "stock.csv"
    CsvCart(file).push([change(code, 1, code) for code in codes])
    if codes:
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)


def test_formulas_are_escaped_unless_that_is_switched_off(tmp_path: Path) -> None:
    CsvCart(tmp_path / "on.csv").push([change("=A1", 1), change("'=A1", 2), change("'tis", 3)])
    CsvCart(tmp_path / "off.csv", escape_formulas=False).push([change("=A1", 1), change("'=A1", 2)])

    assert (tmp_path / "on.csv").read_text(encoding="utf-8") == (
        'listing_sku,location,quantity\n"\'\'=A1",,2\n"\'tis",,3\n"\'=A1",,1\n'
    )
    assert (tmp_path / "off.csv").read_text(encoding="utf-8") == (
        'listing_sku,location,quantity\n"\'=A1",,2\n"=A1",,1\n'
    )


HEADER = "listing_sku,location,quantity\n"
ROW = '{"listing_sku": "A", "location": null, "quantity": 1}\n'


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (CsvCart, "", "stock:1: there is no header"),
        (CsvCart, HEADER + "A,,5.0\n", "stock:2:quantity: must be a whole number in plain digits, not '5.0'"),
        (CsvCart, HEADER + "A,,-1\n", "stock:2:quantity: must be from 0 to 9223372036854775807, not -1"),
        (CsvCart, HEADER + "A,,\n", "stock:2:quantity: must be a whole number in plain digits, not ''"),
        (CsvCart, HEADER + ",,1\n", "stock:2:listing_sku: must not be empty"),
        (CsvCart, HEADER + "A,,1\nA,,2\n", "stock:3: listing_sku 'A', location None is given in row 2"),
        (CsvCart, HEADER + "'=A,,1\n=A,,2\n", "stock:3: listing_sku '=A', location None is given in row 2"),
        (CsvCart, HEADER + "A,,1\nB,,12", "stock: the last row does not end with a line break"),
        (CsvCart, "listing_sku,location,quantity,price\n", "stock:1: unknown column 'price'"),
        (CsvCart, "listing_sku,quantity\n", "stock:1: the column 'location' is missing"),
        (JsonlCart, ROW + ROW[:-1], "stock: the last row does not end with a line break"),
        (JsonlCart, ROW + ROW, "stock:2: listing_sku 'A', location None is given twice"),
        (JsonlCart, ROW + "{\n", "stock:2: is not a JSON object (Expecting property name"),
        (JsonlCart, "\n", "stock:1: is not a JSON object (Expecting value"),
        (JsonlCart, "[" * 99_999 + "\n", "stock:1: is not a JSON object ("),
        (JsonlCart, "[1]\n", "stock:1: is not a JSON object, but [1] (list)"),
        (JsonlCart, ROW.replace("1}", "1.0}"), "stock:1: quantity must be a whole number from 0 to"),
        (JsonlCart, ROW.replace("1}", "true}"), "stock:1: quantity must be a whole number from 0 to"),
        (
            JsonlCart,
            ROW.replace("1}", "-1}"),
            "stock:1: quantity must be a whole number from 0 to",
        ),
        (
            JsonlCart,
            ROW.replace("1}", f"{LARGEST + 1}}}"),
            "stock:1: quantity must be a whole number from 0 to",
        ),
        (
            JsonlCart,
            ROW.replace("1}", '1, "Quantiti": 2}'),
            "stock:1: unknown key 'Quantiti'; did you mean 'quantity'?",
        ),
        (JsonlCart, ROW.replace("1}", '1, "quantity": 2}'), "stock:1: a key is given twice"),
        (
            JsonlCart,
            ROW.replace('"A"', '""'),
            "stock:1: listing_sku must be text and not empty, not '' (str)",
        ),
        (JsonlCart, ROW.replace('"A"', "5"), "stock:1: listing_sku must be text and not empty, not 5 (int)"),
        (
            JsonlCart,
            ROW.replace("null", '""'),
            "stock:1: location must be null, or text and not empty, not ''",
        ),
        (JsonlCart, '{"listing_sku": "A"}\n', "stock:1: the key 'location' is missing"),
    ],
)
def test_a_file_that_is_not_ours_is_named_row_by_row_and_never_overwritten(
    tmp_path: Path, kind: Callable[[Path], Cart], text: str, problem: str
) -> None:
    file = tmp_path / "stock"
    file.write_text(text, encoding="utf-8")

    for attempt in (lambda: kind(file).read([]), lambda: kind(file).push([change("NEW", 1)])):
        with pytest.raises(DecodeError, match="left as it is") as caught:
            attempt()
        assert caught.value.code == "broken_cart_file"
        assert caught.value.problems[0].startswith(problem)
    assert file.read_text(encoding="utf-8") == text


@kinds
def test_a_file_that_is_not_text_is_named(tmp_path: Path, kind: Callable[[Path], Cart]) -> None:
    (tmp_path / "stock").write_bytes(b"sku,location,quantity\n\xff,,1\n")

    with pytest.raises(DecodeError) as caught:
        kind(tmp_path / "stock").read([])
    assert caught.value.problems[0].startswith("stock:2: is not UTF-8")


def test_a_jsonl_file_of_windows_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "stock").write_bytes(b"\xef\xbb\xbf" + ROW.replace("\n", "\r\n").encode())

    assert shown(JsonlCart(tmp_path / "stock")) == {("A", None): 1}


@kinds
def test_a_folder_that_is_not_there_is_no_cart_without_listings(
    tmp_path: Path, kind: Callable[[Path], Cart]
) -> None:
    cart = kind(tmp_path / "nowhere" / "stock")

    with pytest.raises(UnreachableError, match="is not there") as unread:
        cart.read([])
    assert unread.value.code == "folder_not_there"
    with pytest.raises(UnreachableError, match="No such file") as caught:
        cart.push([change("A", 1)])
    assert caught.value.code == "file_not_writable"


@kinds
def test_a_path_that_is_no_file_cannot_be_read(tmp_path: Path, kind: Callable[[Path], Cart]) -> None:
    with pytest.raises(RefusedError) as caught:
        kind(tmp_path).read([])
    assert caught.value.code == "file_not_readable"


@kinds
def test_a_code_that_is_no_text_refuses_the_push_and_the_file_stays(
    tmp_path: Path, kind: Callable[[Path], Cart]
) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change("A", 1)])

    with pytest.raises(RefusedError) as caught:
        cart.push([change("B", 1), change("half \ud800", 1)])

    assert caught.value.code == "not_a_character"
    assert shown(cart) == {("A", None): 1}


@kinds
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, kind: Callable[[Path], Cart], monkeypatch: pytest.MonkeyPatch
) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change("A", 1)])
    files = sorted(tmp_path.iterdir())

    def disk_is_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(UnreachableError, match="No space left on device"):
        cart.push([change("A", 2)])

    assert shown(cart) == {("A", None): 1}
    assert sorted(tmp_path.iterdir()) == files


def test_a_folder_that_cannot_be_made_durable_does_not_undo_the_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def of_files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", of_files_only)
    cart = CsvCart(tmp_path / "stock.csv")

    assert cart.push([change("A", 2)])[0].status == "accepted"
    assert shown(cart) == {("A", None): 2}


def test_who_may_read_the_file_stays_as_it_was_and_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.csv", tmp_path / "link.csv"
    CsvCart(file).push([change("A", 1)])
    file.chmod(0o640)
    link.symlink_to(file)

    CsvCart(link).push([change("A", 2)])

    assert link.is_symlink()
    assert shown(CsvCart(file)) == {("A", None): 2}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@kinds
def test_many_writers_at_once_lose_nothing(tmp_path: Path, kind: Callable[[Path], Cart]) -> None:
    failures: list[Any] = []

    def push_ten(writer: int) -> None:
        for number in range(10):
            results = kind(tmp_path / "stock").push([change(f"{writer}-{number}", number)])
            failures.extend(one for one in results if one.status != "accepted")

    writers = [threading.Thread(target=push_ten, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert failures == []
    assert len(shown(kind(tmp_path / "stock"))) == 40


def test_of_two_writers_who_saw_the_same_quantity_one_wins(tmp_path: Path) -> None:
    CsvCart(tmp_path / "stock.csv").push([change("A", 100)])
    together = threading.Barrier(8)
    statuses: list[str] = []

    def take(number: int) -> None:
        together.wait()
        (result,) = CsvCart(tmp_path / "stock.csv").push([change("A", number, shown=100)])
        statuses.append(result.status)

    writers = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(statuses) == ["accepted"] + ["conflict"] * 7


def audited(file: Path, clock: FakeClock | None = None, source: str = "extensiv acme") -> CsvCart:
    return CsvCart(file, audit=Audit(source=source, clock=clock or FakeClock()))


def test_each_row_keeps_the_run_that_last_changed_it(tmp_path: Path) -> None:
    file, clock = tmp_path / "stock.csv", FakeClock(datetime(2026, 3, 1, 12, 0, 0, 987_654, tzinfo=UTC))
    audited(file, clock).push(
        [
            change("0017", 4, key="run-1:0017:"),
            change("MUG:1", 7, "Reno DC", key="run-1:MUG:1:Reno DC"),
            change("=A1", 2, key="run-1:=A1:"),
        ]
    )
    clock.waited = 3600
    audited(file, clock, source="a spreadsheet").push(
        [change("0017", 4, shown=4, key="run-2:0017:"), change("=A1", 3, shown=2, key="run-2:=A1:")]
    )

    assert file.read_text(encoding="utf-8") == (
        "run_id,as_of,sku,location,quantity,semantics,source,version\n"
        '"run-1",2026-03-01T12:00:00Z,"0017",,4,sellable,"extensiv acme",1\n'
        '"run-2",2026-03-01T13:00:00Z,"\'=A1",,3,sellable,"a spreadsheet",1\n'
        '"run-1",2026-03-01T12:00:00Z,"MUG:1","Reno DC",7,sellable,"extensiv acme",1\n'
    )
    assert shown(audited(file)) == {("0017", None): 4, ("=A1", None): 3, ("MUG:1", "Reno DC"): 7}


def test_a_row_that_moved_keeps_its_stamp(tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    audited(file).push([change("A", 4, key="run-1:A:")])
    before = file.read_bytes()

    (result,) = audited(file).push([change("A", 9, shown=5, key="run-2:A:")])

    assert result.status == "conflict"
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "run_id"),
    [
        ("", ""),
        ("by hand", "by hand"),
        (":A:", ""),
        ("nightly:7:A:", "nightly:7"),
        ("nightly:7:A::1", "nightly:7"),
    ],
)
def test_the_run_is_the_first_part_of_a_rows_key_whatever_it_looks_like(
    tmp_path: Path, key: str, run_id: str
) -> None:
    cart = JsonlCart(tmp_path / "stock.jsonl", audit=AUDIT)
    cart.push([change("A", 1, key=key)])

    assert json.loads((tmp_path / "stock.jsonl").read_text(encoding="utf-8"))["run_id"] == run_id
    assert shown(cart) == {("A", None): 1}


def test_the_keys_of_an_audit_line_are_always_in_the_same_order(tmp_path: Path) -> None:
    JsonlCart(tmp_path / "stock.jsonl", audit=AUDIT).push([change("A", 1, key="run-1:A:")])

    assert (tmp_path / "stock.jsonl").read_text(encoding="utf-8") == (
        f'{{"run_id": "run-1", "as_of": "{START:%Y-%m-%dT%H:%M:%SZ}", "sku": "A", "location": null, '
        '"quantity": 1, "semantics": "sellable", "source": "extensiv acme", "version": 1}\n'
    )


def test_a_sync_writes_its_own_run_id(tmp_path: Path) -> None:
    snapshot = InventorySnapshot(
        taken_at=START,
        skus=[Sku(master_sku="A")],
        warehouses=[Warehouse(id="1")],
        levels=[StockLevel(master_sku="A", location_id="1", available=4)],
    )
    file = tmp_path / "stock.jsonl"
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        report = sync_cart(
            snapshot,
            JsonlCart(file, audit=AUDIT),
            CartSettings(name="partner"),
            merchant=MerchantSettings(mode=PerWarehouse()),
            ledger=ledger,
            clock=FakeClock(),
        )

    assert json.loads(file.read_text(encoding="utf-8"))["run_id"] == report.run_id != ""


@pytest.mark.parametrize("kind", [CsvCart, JsonlCart])
def test_a_file_with_the_other_columns_says_which_option_to_use(tmp_path: Path, kind: type[Cart]) -> None:
    kind(tmp_path / "plain").push([change("A", 1)])
    kind(tmp_path / "audited", audit=AUDIT).push([change("A", 1)])

    with pytest.raises(DecodeError, match=r"has the audit columns.*left as it is") as caught:
        kind(tmp_path / "audited").push([change("A", 2)])
    assert caught.value.code == "other_columns"
    assert "with audit=Audit(" in caught.value.remedy
    with pytest.raises(DecodeError, match="has no audit columns") as caught:
        kind(tmp_path / "plain", audit=AUDIT).read([])
    assert "without audit=" in caught.value.remedy
    assert shown(kind(tmp_path / "plain")) == shown(kind(tmp_path / "audited", audit=AUDIT))


AUDIT_HEADER = "run_id,as_of,sku,location,quantity,semantics,source,version\n"
AUDIT_ROW = (
    '{"run_id": "r", "as_of": "2026-03-01T12:00:00Z", "sku": "A", "location": null, "quantity": 1, '
    '"semantics": "sellable", "source": "x", "version": 1}\n'
)


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (CsvCart, "r,2026-03-01,A,,1,sellable,x,1\n", "stock:2:as_of: must have its zone"),
        (CsvCart, "r,noon,A,,1,sellable,x,1\n", "stock:2:as_of: must be a time such as"),
        (CsvCart, "r,0001-01-01T00:00:00+09:00,A,,1,sellable,x,1\n", "stock:2:as_of: must be a time such as"),
        (
            CsvCart,
            "r,2026-03-01T12:00:00Z,A,,1,physical,x,1\n",
            "stock:2:semantics: must be 'sellable', since the file holds what may be sold, not 'physical'",
        ),
        (CsvCart, "r,2026-03-01T12:00:00Z,A,,1,sellable,x,2\n", "stock:2:version: must be 1, the version"),
        (CsvCart, "r,2026-03-01T12:00:00Z,A,,1,sellable,,1\n", "stock:2:source: must not be empty"),
        (
            CsvCart,
            "r,2026-03-01T12:00:00Z,A,,1,sellable,x,1\n" * 2,
            "stock:3: sku 'A', location None is given in row 2 already",
        ),
        (JsonlCart, AUDIT_ROW.replace('"r"', "null"), "stock:1: run_id must be text, not None (NoneType)"),
        (JsonlCart, AUDIT_ROW.replace("12:00:00Z", "12:00:00"), "stock:1: as_of must have its zone"),
        (JsonlCart, AUDIT_ROW.replace('"2026-03-01T12:00:00Z"', "5"), "stock:1: as_of must be text and not"),
        (
            JsonlCart,
            AUDIT_ROW.replace("sellable", "physical"),
            "stock:1: semantics must be 'sellable', since",
        ),
        (JsonlCart, AUDIT_ROW.replace('"x"', '""'), "stock:1: source must be text and not empty"),
        (JsonlCart, AUDIT_ROW.replace("1}", "2}"), "stock:1: version must be 1, the version"),
        (JsonlCart, AUDIT_ROW.replace("1}", "true}"), "stock:1: version must be a whole number"),
        (JsonlCart, AUDIT_ROW * 2, "stock:2: sku 'A', location None is given twice"),
        (JsonlCart, AUDIT_ROW + ROW, "stock:2: unknown key 'listing_sku'"),
    ],
)
def test_an_audit_file_that_is_not_ours_is_never_overwritten(
    tmp_path: Path, kind: type[Cart], text: str, problem: str
) -> None:
    file = tmp_path / "stock"
    written = AUDIT_HEADER + text if kind is CsvCart else text
    file.write_text(written, encoding="utf-8")

    with pytest.raises(DecodeError, match="left as it is") as caught:
        kind(file, audit=AUDIT).push([change("NEW", 1)])

    assert caught.value.problems[0].startswith(problem)
    assert file.read_text(encoding="utf-8") == written


def test_line_endings_and_the_mark_for_excel_are_chosen_and_either_is_read(tmp_path: Path) -> None:
    file, lines = tmp_path / "stock.csv", tmp_path / "stock.jsonl"
    CsvCart(file, line_ending="\r\n", byte_order_mark=True).push([change("A\nB", 1)])
    JsonlCart(lines, line_ending="\r\n").push([change("A", 1)])

    assert file.read_bytes() == b'\xef\xbb\xbflisting_sku,location,quantity\r\n"A\nB",,1\r\n'
    assert lines.read_bytes() == b'{"listing_sku": "A", "location": null, "quantity": 1}\r\n'
    assert shown(CsvCart(file)) == {("A\nB", None): 1}
    CsvCart(file).push([change("C", 2)])
    assert file.read_bytes() == b'listing_sku,location,quantity\n"A\nB",,1\n"C",,2\n'
    with pytest.raises(InvalidValueError, match="line_ending must be one of"):
        CsvCart(file, line_ending="\r")


@pytest.mark.parametrize("kind", [CsvCart, JsonlCart])
def test_a_reader_can_check_that_the_file_is_whole(tmp_path: Path, kind: type[Cart]) -> None:
    file = tmp_path / "stock"
    cart = kind(file, manifest=True)
    cart.push([])
    assert sorted(one.name for one in tmp_path.iterdir()) == [".stock.lock"]

    cart.push([change("A", 1), change("A", 2, "Reno DC"), change("B", 3)])

    manifest = check_manifest(file)
    assert (manifest.file, manifest.rows, manifest.size) == ("stock", 3, file.stat().st_size)
    assert check_manifest(str(file)) == Manifest.of(file, file.read_bytes(), 3)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DecodeError, match="not those of its manifest") as caught:
        check_manifest(file)
    assert caught.value.code == "manifest_mismatch"


def test_the_manifest_is_plain_json(tmp_path: Path) -> None:
    CsvCart(tmp_path / "stock.csv", manifest=True).push([change("A", 1)])

    assert json.loads((tmp_path / "stock.csv.manifest.json").read_bytes()) == {
        "file": "stock.csv",
        "rows": 1,
        "size": 37,
        "sha256": "cb136d54f083f8bdd8552e509371ef3f7759fd45e34d7df05a36f3470ace1abb",
    }


def test_a_push_brings_a_manifest_up_to_date_that_somebody_else_left_behind(tmp_path: Path) -> None:
    file, beside = tmp_path / "stock.csv", tmp_path / "stock.csv.manifest.json"
    CsvCart(file).push([change("A", 1)])
    with pytest.raises(DecodeError, match=r"cannot be checked.*No such file") as caught:
        check_manifest(file)
    assert caught.value.code == "no_manifest"

    CsvCart(file, manifest=True).push([])
    assert check_manifest(file).rows == 1
    written = beside.stat()
    CsvCart(file, manifest=True).push([change("A", 1)])
    assert beside.stat().st_ino == written.st_ino
    CsvCart(file).push([change("A", 2)])
    with pytest.raises(DecodeError, match="not those of its manifest"):
        check_manifest(file)
    CsvCart(file, manifest=True).push([])
    assert check_manifest(file).rows == 1


@pytest.mark.parametrize("text", ["", "[]", '{"file": "stock.csv"}', '{"rows": "1"}', "\xff"])
def test_a_manifest_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    CsvCart(tmp_path / "stock.csv").push([change("A", 1)])
    (tmp_path / "stock.csv.manifest.json").write_text(text, encoding="latin-1")

    with pytest.raises(DecodeError, match=r"'stock.csv' cannot be checked") as caught:
        check_manifest(tmp_path / "stock.csv")
    assert caught.value.code == "no_manifest"


def test_a_manifest_that_cannot_be_written_leaves_the_answer_open_since_the_rows_are_written(
    tmp_path: Path,
) -> None:
    file = tmp_path / "stock.csv"
    (tmp_path / "stock.csv.manifest.json").mkdir()

    with pytest.raises(LostAnswerError, match="is written, and its manifest is not") as caught:
        CsvCart(file, manifest=True).push([change("A", 1)])

    assert caught.value.code == "manifest_not_written"
    assert shown(CsvCart(file)) == {("A", None): 1}


def test_an_audit_says_nothing_about_its_clock_and_needs_a_source() -> None:
    assert repr(Audit(source="extensiv acme")) == "Audit(source='extensiv acme')"
    assert Audit(source="x").clock.now().tzinfo is UTC
    with pytest.raises(InvalidValueError, match=r"Audit.source must not be empty"):
        Audit(source="")
