"""The conformance kit for sources: ours pass it, and each check catches a source that is wrong."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import evolve
from depot import BROKEN, Depot, DepotSource, bench_of
from extensiv_desk import order_manager
from fake_ports import TAKEN_AT, AsyncFakeSource, FakeSource, stock
from sandbox_calls import small

from omsync import MerchantSettings, PerSalesChannel, PerWarehouse
from omsync.errors import InvalidValueError, SettingsError
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.model import Alias, InventorySnapshot, Sku, StockLevel, Warehouse
from omsync.serial import snapshot_to_json
from omsync.sources.files import CsvExports, CsvFolder, Export, JsonSnapshot
from omsync.sources.integration_manager import IntegrationManager
from omsync.testing import (
    SOURCE_CHECKS,
    CatalogListing,
    OrderManagerSandbox,
    SourceBench,
    SourceConformance,
    check_source,
)
from omsync.testing.integration_manager import IntegrationManagerSandbox

BY_WAREHOUSE = MerchantSettings(mode=PerWarehouse())
BY_CHANNEL = MerchantSettings(mode=PerSalesChannel())
WITHOUT_A_SERVER = (
    "a_throttled_reading_waits_as_it_is_told",
    "wrong_credentials_are_unauthorized",
    "a_killed_reading_is_made_whole_by_the_next",
    "secrets_stay_out_of_sight",
)
OWN_FORMAT = (*WITHOUT_A_SERVER, "unknown_fields_are_ignored")
"""A format of omsync's own has no vendor who adds to it: what is not known there is a typing error."""


def sandbox() -> OrderManagerSandbox:
    listings = (CatalogListing(channel_id=7, listing_sku="a-web", master_sku="A"),)
    return OrderManagerSandbox(small(listings=listings))


def quota(request: Request) -> Response:
    headers = {"x-skubana-quota-retryafter": "7000"}
    return Response(status=429, headers=headers, content=b"{}", place=request.place)


def extensiv(**options: Any) -> SourceBench:
    """Put the order manager's source on the bench, before a sandbox of its own."""
    om = sandbox()
    figures: dict[tuple[str, str], int | None] = {
        ("A", "1"): 10,
        ("A", "2"): 1,
        ("B", "1"): 4,
        ("B", "2"): 9,
        ("AB", "1"): 1,
    }

    def sell() -> None:
        om.set_stock("A", 1, on_hand=3)
        figures["A", "1"] = 3

    return SourceBench(
        **{
            "source": order_manager(om),
            "merchant": BY_WAREHOUSE,
            "available": lambda: figures,
            "products": lambda: frozenset({"A", "B", "C", "AB", "ABC"}),
            "listings": lambda: {("Shop", "a-web"): "A"},
            "change": sell,
            "server": lambda: sandbox().handle,
            "over": order_manager,
            "throttled": quota,
            "unauthorized": order_manager(OrderManagerSandbox(token="another-token-1").handle),
            "secrets": ["sandbox-token"],
            **options,
        }
    )


class TestExtensivByWarehouse(SourceConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self) -> SourceBench:
        return extensiv()


class TestExtensivByWarehouseRows(SourceConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self) -> SourceBench:
        def over(handler: Any) -> Any:
            return order_manager(handler, stock="rows")

        bench = extensiv()
        return evolve(bench, over=over)


class TestExtensivBySalesChannel(SourceConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self) -> SourceBench:
        om = sandbox()
        figures: dict[tuple[str, str], int | None] = {("A", "7"): 11, ("B", "7"): 13, ("AB", "7"): 3}

        def sell() -> None:
            om.set_stock("B", 2, on_hand=3)
            figures["B", "7"] = 7

        return extensiv(
            source=order_manager(om),
            merchant=BY_CHANNEL,
            available=lambda: figures,
            change=sell,
            uses_up=True,
        )


def integration_manager(handler: Any) -> IntegrationManager:
    return IntegrationManager(
        api_user="sandbox-user", api_key="sandbox-key", page_size=2, pace=Pace(), handler=handler
    )


def rate_limit(request: Request) -> Response:
    content = b'{"success_code": false, "error_code": "RateLimit", "message": "API rate limit exceeded"}'
    return Response(status=200, content=content, place=request.place)


class TestIntegrationManager(SourceConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self) -> SourceBench:
        catalog = small(listings=(CatalogListing(channel_id=7, listing_sku="a-web", master_sku="A"),))
        hosted = IntegrationManagerSandbox(catalog)
        figures: dict[tuple[str, str], int | None] = {
            ("A", "9101"): 10,
            ("A", "9102"): 1,
            ("AB", "9101"): 3,
        }

        def run_of_the_hour() -> None:
            stock = tuple(
                evolve(one, on_hand=4) if (one.master_sku, one.warehouse_id) == ("A", 2) else one
                for one in catalog.stock
            )
            hosted.load(evolve(catalog, stock=stock))
            figures["A", "9102"] = 4

        return SourceBench(
            source=integration_manager(hosted.handle),
            merchant=BY_WAREHOUSE,
            available=lambda: figures,
            products=lambda: frozenset({"A", "AB"}),
            listings=lambda: {("Shop", "a-web"): "A"},
            change=run_of_the_hour,
            server=lambda: IntegrationManagerSandbox(catalog, monotonic=lambda: 0.0).handle,
            over=integration_manager,
            throttled=rate_limit,
            unauthorized=integration_manager(IntegrationManagerSandbox(api_key="another-key").handle),
            secrets=["sandbox-key"],
        )


