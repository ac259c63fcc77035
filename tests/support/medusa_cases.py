"""What the Medusa sink does with a shop; the fake and a real server pass the same cases.

A test file makes a class of these with a fixture ``bench``. Cases that begin ``test_the_shop_itself`` speak
to the shop past the sink: they hold what it answers, so that the fake cannot drift away from the real one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from medusa_bench import BATCH, Bench, change, figures, outcomes, states
from two_runners import RUNNERS

from omsync import (
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    Sku,
    StockLevel,
    Warehouse,
    aio,
    sync_cart,
)
from omsync.errors import RefusedError, SettingsError, TransientError, UnauthorizedError
from omsync.http.messages import Request, Response
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartSink

__all__ = ["MedusaCases"]

PARTS = [f"PART-{number:03d}" for number in range(1, 61)]


def reading(quantities: Mapping[str, int]) -> InventorySnapshot:
    """Make a reading of one warehouse."""
    return InventorySnapshot(
        taken_at=datetime(2026, 1, 5, 6, tzinfo=UTC),
        skus=[Sku(master_sku=sku) for sku in quantities],
        warehouses=[Warehouse(id="1", name="Reno DC")],
        levels=[
            StockLevel(master_sku=sku, location_id="1", available=units) for sku, units in quantities.items()
        ],
    )


class MedusaCases:
    # --- reading and pushing --------------------------------------------------------------------------

    def test_quantities_of_two_locations_are_pushed_and_read_back(self, bench: Bench) -> None:
        cart = bench.sink()
        assert isinstance(cart, CartSink)
        rows = [change("TEE-S", 42, "West warehouse"), change("TEE-S", 7, bench.east)]
        rows += [change("PART-010", 11), change("TEE-L", 0, "East warehouse")]
        assert outcomes(cart.push(rows)) == [("accepted", "", units) for units in (42, 7, 11, 0)]
        shown = figures(cart.read(["TEE-S", "PART-010", "TEE-L"]))
        assert shown["TEE-S", bench.west] == shown["TEE-S", None] == (42, 0)
        assert shown["TEE-S", "East warehouse"] == (7, 0)
        assert shown["PART-010", None] == (11, 0)
        assert shown["TEE-L", bench.east] == (0, 0)

    def test_a_level_that_is_missing_shows_0_and_is_made_by_the_write(self, bench: Bench) -> None:
        cart = bench.sink(location="East warehouse")
        assert bench.on_hand("PART-011", bench.east) is None
        assert figures(cart.read(["PART-011"]))["PART-011", None] == (0, 0)
        rows = [change("PART-011", 3), change("PART-012", 4, "West warehouse")]
        assert outcomes(cart.push(rows)) == [("accepted", "", 3), ("accepted", "", 4)]
        assert (bench.on_hand("PART-011", bench.east), bench.on_hand("PART-012")) == (3, 4)

    def test_every_other_inventory_item_is_listed_by_name(self, bench: Bench) -> None:
        shown = bench.sink().read(["TEE-S"])
        assert {"TEE-M", "ALONE-1", *PARTS} <= set(states(shown))
        assert [one.quantity for one in shown if one.listing_sku == "TEE-M"] == [None]

    @pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS.keys())
    def test_blocking_and_awaiting_give_the_same(self, bench: Bench, run: Any) -> None:
        cart = bench.sink(page_size=10)
        rows = [change(sku, 50) for sku in PARTS[:3]] + [change("NO-SUCH", 1), change("KIT-1", 1)]
        assert outcomes(run(cart.push_steps(rows)))[:4] == [("accepted", "", 50)] * 3 + [
            ("rejected", "not_in_cart", None)
        ]
        shown = figures(run(cart.read_steps(PARTS)))
        assert [shown[sku, None] for sku in PARTS[:3]] == [(50, 0)] * 3

    def test_units_of_an_open_order_are_allocated_and_stay_on_hand(self, bench: Bench) -> None:
        cart = bench.sink()
        cart.push([change("PART-013", 7), change("PART-013", 3, "East warehouse")])
        reserved = {"inventory_item_id": bench.items["PART-013"], "location_id": bench.west, "quantity": 4}
        assert bench.ask("POST", "/admin/reservations", reserved)[0] == 200
        assert figures(cart.read(["PART-013"]))["PART-013", None] == (7, 4)
        assert bench.buyable("PART-013") == 6
        # To show 9 as available in the west, 13 have to be on hand there: the shells add the 4.
        assert outcomes(cart.push([change("PART-013", 13)])) == [("accepted", "", 13)]
        assert figures(cart.read(["PART-013"]))["PART-013", None] == (13, 4)
        assert bench.buyable("PART-013") == 12

    def test_less_than_is_promised_may_be_on_hand_and_the_store_nets_the_debt(self, bench: Bench) -> None:
        cart = bench.sink()
        cart.push([change("PART-014", 7), change("PART-014", 5, "East warehouse")])
        reserved = {"inventory_item_id": bench.items["PART-014"], "location_id": bench.west, "quantity": 4}
        bench.ask("POST", "/admin/reservations", reserved)
        assert outcomes(cart.push([change("PART-014", 2)])) == [("accepted", "", 2)]
        assert figures(cart.read(["PART-014"]))["PART-014", None] == (2, 4)
        assert bench.buyable("PART-014") == 3  # 2 - 4 in the west, 5 in the east

    def test_a_whole_run_makes_the_store_offer_what_the_order_manager_has(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        reserved = {"inventory_item_id": bench.items["PART-015"], "location_id": bench.west, "quantity": 2}
        bench.ask("POST", "/admin/reservations", reserved)
        snapshot = reading({"PART-015": 21, "PART-016": 0, "KIT-1": 4, "NOTE-1": 3, "NO-SUCH": 1})
        settings, merchant = CartSettings(name="medusa"), MerchantSettings(mode=PerWarehouse())
        with SqliteLedger(tmp_path / "omsync.db") as ledger:
            first = sync_cart(snapshot, bench.sink(), settings, merchant=merchant, ledger=ledger)
            second = sync_cart(snapshot, bench.sink(), settings, merchant=merchant, ledger=ledger)
        assert first.counts == {"applied": 2, "skipped": 3}
        reasons = {one.listing_sku: one.reason for one in first.outcomes if one.outcome == "skipped"}
        assert reasons == {
            "KIT-1": "unmanaged_in_cart",
            "NOTE-1": "untracked_in_cart",
            "NO-SUCH": "not_in_cart",
        }
        assert (bench.buyable("PART-015"), bench.on_hand("PART-015")) == (21, 23)
        assert second.counts == {"unchanged": 2, "skipped": 3}

    def test_a_whole_run_may_await(self, bench: Bench) -> None:
        settings, merchant = CartSettings(name="medusa"), MerchantSettings(mode=PerWarehouse())
        running = aio.sync_cart(reading({"PART-017": 17}), bench.sink(), settings, merchant=merchant)
        assert asyncio.run(running).counts == {"applied": 1}
        assert bench.on_hand("PART-017") == 17

    def test_two_writers_leave_one_of_the_batches_whole(self, bench: Bench) -> None:
        cart = bench.sink()

        def write(units: int) -> set[str]:
            return {one.status for one in cart.push([change(sku, units) for sku in PARTS[40:]])}

        with ThreadPoolExecutor(4) as writers:
            assert list(writers.map(write, range(1, 9))) == [{"accepted"}] * 8
        shown = figures(cart.read(PARTS[40:]))
        assert len({shown[sku, None] for sku in PARTS[40:]}) == 1

    # --- what must not be sent ------------------------------------------------------------------------

    def test_a_kit_is_worked_out_by_the_shop_from_its_parts(self, bench: Bench) -> None:
        cart = bench.sink()
        assert states(cart.read(["KIT-1"]))["KIT-1"] == "unmanaged"
        (result,) = cart.push([change("KIT-1", 5)])
        assert (result.status, result.reason) == ("skipped", "unmanaged_in_cart")
        assert "1 x TEE-M + 2 x PART-001" in result.message
        rows = [("TEE-M", 7, bench.west), ("TEE-M", 5, bench.east), ("PART-001", 9, bench.west)]
        cart.push([change(*row) for row in rows])
        assert bench.buyable("KIT-1") == 4

    def test_a_variant_whose_item_has_another_sku_is_not_written_to(self, bench: Bench) -> None:
        cart = bench.sink()
        shown = states(cart.read(["RENAMED-NEW", "RENAMED-OLD"]))
        assert (shown["RENAMED-NEW"], shown["RENAMED-OLD"]) == ("unmanaged", "listed")
        new, old = cart.push([change("RENAMED-NEW", 5), change("RENAMED-OLD", 6)])
        assert (new.reason, new.message.count("1 x RENAMED-OLD")) == ("unmanaged_in_cart", 1)
        assert (old.status, bench.buyable("RENAMED-NEW")) == ("accepted", 6)

    def test_an_untracked_variant_is_skipped_or_refused(self, bench: Bench) -> None:
        cart = bench.sink()
        shown = states(cart.read(["NOTE-1", "OFF-1"]))
        assert (shown["NOTE-1"], shown["OFF-1"]) == ("untracked", "untracked")
        rows = [change("NOTE-1", 5), change("OFF-1", 5)]
        assert outcomes(cart.push(rows)) == [("skipped", "untracked_in_cart", None)] * 2
        strict = bench.sink(untracked_policy="error")
        assert outcomes(strict.push(rows)) == [("rejected", "untracked_in_cart", None)] * 2
        assert bench.on_hand("OFF-1") == 10

    def test_an_item_that_no_variant_sells_is_kept_up_to_date_too(self, bench: Bench) -> None:
        assert outcomes(bench.sink().push([change("ALONE-1", 8)])) == [("accepted", "", 8)]
        assert bench.on_hand("ALONE-1") == 8

    def test_an_unknown_sku_is_not_in_the_cart_and_letter_case_matters(self, bench: Bench) -> None:
        cart = bench.sink()
        rows = [change("NO-SUCH", 1), change("tee-s", 1)]
        assert outcomes(cart.push(rows)) == [("rejected", "not_in_cart", None)] * 2
        assert not {"tee-s", "NO-SUCH"} & states(cart.read(["tee-s", "NO-SUCH"])).keys()

    def test_an_unknown_location_is_rejected_before_it_is_sent(self, bench: Bench) -> None:
        (result,) = bench.sink().push([change("PART-018", 5, "sloc_nope")])
        assert (result.status, result.reason) == ("rejected", "unknown_location")
        assert f"'East warehouse' (id {bench.east})" in result.message

    def test_rows_without_a_location_need_one_to_be_chosen(self, bench: Bench) -> None:
        with pytest.raises(SettingsError, match="'East warehouse'") as caught:
            bench.sink(location=None).push([change("TEE-S", 5)])
        assert caught.value.code == "choose_cart_location"

    def test_a_fraction_in_the_shop_is_no_figure_and_the_next_push_replaces_it(self, bench: Bench) -> None:
        assert bench.ask("POST", BATCH, {"update": [bench.row("PART-019", 1.5)]})[0] == 200
        cart = bench.sink()
        assert figures(cart.read(["PART-019"]))["PART-019", None] == (None, 0)
        settings, merchant = CartSettings(name="medusa"), MerchantSettings(mode=PerWarehouse())
        report = sync_cart(reading({"PART-019": 1}), cart, settings, merchant=merchant)
        assert (report.counts, bench.on_hand("PART-019")) == ({"applied": 1}, 1)

    def test_reserved_fractions_make_the_listing_unknown_to_us(self, bench: Bench) -> None:
        reserved = {"inventory_item_id": bench.items["PART-020"], "location_id": bench.west, "quantity": 0.5}
        assert bench.ask("POST", "/admin/reservations", reserved)[0] == 200
        settings, merchant = CartSettings(name="medusa"), MerchantSettings(mode=PerWarehouse())
        report = sync_cart(reading({"PART-020": 1}), bench.sink(), settings, merchant=merchant)
        assert [one.reason for one in report.outcomes] == ["allocated_unknown"]

    def test_the_largest_quantity_is_taken_and_a_larger_one_never_sent(self, bench: Bench) -> None:
        rows = [change("PART-021", 2**53 - 1), change("PART-022", 2**53)]
        assert outcomes(bench.sink().push(rows)) == [
            ("accepted", "", 2**53 - 1),
            ("rejected", "out_of_range", None),
        ]

    def test_contradicting_rows_are_not_sent(self, bench: Bench) -> None:
        rows = [change("PART-023", 5), change("PART-023", 6, "West warehouse"), change("PART-024", 7)]
        assert outcomes(bench.sink().push(rows)) == [
            ("rejected", "contradiction", None),
            ("rejected", "contradiction", None),
            ("accepted", "", 7),
        ]
        assert bench.on_hand("PART-023") == 10

    # --- getting in -----------------------------------------------------------------------------------

    def test_a_login_serves_as_well_as_a_key(self, bench: Bench) -> None:
        cart = bench.sink(email=bench.facts["email"], password=bench.facts["password"])
        assert outcomes(cart.push([change("PART-025", 8)])) == [("accepted", "", 8)]
        assert figures(cart.read(["PART-025"]))["PART-025", None] == (8, 0)

    @pytest.mark.parametrize(
        "credentials",
        [{"api_key": "sk_wrong"}, {"email": "admin@shop.example", "password": "wrong"}],
        ids=["key", "password"],
    )
    def test_wrong_credentials_are_unauthorized(self, bench: Bench, credentials: dict[str, str]) -> None:
        with pytest.raises(UnauthorizedError, match="role policies") as caught:
            bench.sink(**credentials).read(["TEE-S"])
        assert "database" in caught.value.remedy
        assert "sk_wrong" not in str(caught.value)

    def test_an_address_without_an_admin_api_is_one_clear_error(self, bench: Bench) -> None:
        cart = evolve(bench.sink(), url=f"{bench.url}/elsewhere")
        with pytest.raises(RefusedError) as caught:
            cart.read([])
        assert caught.value.code == "no_route"

    def test_a_refusal_after_the_door_was_open_is_a_lost_database_not_a_revoked_key(
        self, bench: Bench
    ) -> None:
        with bench.without_database():
            assert bench.ask("GET", "/health") == (200, "OK")
            assert bench.ask("GET", "/admin/stock-locations") == (401, {"message": "Unauthorized"})
            with pytest.raises(UnauthorizedError, match="401") as first:
                bench.sink().push([change("PART-026", 1)])
            assert "database" in first.value.remedy
        cart = bench.sink()
        assert figures(cart.read(["PART-026"]))["PART-026", None] == (10, 0)
        lost = bench.without_database()
        meddled = bench.sink(handler=bench.meddled(lost.__enter__))
        try:
            with pytest.raises(TransientError, match="cannot reach its database") as caught:
                meddled.push([change("PART-026", 1)])
        finally:
            lost.__exit__(None, None, None)
        assert caught.value.code == "database_unreachable"
        assert outcomes(cart.push([change("PART-026", 2)])) == [("accepted", "", 2)]

    # --- batches --------------------------------------------------------------------------------------

    def test_a_level_that_somebody_made_meanwhile_is_updated(self, bench: Bench) -> None:
        def make() -> None:
            assert bench.ask("POST", BATCH, {"create": [bench.row("PART-027", 1, bench.east)]})[0] == 200

        rows = [change("PART-027", 5, bench.east), change("PART-028", 6, bench.east), change("PART-029", 7)]
        assert outcomes(bench.sink(handler=bench.meddled(make)).push(rows)) == [
            ("accepted", "", units) for units in (5, 6, 7)
        ]

    def test_a_level_that_somebody_removed_meanwhile_is_made_again(self, bench: Bench) -> None:
        path = f"/admin/inventory-items/{bench.items['PART-030']}/location-levels/{bench.west}"

        def remove() -> None:
            bench.ask("POST", path, {"stocked_quantity": 0})
            assert bench.ask("DELETE", path)[0] == 200

        rows = [change("PART-030", 5), change("PART-031", 6)]
        assert outcomes(bench.sink(handler=bench.meddled(remove)).push(rows)) == [
            ("accepted", "", 5),
            ("accepted", "", 6),
        ]

    def test_an_item_deleted_meanwhile_costs_only_its_own_row(self, bench: Bench) -> None:
        def delete() -> None:
            assert bench.ask("DELETE", f"/admin/inventory-items/{bench.items['PART-032']}")[0] == 200

        rows = [change("PART-032", 5), change("PART-033", 6)]
        assert outcomes(bench.sink(handler=bench.meddled(delete)).push(rows)) == [
            ("rejected", "not_in_cart", None),
            ("accepted", "", 6),
        ]

    def test_a_location_deleted_meanwhile_gets_no_level(self, bench: Bench) -> None:
        _, made = bench.ask("POST", "/admin/stock-locations", {"name": "Soon gone"})
        gone = made["stock_location"]["id"]
        bench.ask("POST", BATCH, {"create": [bench.row("PART-034", 1, gone)]})
        level = f"/admin/inventory-items/{bench.items['PART-034']}/location-levels/{gone}"

        def delete() -> None:
            bench.ask("POST", level, {"stocked_quantity": 0})
            bench.ask("DELETE", level)
            assert bench.ask("DELETE", f"/admin/stock-locations/{gone}")[0] == 200

        rows = [change("PART-034", 5, "Soon gone"), change("PART-035", 6)]
        assert outcomes(bench.sink(handler=bench.meddled(delete)).push(rows)) == [
            ("rejected", "unknown_location", None),
            ("accepted", "", 6),
        ]
        assert bench.on_hand("PART-034", gone) is None

    def test_a_body_is_split_before_the_limit(self, bench: Bench) -> None:
        sizes: list[int] = []

        def weighing(request: Request) -> Response:
            if request.method == "POST":
                sizes.append(len(request.content or b""))
            return bench.send(request)

        cart = bench.sink(handler=weighing, max_bytes=3000)
        results = cart.push([change(sku, 66) for sku in PARTS[35:60]])
        assert outcomes(results) == [("accepted", "", 66)] * 25
        assert len(sizes) == 2
        assert max(sizes) <= 3000

    # --- what the shop itself answers -----------------------------------------------------------------

    def test_the_shop_itself_refuses_a_body_over_2_mib_and_a_single_one_over_100_kb(
        self, bench: Bench
    ) -> None:
        rows = [bench.row("PART-036", number) for number in range(17_000)]
        too_large = (413, {"type": "unknown_error", "message": "request entity too large"})
        assert bench.ask("POST", BATCH, {"update": rows}) == too_large
        path = f"/admin/inventory-items/{bench.items['PART-036']}/location-levels/{bench.west}"
        assert bench.ask("POST", path, {"stocked_quantity": 1, "pad": "x" * 110_000}) == too_large
        assert bench.on_hand("PART-036") in {10, 66}

    def test_the_shop_itself_writes_all_of_a_batch_or_nothing(self, bench: Bench) -> None:
        before = bench.on_hand("PART-037")
        body = {
            "create": [bench.row("PART-038", 6, bench.east)],
            "update": [bench.row("PART-037", 777), bench.row("PART-039", 4, bench.east)],
        }
        status, said = bench.ask("POST", BATCH, body)
        missing = f"Item {bench.items['PART-039']} is not stocked at location {bench.east}"
        assert (status, said) == (404, {"type": "not_found", "message": missing})
        assert (bench.on_hand("PART-037"), bench.on_hand("PART-038", bench.east)) == (before, None)

    def test_the_shop_itself_names_all_levels_that_are_missing_and_one_that_is_there(
        self, bench: Bench
    ) -> None:
        update = [bench.row("PART-040", 4, bench.east), bench.row("iitem_nope", 4)]
        status, said = bench.ask("POST", BATCH, {"update": update})
        assert status == 404
        assert said["message"] == (
            f"Item {bench.items['PART-040']} is not stocked at location {bench.east}, "
            f"Item iitem_nope is not stocked at location {bench.west}"
        )
        status, said = bench.ask("POST", BATCH, {"create": [bench.row("TEE-S", 4), bench.row("TEE-M", 4)]})
        there = f"Inventory level with inventory_item_id: {bench.items['TEE-S']}, location_id: {bench.west}"
        assert (status, said) == (400, {"type": "invalid_data", "message": f"{there}, already exists."})

    def test_the_shop_itself_names_the_rows_that_are_invalid(self, bench: Bench) -> None:
        body = {
            "create": [bench.row("PART-041", -1, bench.east)],
            "update": [bench.row("PART-041", 1), bench.row("PART-042", -1), bench.row("PART-043", "5")],
        }
        status, said = bench.ask("POST", BATCH, body)
        assert (status, said["type"]) == (400, "invalid_data")
        small = "too small, expected at least: '0'"
        assert sorted(said["message"].removeprefix("Invalid request: ").split("; ")) == [
            "Field 'update, 2, stocked_quantity' is required",
            f"Value for field 'create, 0, stocked_quantity' {small}",
            f"Value for field 'update, 1, stocked_quantity' {small}",
        ]
        status, said = bench.ask("POST", BATCH, {"update": [], "foo": 1})
        assert (status, said["message"]) == (400, "Invalid request: Unrecognized fields: 'foo'")
        status, said = bench.ask("GET", "/admin/inventory-items", query=[("foo", "1")])
        assert (status, said["message"]) == (400, "Invalid request: Unrecognized fields: 'foo'")

    def test_the_shop_itself_answers_in_another_order_and_with_a_figure_of_before(self, bench: Bench) -> None:
        bench.ask("POST", BATCH, {"update": [bench.row("PART-044", 10), bench.row("PART-045", 10)]})
        update = [bench.row("PART-044", 11), bench.row("PART-045", 12), bench.row("PART-044", 13)]
        _, said = bench.ask("POST", BATCH, {"update": update})
        # The last of two rows wins without a word, and each level comes once.
        rows = {row["inventory_item_id"]: row for row in said["updated"]}
        assert len(said["updated"]) == 2
        first, second = rows[bench.items["PART-044"]], rows[bench.items["PART-045"]]
        assert (first["stocked_quantity"], second["stocked_quantity"]) == (13, 12)
        assert (first["available_quantity"], second["available_quantity"]) == (10, 10)

    def test_the_shop_itself_makes_levels_for_what_it_does_not_have(self, bench: Bench) -> None:
        """Which is why a location is looked up first, and a lost level never made without looking again."""
        assert bench.ask("POST", BATCH, {"create": [bench.row("PART-046", 1, "sloc_nope")]})[0] == 200
        assert bench.on_hand("PART-046", "sloc_nope") == 1
        item = bench.items["PART-047"]
        assert bench.ask("DELETE", f"/admin/inventory-items/{item}")[0] == 200
        assert bench.ask("POST", BATCH, {"update": [bench.row(item, 1)]})[0] == 404
        assert bench.ask("POST", BATCH, {"create": [bench.row(item, 1)]})[0] == 200
        status, said = bench.ask("POST", BATCH, {"create": [bench.row("iitem_nope", 1)]})
        assert status == 404
        assert said["message"].startswith("You tried to set relationship inventory_item_id: iitem_nope")

    def test_the_shop_itself_keeps_the_levels_of_a_deleted_location(self, bench: Bench) -> None:
        _, made = bench.ask("POST", "/admin/stock-locations", {"name": "Closing down"})
        gone = made["stock_location"]["id"]
        bench.ask("POST", BATCH, {"create": [bench.row("PART-048", 4, gone)]})
        bench.ask("DELETE", f"/admin/stock-locations/{gone}")
        assert bench.ask("POST", BATCH, {"update": [bench.row("PART-048", 5, gone)]})[0] == 200
        shown = figures(bench.sink().read(["PART-048"]))
        assert not {("PART-048", gone), ("PART-048", "Closing down")} & shown.keys()

    def test_the_shop_itself_ignores_parameters_after_the_thousandth(self, bench: Bench) -> None:
        """Which is why a look-up has at most 500 SKUs, and its limit in front."""
        skus = [("sku", f"N{number}") for number in range(1000)] + [("sku", "TEE-S"), ("limit", "7")]
        status, said = bench.ask("GET", "/admin/inventory-items", query=skus)
        assert (status, said["count"], said["limit"]) == (200, 0, 20)
        few = [("limit", "500"), *skus[502:-1]]
        assert bench.ask("GET", "/admin/inventory-items", query=few)[1]["count"] == 1

    def test_the_shop_itself_answers_an_unknown_route_in_html_and_a_stranger_with_401(
        self, bench: Bench
    ) -> None:
        status, said = bench.ask("POST", "/admin/inventory-items/location-levels/nope", {})
        assert (status, "Cannot POST" in said) == (404, True)
        nobody = bench.ask("POST", "/admin/no/such/route", {}, headers={})
        assert nobody == (401, {"message": "Unauthorized"})
        login = {"email": "admin@shop.example", "password": "wrong"}
        assert bench.ask("POST", "/auth/user/emailpass", login, headers={}) == (
            401,
            {"type": "unauthorized", "message": "Invalid email or password"},
        )

    def test_the_shop_itself_has_one_route_for_one_level_too(self, bench: Bench) -> None:
        item = f"/admin/inventory-items/{bench.items['PART-049']}/location-levels"
        status, said = bench.ask("POST", f"{item}/{bench.west}", {"stocked_quantity": 42})
        assert (status, said["inventory_item"]["location_levels"][0]["stocked_quantity"]) == (200, 42)
        assert bench.ask("POST", item, {"location_id": bench.east, "stocked_quantity": 4})[0] == 200
        status, said = bench.ask("POST", item, {"location_id": bench.east, "stocked_quantity": 4})
        assert (status, said["message"].endswith("already exists.")) == (400, True)
        status, said = bench.ask("POST", f"{item}/sloc_nope", {"stocked_quantity": 4})
        assert (status, said["type"]) == (404, "not_found")
        status, said = bench.ask("POST", f"{item}/{bench.west}", {"stocked_quantity": -1})
        assert json.dumps(said).count("'stocked_quantity' too small") == 1
