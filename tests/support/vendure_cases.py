"""What the Vendure sink does with a shop; the fake and a real server pass the same cases.

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
from two_runners import RUNNERS
from vendure_bench import ONCE, Bench, change, entry, figures, outcomes, states

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
from omsync.errors import OmsyncError, RefusedError, SettingsError, UnauthorizedError
from omsync.http.messages import Request
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartSink
from omsync.sinks import _vendure as api
from omsync.sinks._vendure_answers import MAX_BYTES
from omsync.sinks.vendure import Vendure
from omsync.testing.sink_kit import (
    SINK_CHECKS,
    STRANGE_SKUS,
    SinkBench,
    assert_conforms,
    losing_answers,
)

__all__ = ["VendureCases"]

PARTS = [f"PART-{number:03d}" for number in range(1, 151)]
MAIN, EAST = "Default Stock Location", "East warehouse"
SWITCH = "mutation($on: Boolean!) { updateGlobalSettings(input: {trackInventory: $on}) { __typename } }"
DELETE = "mutation($id: ID!) { deleteProductVariant(id: $id) { result } }"

NOT_OF_VENDURE = {
    "states_what_is_unmanaged",
    "a_late_write_is_a_conflict",
    "a_sale_is_not_taken_for_the_write",
    "creates_what_it_says",
}
"""Checks of what Vendure does not have: kits, compare-and-set, listings made by a push."""


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


def wire(*entries: api.Entry) -> list[dict[str, Any]]:
    """Give entries as they are written."""
    return [one.wire for one in entries]


class VendureCases:
    # --- reading and pushing --------------------------------------------------------------------------

    def test_quantities_of_two_locations_are_pushed_and_read_back(self, bench: Bench) -> None:
        cart = bench.sink()
        assert isinstance(cart, CartSink)
        rows = [change("TEE-S", 42, MAIN), change("TEE-S", 7, bench.east)]
        rows += [change("PART-001", 11), change("TEE-L", 0, bench.main)]
        assert outcomes(cart.push(rows)) == [("accepted", "", units) for units in (42, 7, 11, 0)]
        shown = figures(cart.read(["TEE-S", "PART-001", "TEE-L"]))
        assert shown["TEE-S", bench.main] == (42, 0)
        assert shown["TEE-S", EAST] == shown["TEE-S", None] == (7, 0)
        assert shown["PART-001", None] == (11, 0)
        assert shown["PART-001", bench.main] == (1, 0)
        assert shown["TEE-L", bench.main] == (0, 0)

    def test_a_level_that_is_missing_shows_0_and_is_made_by_the_write(self, bench: Bench) -> None:
        cart = bench.sink(location="Outlet 01")
        assert {place for _, place in bench.levels(["MUG-1"])} == {bench.main, bench.east}
        assert figures(cart.read(["MUG-1"]))["MUG-1", None] == (0, 0)
        assert outcomes(cart.push([change("MUG-1", 3)])) == [("accepted", "", 3)]
        assert figures(cart.read(["MUG-1"]))["MUG-1", None] == (3, 0)

    def test_every_other_listing_of_the_shop_is_listed_too(self, bench: Bench) -> None:
        shown = states(bench.sink().read(["TEE-S"]))
        assert {*PARTS, "TEE-M", "MUG-1"} <= set(shown)
        assert (shown["TWIN-1"], shown["NOTE-1"], shown["TEE-M"]) == ("duplicate", "untracked", "listed")

    def test_units_of_an_open_order_are_reported_as_allocated_and_stay_on_hand(self, bench: Bench) -> None:
        cart = bench.sink()
        cart.push([change("TEE-M", 7, MAIN)])
        bench.order("TEE-M", 4)
        assert figures(cart.read(["TEE-M"]))["TEE-M", MAIN] == (7, 4)
        # To show 9 as available, 13 have to be on hand: the shells add the 4.
        assert outcomes(cart.push([change("TEE-M", 13, MAIN)])) == [("accepted", "", 13)]
        assert figures(cart.read(["TEE-M"]))["TEE-M", MAIN] == (13, 4)

    def test_a_whole_run_makes_the_shop_sell_what_the_order_manager_has(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        bench.sink().push([change("PART-015", 30, MAIN)])
        bench.order("PART-015", 2)
        snapshot = reading({"PART-015": 21, "PART-016": 0, "NOTE-1": 3, "TWIN-1": 4, "NO-SUCH": 1})
        settings, merchant = CartSettings(name="vendure"), MerchantSettings(mode=PerWarehouse())
        cart = bench.sink(location=MAIN)
        with SqliteLedger(tmp_path / "omsync.db") as ledger:
            first = sync_cart(snapshot, cart, settings, merchant=merchant, ledger=ledger)
            second = sync_cart(snapshot, cart, settings, merchant=merchant, ledger=ledger)
        assert first.counts == {"applied": 2, "skipped": 3}
        assert {one.listing_sku: one.reason for one in first.outcomes if one.outcome == "skipped"} == {
            "NOTE-1": "untracked_in_cart",
            "TWIN-1": "duplicate_in_cart",
            "NO-SUCH": "not_in_cart",
        }
        assert (bench.on_hand("PART-015"), bench.on_hand("PART-016")) == (23, 0)
        assert second.counts == {"unchanged": 2, "skipped": 3}

    def test_a_whole_run_may_await(self, bench: Bench) -> None:
        settings, merchant = CartSettings(name="vendure"), MerchantSettings(mode=PerWarehouse())
        running = aio.sync_cart(reading({"PART-017": 170}), bench.sink(), settings, merchant=merchant)
        assert asyncio.run(running).counts == {"applied": 1}
        assert bench.on_hand("PART-017", bench.east) == 170

    @pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS.keys())
    def test_blocking_and_awaiting_give_the_same(self, bench: Bench, run: Any) -> None:
        cart = bench.sink(page_size=10)
        rows = [change(sku, 50) for sku in PARTS[:5]] + [change("NO-SUCH", 1)]
        assert outcomes(run(cart.push_steps(rows))) == [("accepted", "", 50)] * 5 + [
            ("rejected", "not_in_cart", None)
        ]
        shown = figures(run(cart.read_steps(PARTS[:30])))
        assert [shown[sku, None] for sku in PARTS[:5]] == [(50, 0)] * 5
        assert shown["PART-030", MAIN] == (30, 0)

    def test_two_writers_leave_one_of_the_batches_whole(self, bench: Bench) -> None:
        skus, cart = PARTS[100:120], bench.sink()

        def write(units: int) -> set[str]:
            return {one.status for one in cart.push([change(sku, units) for sku in skus])}

        with ThreadPoolExecutor(4) as writers:
            assert list(writers.map(write, range(1, 9))) == [{"accepted"}] * 8
        shown = figures(cart.read(skus))
        assert len({shown[sku, None] for sku in skus}) == 1

    # --- what must not be sent ------------------------------------------------------------------------

    def test_shared_skus_are_refused_or_the_enabled_one_is_taken(self, bench: Bench) -> None:
        cart = bench.sink()
        shown = states(cart.read(["TWIN-1", "TWIN-2"]))
        assert (shown["TWIN-1"], shown["TWIN-2"]) == ("duplicate", "duplicate")
        rows = [change("TWIN-1", 5), change("TWIN-2", 5)]
        assert outcomes(cart.push(rows)) == [("rejected", "duplicate_in_cart", None)] * 2
        preferring = bench.sink(duplicates="prefer_enabled")
        assert outcomes(preferring.push(rows)) == [
            ("rejected", "duplicate_in_cart", None),
            ("accepted", "", 5),
        ]
        old, new = bench.hold(api.find(bench.admin, ["TWIN-2"]))
        assert (old.levels[bench.east].on_hand, new.levels[bench.east].on_hand) == (0, 5)

    def test_an_untracked_variant_is_skipped_or_tracking_is_switched_on(self, bench: Bench) -> None:
        cart = bench.sink()
        assert states(cart.read(["NOTE-1", "NOTE-2"]))["NOTE-1"] == "untracked"
        assert outcomes(cart.push([change("NOTE-1", 5)])) == [("skipped", "untracked_in_cart", None)]
        strict = bench.sink(untracked_policy="error")
        assert outcomes(strict.push([change("NOTE-1", 5)])) == [("rejected", "untracked_in_cart", None)]
        tracking = bench.sink(untracked_policy="track")
        assert outcomes(tracking.push([change("NOTE-2", 5)])) == [("accepted", "", 5)]
        assert states(cart.read(["NOTE-1", "NOTE-2"]))["NOTE-2"] == "listed"

    def test_a_variant_that_inherits_is_untracked_while_the_shop_tracks_nothing(self, bench: Bench) -> None:
        bench.ask(SWITCH, on=False)
        try:
            assert states(bench.sink().read(["TEE-S"]))["TEE-S"] == "untracked"
            pushed = bench.sink().push([change("TEE-S", 5)])
            assert outcomes(pushed) == [("skipped", "untracked_in_cart", None)]
        finally:
            bench.ask(SWITCH, on=True)
        assert states(bench.sink().read(["TEE-S"]))["TEE-S"] == "listed"

    def test_an_unknown_sku_is_not_in_the_cart_and_letter_case_matters(self, bench: Bench) -> None:
        cart = bench.sink()
        rows = [change("NO-SUCH", 1), change("tee-s", 1)]
        assert outcomes(cart.push(rows)) == [("rejected", "not_in_cart", None)] * 2
        assert not {"tee-s", "NO-SUCH"} & states(cart.read(["tee-s", "NO-SUCH"])).keys()

    def test_an_unknown_location_is_rejected_before_it_is_sent(self, bench: Bench) -> None:
        (result,) = bench.sink().push([change("TEE-S", 5, "777")])
        assert (result.status, result.reason) == ("rejected", "unknown_location")
        assert f"'East warehouse' (id {bench.east})" in result.message

    def test_rows_without_a_location_need_one_to_be_chosen(self, bench: Bench) -> None:
        with pytest.raises(SettingsError, match="'East warehouse'") as caught:
            bench.sink(location=None).push([change("TEE-S", 5)])
        assert caught.value.code == "choose_cart_location"

    def test_the_largest_quantity_is_taken_and_a_larger_one_never_sent(self, bench: Bench) -> None:
        rows = [change("PART-042", 2**31 - 1), change("PART-043", 2**31)]
        assert outcomes(bench.sink().push(rows)) == [
            ("accepted", "", 2**31 - 1),
            ("rejected", "out_of_range", None),
        ]

    def test_contradicting_rows_are_not_sent(self, bench: Bench) -> None:
        rows = [change("PART-044", 5), change("PART-044", 6, EAST), change("PART-045", 7)]
        assert outcomes(bench.sink().push(rows)) == [
            ("rejected", "contradiction", None),
            ("rejected", "contradiction", None),
            ("accepted", "", 7),
        ]

    # --- getting in -----------------------------------------------------------------------------------

    def test_an_api_key_serves_as_well_as_a_login(self, bench: Bench) -> None:
        cart = bench.sink(api_key=bench.facts["api_key"])
        assert outcomes(cart.push([change("PART-046", 8)])) == [("accepted", "", 8)]
        assert figures(cart.read(["PART-046"]))["PART-046", None] == (8, 0)

    def test_one_login_serves_all_reads_and_pushes_until_somebody_logs_out(self, bench: Bench) -> None:
        requests: list[Request] = []
        cart = bench.sink(**bench.login, handler=bench.spied(requests))

        def logins() -> int:
            return sum("omsyncLogIn" in one.body["query"] for one in requests)

        cart.push([change("PART-047", 8)])
        cart.read(["PART-047"])
        assert logins() == 1
        bench.log_out()
        assert outcomes(cart.push([change("PART-047", 9)])) == [("accepted", "", 9)]
        assert logins() == 2

    @pytest.mark.parametrize(
        "credentials",
        [
            {"api_key": "wrong-key"},
            {"username": "superadmin", "password": "wrong-password"},
            {"username": "nobody", "password": "superadmin"},
        ],
        ids=["key", "password", "user name"],
    )
    def test_wrong_credentials_are_unauthorized(self, bench: Bench, credentials: dict[str, Any]) -> None:
        cart = bench.sink(**credentials)
        with pytest.raises(UnauthorizedError) as reading_it:
            cart.read(["TEE-S"])
        with pytest.raises(UnauthorizedError) as pushing:
            cart.push([change("TEE-S", 1)])
        for caught in (reading_it, pushing):
            assert "wrong-" not in f"{caught.value} {caught.value.remedy}"

    def test_a_wrong_bearer_token_is_answered_like_a_missing_permission(self, bench: Bench) -> None:
        with pytest.raises(UnauthorizedError, match="not currently authorized"):
            bench.hold(api.look_around(bench.access.plus(authorization="Bearer wrong")))

    def test_a_key_whose_role_may_not_write_reads_and_is_refused_at_the_push(self, bench: Bench) -> None:
        reader = bench.sink(api_key=bench.facts["key_that_only_reads"])
        assert figures(reader.read(["PART-050"]))["PART-050", bench.main] == (50, 0)
        with pytest.raises(UnauthorizedError, match="UpdateCatalog"):
            reader.push([change("PART-050", 1, MAIN)])
        assert bench.on_hand("PART-050") == 50

    def test_the_channels_token_decides_which_variants_and_locations_there_are(self, bench: Bench) -> None:
        cart = bench.sink(**bench.login, channel=bench.facts["outlet_token"], location="Outlet 02")
        assert {one.listing_sku for one in cart.read(["PART-060", "TEE-S"])} == set(PARTS)
        rows = [change("PART-060", 6), change("TEE-S", 1), change("PART-060", 1, EAST)]
        assert outcomes(cart.push(rows)) == [
            ("accepted", "", 6),
            ("rejected", "not_in_cart", None),
            ("rejected", "unknown_location", None),
        ]

    def test_a_key_is_good_in_the_channels_of_its_role_only(self, bench: Bench) -> None:
        cart = bench.sink(api_key=bench.facts["api_key"], channel=bench.facts["outlet_token"])
        with pytest.raises(UnauthorizedError, match="in this channel"):
            cart.read([])

    def test_an_unknown_channel_is_refused_although_a_shop_of_one_channel_answers(self, bench: Bench) -> None:
        assert bench.facts["channel_that_answered_for_an_unknown_token"] == "__default_channel__"
        with pytest.raises(SettingsError) as caught:
            bench.sink(**bench.login, channel="no-such-channel").read([])
        assert caught.value.code == "unknown_channel"

    def test_an_address_without_an_admin_api_is_one_clear_error(self, bench: Bench) -> None:
        cart = Vendure(f"{bench.facts['url']}/elsewhere", api_key="any", handler=bench.handler, retry=ONCE)
        with pytest.raises(OmsyncError) as caught:
            cart.read([])
        assert caught.value.code == "no_admin_api"

    # --- batches --------------------------------------------------------------------------------------

    def test_one_unknown_variant_undoes_the_batch_and_is_dropped_by_name(self, bench: Bench) -> None:
        first, last = bench.variants["PART-070"], bench.variants["PART-071"]
        place = bench.main
        entries = [entry(first, {place: 700}), entry("999999", {place: 5}), entry(last, {place: 710})]
        said = bench.ask(api.WRITE, input=wire(*entries))["errors"][0]
        assert (said["extensions"]["code"], said["path"]) == ("ENTITY_NOT_FOUND", ["updateProductVariants"])
        assert said["message"] == 'No ProductVariant with the id "999999" could be found'
        assert (bench.on_hand("PART-070"), bench.on_hand("PART-071")) == (70, 71)
        written = bench.hold(api.write(bench.admin, entries))
        assert written.gone == {"999999"}
        assert (bench.on_hand("PART-070"), bench.on_hand("PART-071")) == (700, 710)

    def test_a_variant_deleted_between_look_up_and_write_costs_only_its_own_row(self, bench: Bench) -> None:
        def delete() -> None:
            gone = bench.ask(DELETE, id=bench.variants["SOON-GONE"])
            assert gone["data"]["deleteProductVariant"]["result"] == "DELETED"

        rows = [change("PART-072", 1), change("SOON-GONE", 2), change("PART-073", 3)]
        assert outcomes(bench.sink(handler=bench.meddled(delete)).push(rows)) == [
            ("accepted", "", 1),
            ("rejected", "not_in_cart", None),
            ("accepted", "", 3),
        ]

    def test_a_body_over_the_limit_is_refused_at_once_and_the_sink_splits_before_it(
        self, bench: Bench
    ) -> None:
        places = {str(number): 1 for number in range(3, 23)}
        entries = [entry(bench.variants[sku], places) for sku in PARTS[:140]]
        request = api.write_request(bench.admin, entries)
        assert len(request.content or b"") > 102_400
        answer = bench.send(request)
        assert (answer.status, answer.json()["message"]) == (500, "")
        with pytest.raises(RefusedError) as caught:
            bench.hold(api.write(bench.admin, entries))
        assert caught.value.code == "body_too_large"
        requests: list[Request] = []
        cart = bench.sink(
            **bench.login,
            channel=bench.facts["outlet_token"],
            location="Outlet 01",
            handler=bench.spied(requests),
        )
        rows = [
            change(sku, 1000 + place, f"Outlet {place:02d}") for sku in PARTS[:140] for place in range(1, 21)
        ]
        assert [one.echo for one in cart.push(rows)] == [row.quantity for row in rows]
        sizes = [len(one.content or b"") for one in requests]
        assert max(sizes) <= MAX_BYTES
        assert sum(sizes) > 102_400

    # --- what the shop itself answers -----------------------------------------------------------------

    def test_the_shop_itself_refuses_an_unknown_location_without_a_code_and_writes_nothing(
        self, bench: Bench
    ) -> None:
        entries = [
            entry(bench.variants["PART-030"], {bench.main: 99}),
            entry(bench.variants["PART-031"], {"777": 5}),
        ]
        said = bench.ask(api.WRITE, input=wire(*entries))["errors"][0]
        assert said.get("extensions") is None
        with pytest.raises(RefusedError, match="such as a stock location; nothing was written") as caught:
            bench.hold(api.write(bench.admin, entries))
        assert caught.value.code == "row_refused"
        assert bench.on_hand("PART-030") == 30

    def test_the_shop_itself_takes_a_location_of_another_channel_without_a_word(self, bench: Bench) -> None:
        within = bench.admin.plus(vendure_token=bench.facts["outlet_token"])
        written = bench.hold(api.write(within, [entry(bench.variants["PART-032"], {bench.east: 9})]))
        assert (bench.variants["PART-032"], bench.east) not in written.levels
        assert bench.on_hand("PART-032", bench.east) == 9

    def test_the_shop_itself_does_not_know_a_variant_of_another_channel(self, bench: Bench) -> None:
        within = bench.admin.plus(vendure_token=bench.facts["outlet_token"])
        written = bench.hold(api.write(within, [entry(bench.variants["TEE-S"], {bench.east: 9})]))
        assert written.gone == {bench.variants["TEE-S"]}

    def test_the_shop_itself_takes_negatives_which_is_why_they_are_never_sent(self, bench: Bench) -> None:
        bench.hold(api.write(bench.admin, [entry(bench.variants["PART-040"], {bench.main: -1})]))
        assert bench.on_hand("PART-040") == -1
        assert figures(bench.sink().read(["PART-040"]))["PART-040", MAIN] == (-1, 0)
        with pytest.raises(ValueError, match="at least 0"):
            change("PART-040", -1)

    @pytest.mark.parametrize(
        ("quantity", "says"),
        [
            (1.5, "non-integer value: 1.5"),
            ("5", 'non-integer value: "5"'),
            (2**31, "non 32-bit signed integer value: 2147483648"),
        ],
        ids=["fraction", "text", "over 32 bits"],
    )
    def test_the_shop_itself_refuses_fractions_and_more_than_32_bits(
        self, bench: Bench, quantity: Any, says: str
    ) -> None:
        rows = wire(
            entry(bench.variants["PART-041"], {bench.main: 1}),
            entry(bench.variants["PART-040"], {bench.main: quantity}),
        )
        answer = bench.send(bench.admin.ask(api.WRITE, input=rows))
        (said,) = answer.json()["errors"]
        value, place = json.dumps(quantity), '"input[1].stockLevels[0].stockOnHand"'
        assert (answer.status, said["extensions"]["code"]) == (200, "BAD_USER_INPUT")
        assert said["message"] == (
            f'Variable "$input" got invalid value {value} at {place}; Int cannot represent {says}'
        )
        assert bench.on_hand("PART-041") == 41

    def test_the_shop_itself_lets_the_last_of_two_rows_win(self, bench: Bench) -> None:
        key = bench.variants["PART-048"]
        rows = wire(
            entry(key, {bench.main: 5}),
            entry(bench.variants["PART-049"], {bench.main: 9}),
            entry(key, {bench.main: 6}),
        )
        answered = bench.ask(api.WRITE, input=rows)["data"]["updateProductVariants"]
        assert [one["sku"] for one in answered] == ["PART-048", "PART-049"]
        assert bench.on_hand("PART-048") == 6

    def test_a_page_may_not_be_larger_than_the_shop_allows_so_none_is_asked_for(self, bench: Bench) -> None:
        said = bench.ask("{ productVariants(options: {take: 1001}) { totalItems } }")["errors"][0]
        assert said["message"] == "Cannot take more than 1000 results from a list query"
        assert said["extensions"]["code"] == "USER_INPUT_ERROR"
        assert all("take" not in query for query in (api.FIND, api.IDENTIFY, api.NAMES, api.LOOK_AROUND))

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ("{ productVariants(", 400, "GRAPHQL_PARSE_FAILED"),
            ("{ nope }", 400, "GRAPHQL_VALIDATION_FAILED"),
            ("mutation { updateProductVariants(input: [{}]) { id } }", 400, "GRAPHQL_VALIDATION_FAILED"),
            ("query($skip: Int!) { activeChannel { id } }", 400, "GRAPHQL_VALIDATION_FAILED"),
            (
                "query($n: Int!) { productVariants(options: {skip: $n}) { totalItems } }",
                200,
                "BAD_USER_INPUT",
            ),
        ],
    )
    def test_the_shop_itself_names_what_is_wrong_with_a_request(
        self, bench: Bench, query: str, status: int, code: str
    ) -> None:
        answer = bench.send(bench.admin.ask(query))
        assert (answer.status, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)

    # --- the kit for sinks ----------------------------------------------------------------------------

    @pytest.mark.parametrize("check", SINK_CHECKS)
    def test_the_sink_conforms(self, bench: Bench, check: str) -> None:
        listings = PARTS[50:] if check == "takes_a_full_batch" else PARTS[74:80]
        strange = STRANGE_SKUS if check.startswith("strange") else ()
        named = {bench.main: MAIN, bench.east: EAST}

        def shown() -> dict[tuple[str, str | None], int]:
            return {
                (sku, named[place]): units
                for (sku, place), units in bench.levels([*listings, *strange]).items()
                if place in named
            }

        losing = losing_answers(bench.send, of=lambda request: "omsyncWrite" in request.body["query"])
        on_the_bench = SinkBench(
            sink=bench.sink(),
            shown=shown,
            listings=listings,
            strange=strange,
            locations=(MAIN, EAST),
            absent_location="777",
            duplicate="TWIN-1",
            untracked="NOTE-1",
            rename=bench.rename,
            unauthorized=bench.sink(api_key="wrong-key", retry=ONCE),
            unreachable=bench.sink(handler=None, retry=ONCE, **bench.login, url="http://127.0.0.1:1"),
            losing=bench.sink(handler=losing, retry=ONCE),
            secrets=("wrong-key", bench.facts["api_key"]),
        )
        with bench.renamed(dict(zip(PARTS[120:], strange, strict=False))):
            report = assert_conforms(on_the_bench, checks=[check])
        assert set(report.named("not_applicable")) <= NOT_OF_VENDURE