def tryton_tests() -> ModuleType:
    """Give the module with the small Tryton that the source's own tests use."""
    spec = importlib.util.spec_from_file_location("tryton_by_hand", Path(__file__).parent / "test_tryton.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestTryton(SourceConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self) -> SourceBench:
        by_hand = tryton_tests()
        fake = by_hand.small()

        def over(handler: Any) -> Any:
            return by_hand.by_login(handler, retry=by_hand.AT_ONCE)

        def figures() -> dict[tuple[str, str], int | None]:
            mug = int(fake.quantities[1, by_hand.MAIN]) - 3
            return {("MUG", "5"): mug, ("MUG", "12"): 0, ("SPOON", "5"): 0, ("SPOON", "12"): 40}

        return SourceBench(
            source=over(fake),
            merchant=BY_WAREHOUSE,
            available=figures,
            products=lambda: frozenset({"MUG", "SPOON"}),
            change=lambda: fake.quantities.update({(1, by_hand.MAIN): 9.0}),
            server=by_hand.small,
            over=over,
            unauthorized=by_hand.by_login(by_hand.small(), password="another-password"),
            secrets=["another-password"],
        )


# Files


TABLES = {
    "skus.csv": "master_sku,name\nMUG,Mug\n0012,Spoon\n",
    "warehouses.csv": "id,name\n1,Reno DC\n2,Ohio DC\n",
    "levels.csv": "master_sku,location_id,on_hand,available\nMUG,1,5,4\n0012,2,,-3\n",
    "aliases.csv": "name,listing_sku,master_sku\nWeb,mug-us,MUG\n",
}


def folder_of(path: Path, **changed: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in {**TABLES, **{f"{name}.csv": text for name, text in changed.items()}}.items():
        (path / name).write_text(text, encoding="utf-8")
        os.utime(path / name, (TAKEN_AT.timestamp(), TAKEN_AT.timestamp()))
    return path


class TestCsvFolder(SourceConformance):
    not_applicable = OWN_FORMAT

    @pytest.fixture
    def bench(self, tmp_path: Path) -> SourceBench:
        folder = folder_of(tmp_path / "whole")
        figures: dict[tuple[str, str], int | None] = {("MUG", "1"): 4, ("0012", "2"): -3}

        def sell() -> None:
            folder_of(folder, levels=TABLES["levels.csv"].replace("5,4", "5,1"))
            figures["MUG", "1"] = 1

        gone = folder_of(tmp_path / "gone")
        (gone / "levels.csv").unlink()
        wrong = TABLES["levels.csv"].replace("5,4", "5,4.5")
        return SourceBench(
            source=CsvFolder(folder),
            merchant=BY_WAREHOUSE,
            available=lambda: figures,
            products=lambda: frozenset({"MUG", "0012"}),
            listings=lambda: {("Web", "mug-us"): "MUG"},
            change=sell,
            broken={
                "levels.csv": CsvFolder(gone),
                "levels.csv:2:available": CsvFolder(folder_of(tmp_path / "wrong", levels=wrong)),
                "levels.csv:3": CsvFolder(folder_of(tmp_path / "cut", levels=TABLES["levels.csv"][:-6])),
            },
        )


class TestCsvExports(SourceConformance):
    not_applicable = WITHOUT_A_SERVER

    @pytest.fixture
    def bench(self, tmp_path: Path) -> SourceBench:
        figures: dict[tuple[str, str], int | None] = {("MUG", "Reno"): 4, ("CUP", "Ohio"): 0}
        whole = "Item;Place;Free;Shelf\nMUG;Reno;4;A1\nCUP;Ohio;0;A2\n"

        def exports(name: str, text: str) -> CsvExports:
            (tmp_path / name).write_text(text, encoding="utf-8")
            stock = Export(name, columns={"master_sku": "Item", "location_id": "Place", "available": "Free"})
            return CsvExports(tmp_path, stock=stock, dialect={"delimiter": ";"}, taken_at=TAKEN_AT)

        def sell() -> None:
            exports("stock.csv", whole.replace(";4;", ";3;"))
            figures["MUG", "Reno"] = 3

        return SourceBench(
            source=exports("stock.csv", whole),
            merchant=BY_WAREHOUSE,
            available=lambda: figures,
            products=lambda: frozenset({"MUG", "CUP"}),
            change=sell,
            broken={
                "wrong.csv:2:Free": exports("wrong.csv", whole.replace(";4;", ";four;")),
                "cut.csv:3": exports("cut.csv", whole[:-6]),
                "columns.csv:1": exports("columns.csv", whole.replace("Free", "Fre")),
            },
            extra=exports("more.csv", whole.replace("Shelf", "Shelf, or box")),
        )


class TestJsonSnapshot(SourceConformance):
    not_applicable = OWN_FORMAT

    @pytest.fixture
    def bench(self, tmp_path: Path) -> SourceBench:
        snapshot = InventorySnapshot(
            taken_at=TAKEN_AT,
            skus=[Sku(master_sku="MUG")],
            aliases=[Alias(name="Web", listing_sku="mug-us", master_sku="MUG")],
            warehouses=[Warehouse(id="1")],
            levels=[StockLevel(master_sku="MUG", location_id="1", available=4)],
        )
        figures: dict[tuple[str, str], int | None] = {("MUG", "1"): 4}
        whole = snapshot_to_json(snapshot)

        def written(name: str, text: str) -> JsonSnapshot:
            (tmp_path / name).write_text(text, encoding="utf-8")
            return JsonSnapshot(tmp_path / name)

        def sell() -> None:
            level = StockLevel(master_sku="MUG", location_id="1", available=2)
            written("stock.json", snapshot_to_json(evolve(snapshot, levels=[level])))
            figures["MUG", "1"] = 2

        return SourceBench(
            source=written("stock.json", whole),
            merchant=BY_WAREHOUSE,
            available=lambda: figures,
            products=lambda: frozenset({"MUG"}),
            listings=lambda: {("Web", "mug-us"): "MUG"},
            change=sell,
            broken={"cut.json": written("cut.json", whole[:-9])},
        )


# The kit itself


class TestDepot(SourceConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self) -> SourceBench:
        return bench_of()


@pytest.mark.parametrize(("kind", "check"), BROKEN, ids=lambda one: getattr(one, "__name__", one))
def test_a_wrong_source_is_caught(kind: type[DepotSource], check: str) -> None:
    (result,) = check_source(bench_of(kind), checks=[check]).results
    assert result.outcome == "failed", result
    assert "depot-key" not in str(result)


def test_every_check_catches_something() -> None:
    assert {check for _, check in BROKEN} == set(SOURCE_CHECKS)


def test_an_async_source_is_awaited_and_a_plain_one_needs_little() -> None:
    snapshot = stock({"MUG": 4})
    for source in (FakeSource(snapshot), AsyncFakeSource(FakeSource(snapshot))):
        report = check_source(
            SourceBench(source=source, merchant=BY_WAREHOUSE, available=lambda: {("MUG", "W1"): 4})
        )
        assert report.conforms, str(report)
        assert "the_snapshot_is_whole" in report.named("passed")


def test_ready_made_faults_are_looked_at_where_there_is_no_server() -> None:
    lenient = FakeSource(stock({"MUG": 4}))

    def bench(broken: Callable[[], Any]) -> SourceBench:
        return SourceBench(
            source=lenient,
            merchant=BY_WAREHOUSE,
            available=lambda: {("MUG", "W1"): 4},
            broken={"page 2": broken()},
        )

    silent = check_source(bench(lambda: lenient), checks=["a_reading_that_breaks_gives_no_snapshot"])
    assert "a reading with page 2 wrong gives" in silent.results[0].seen
    vague = FakeSource(SettingsError("something is wrong"))
    (named,) = check_source(bench(lambda: vague), checks=["what_is_wrong_is_named"]).results
    assert "does not name 'page 2'" in named.seen


def test_a_bench_gives_a_server_and_a_source_before_it_or_neither() -> None:
    with pytest.raises(InvalidValueError, match="go together"):
        bench_of(over=None)


def test_a_change_that_changes_nothing_is_the_bench_s_mistake() -> None:
    (result,) = check_source(
        bench_of(change=lambda: None), checks=["a_change_shows_in_the_next_reading"]
    ).results
    assert "the bench's change() changes no figure" in result.seen


def test_a_source_that_swallows_its_own_death_is_caught() -> None:
    class Immortal(DepotSource):
        def rows_of(self, answer: Response) -> Any:
            return super().rows_of(answer)

    def hardened(handler: Any) -> DepotSource:
        def send(request: Request) -> Response:
            try:
                return handler(request)  # type: ignore[no-any-return]  # any handler
            except BaseException:  # noqa: BLE001  that is the mistake
                return Depot().handle(request)

        return Immortal(send)

    (result,) = check_source(
        bench_of(over=hardened), checks=["a_killed_reading_is_made_whole_by_the_next"]
    ).results
    assert "went on although its process was killed" in result.seen


def test_a_check_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="no check 'the_snapshot_is_hole'") as caught:
        check_source(bench_of(), checks=["the_snapshot_is_hole"])
    assert "the_snapshot_is_whole" in caught.value.remedy
