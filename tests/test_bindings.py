"""Which account is read and which cart is pushed to: a change of either is refused until confirmed."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from fake_ports import (
    START,
    AsyncFakeCart,
    AsyncFakeSource,
    DictLedger,
    FakeCart,
    FakeClock,
    FakeSource,
    stock,
)

import omsync
from omsync import (
    CartSettings,
    Guardrails,
    InventorySnapshot,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    ReadRequest,
    SalesChannel,
    Sku,
    aio,
)
from omsync.errors import (
    InvalidValueError,
    LeaseHeldError,
    LedgerError,
    SettingsError,
    SnapshotError,
    WrongTypeError,
)
from omsync.exchange import Lease, ListingState
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning.bindings import Binding, binding_moment, is_another_account, states_since
from omsync.remembered import OF_ONE_CART
from omsync.sinks.files import CsvCart
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.sources.integration_manager import IntegrationManager
from omsync.sources.tryton import Tryton

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
WHO: dict[str, Any] = {"by": "Ann", "reason": "the shop has moved"}


class Shell:
    """Calls a function of omsync by its name: blocking, or awaiting with async ports."""

    def __init__(self, *, awaiting: bool) -> None:
        self.name = "awaiting" if awaiting else "blocking"
        self._awaiting = awaiting

    def __call__(self, name: str, *args: Any, **options: Any) -> Any:
        if not self._awaiting:
            return getattr(omsync, name)(*args, **options)
        return asyncio.run(getattr(aio, name)(*map(self._twin, args), **options))

    def _twin(self, port: Any) -> Any:
        if type(port) is FakeCart:
            return AsyncFakeCart(port)
        return AsyncFakeSource(port) if type(port) is FakeSource else port


@pytest.fixture(params=[Shell(awaiting=False), Shell(awaiting=True)], ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger() -> DictLedger:
    return DictLedger()


class NamedSource(FakeSource):
    """A source that says which account it is."""

    def __init__(self, origin: Any, *script: InventorySnapshot | BaseException) -> None:
        super().__init__(*script)
        self.origin = origin


def old_shop(shelves: Any = None, **given: Any) -> FakeCart:
    return FakeCart(shelves or {"A": 3}, destination="the old shop", **given)


def new_shop(shelves: Any = None, **given: Any) -> FakeCart:
    return FakeCart(shelves or {"A": 3}, destination="the new shop", **given)


def products(prefix: str, number: int = 20, *, place: str = "W1", figure: int = 5) -> InventorySnapshot:
    return stock({f"{prefix}{index:02}": figure for index in range(number)}, places=(place,))


# Another cart.


def test_a_cart_of_another_destination_is_refused_before_anything_is_read_or_written(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    shell("sync_cart", stock({"A": 5}), old_shop(), SHOP, **more)
    source, other = FakeSource(stock({"A": 6})), new_shop()

    with pytest.raises(SettingsError) as caught:
        shell("sync_cart", source, other, SHOP, **more)

    error = caught.value
    assert error.code == "other_cart"
    assert error.message == (
        "The cart 'shop' of 'default' is the old shop since 2026-03-02 08:00:00Z, and this sink is the new "
        "shop; nothing was pushed"
    )
    assert "confirm_cart(" in error.remedy
    assert (source.requests, other.reads, other.pushes) == ([], [], [])
    assert ledger.runs("default", "shop")[0].code == "other_cart"
    with pytest.raises(SettingsError, match="this sink is the new shop"):
        shell("plan_cart", stock({"A": 6}), other, SHOP, **more)
    with pytest.raises(SettingsError, match="this sink is the new shop"):
        shell("drift", ledger, other, SHOP, clock=clock)
    assert other.reads == []
    assert ledger.state("A").accepted == 5


def test_a_plan_made_without_the_ledger_does_not_reach_another_cart_either(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    omsync.sync_cart(stock({"A": 5}), old_shop(), SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    other = new_shop()
    plan = omsync.plan_cart(stock({"A": 6}), other, SHOP, merchant=MERCHANT, clock=clock)
    runs = ledger.runs("default", "shop")

    with pytest.raises(SettingsError, match="this sink is the new shop") as caught:
        shell("push_plan", plan, other, ledger=ledger, clock=clock, approve=plan.digest)

    assert caught.value.code == "other_cart"
    assert other.pushes == []
    assert ledger.runs("default", "shop") == runs


def test_a_plan_alone_binds_nothing_and_a_run_does(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    omsync.plan_cart(stock({"A": 5}), old_shop(), SHOP, **more)
    bad = CartSettings(name="shop", location="nowhere")
    with pytest.raises(SettingsError):
        omsync.sync_cart(stock({"A": 5}), old_shop(), bad, **more)
    assert omsync.sync_cart(stock({"A": 5}), new_shop(), SHOP, **more).status == "success"
    with pytest.raises(SettingsError, match="is the new shop since"):
        omsync.plan_cart(stock({"A": 5}), old_shop(), SHOP, **more)


def test_a_cart_that_is_switched_off_is_not_looked_at(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    omsync.sync_cart(stock({"A": 5}), old_shop(), SHOP, **more)
    off = attrs.evolve(SHOP, enabled=False)
    assert omsync.sync_cart(stock({"A": 5}), new_shop(), off, **more).status == "disabled"
    plan = omsync.plan_cart(stock({"A": 5}), new_shop(), off, **more)
    assert omsync.push_plan(plan, new_shop(), ledger=ledger, clock=clock).status == "disabled"


def test_of_many_carts_only_the_other_one_fails(shell: Shell, ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    pairs = [(old_shop(), SHOP), (FakeCart({"A": 1}, destination="edi"), CartSettings(name="edi"))]
    omsync.sync_carts(stock({"A": 5}), pairs, **more)
    pairs[0] = (new_shop(), SHOP)
    refused, fine = shell("sync_carts", stock({"A": 6}), pairs, **more)
    assert (refused.status, refused.code, fine.status) == ("failed", "other_cart", "success")


def test_a_confirmed_cart_is_taken_and_the_old_one_is_the_other_from_then_on(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    old, new = old_shop(), new_shop()
    omsync.sync_cart(stock({"A": 5}), old, SHOP, **more)
    clock.pass_by(60)

    binding = shell("confirm_cart", ledger, new, SHOP, clock=clock, **WHO)

    assert (binding.what, binding.by, binding.reason) == ("the new shop", "Ann", "the shop has moved")
    assert binding.since == START + timedelta(seconds=60)
    assert shell("sync_cart", stock({"A": 5}), new, SHOP, **more).counts == {"applied": 1}
    with pytest.raises(SettingsError, match=r"confirmed by Ann \(the shop has moved\)"):
        shell("sync_cart", stock({"A": 5}), old, SHOP, **more)
    assert len(omsync.history(ledger, "shop", clock=clock)) == 2


def test_what_the_old_cart_accepted_is_not_believed_of_a_new_one_that_cannot_be_read(
    ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    quiet: dict[str, Any] = {"readable": False}
    omsync.sync_cart(stock({"A": 5, "B": 0}), old_shop(**quiet), SHOP, **more)
    clock.pass_by(60)
    omsync.confirm_cart(ledger, new_shop(**quiet), "shop", clock=clock, **WHO)

    new = new_shop(**quiet)
    omsync.sync_cart(stock({"A": 5, "B": 0}), new, SHOP, **more)
    assert new.sent == [("B", 0), ("A", 5)]
    again = new_shop(**quiet)
    omsync.sync_cart(stock({"A": 5, "B": 0}), again, SHOP, **more)
    assert again.sent == []


def test_coming_back_to_the_first_cart_believes_nothing_of_before_either(
    ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    quiet: dict[str, Any] = {"readable": False}
    for cart in (old_shop(**quiet), new_shop(**quiet), old_shop(**quiet)):
        omsync.confirm_cart(ledger, cart, "shop", clock=clock, **WHO)
        omsync.sync_cart(stock({"A": 5}), cart, SHOP, **more)
        assert cart.sent == [("A", 5)]


def test_figures_that_a_fast_clock_dated_ahead_are_the_old_carts_all_the_same(
    ledger: DictLedger, clock: FakeClock
) -> None:
    quiet: dict[str, Any] = {"readable": False}
    ahead = FakeClock()
    ahead.pass_by(300)
    first = old_shop(**quiet)
    omsync.sync_cart(stock({"A": 5}), first, SHOP, merchant=MERCHANT, ledger=ledger, clock=ahead)
    binding = omsync.confirm_cart(ledger, new_shop(**quiet), "shop", clock=clock, **WHO)
    assert binding.since > START + timedelta(seconds=300)
    clock.pass_by(301)
    new = new_shop(**quiet)
    omsync.sync_cart(stock({"A": 5}), new, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert new.sent == [("A", 5)]


def test_a_fall_of_the_old_cart_holds_nothing_in_the_new_one(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    old = old_shop()
    omsync.sync_cart(stock({"A": 5}), old, SHOP, **more)
    clock.pass_by(60)
    old.put("A", 2)
    held = omsync.sync_cart(stock({"A": 5}), old, SHOP, **more)
    assert held.of("held")[0].reason == "maybe_sold"
    new = new_shop({"A": 1})
    omsync.confirm_cart(ledger, new, "shop", clock=clock, **WHO)
    clock.pass_by(1)
    assert omsync.sync_cart(stock({"A": 5}), new, SHOP, **more).counts == {"applied": 1}


def test_the_first_push_into_a_new_cart_is_guarded_as_one(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    full = {f"A{index}": 7 for index in range(5)}
    omsync.sync_cart(stock(dict.fromkeys(full, 9)), old_shop(full), SHOP, **more)
    clock.pass_by(60)
    wiped = stock(dict.fromkeys(full, 0))
    new = new_shop(full)
    omsync.confirm_cart(ledger, new, "shop", clock=clock, **WHO)
    clock.pass_by(1)
    report = omsync.sync_cart(wiped, new, SHOP, **more)
    assert {one.reason for one in report.of("held")} == {"too_many_zeros"}


def test_an_approval_for_the_old_cart_lets_nothing_through_in_the_new_one(
    ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    strict = CartSettings(name="shop", guardrails=Guardrails(max_zeros=0))
    old, new = old_shop({"A": 3, "B": 3}), new_shop({"A": 3, "B": 3})
    report = omsync.sync_cart(stock({"A": 0, "B": 5}), old, strict, **more)
    until: dict[str, Any] = {"until": timedelta(days=9), "clock": clock}
    omsync.approve(ledger, "shop", report.digest, by="Ann", reason="sold", **until)
    omsync.confirm_cart(ledger, new, "shop", clock=clock, **WHO)
    with pytest.raises(SettingsError) as caught:
        omsync.approve(ledger, "shop", report.digest, by="Ann", reason="sold", **until)
    assert caught.value.code == "unknown_digest"
    clock.pass_by(1)
    again = omsync.sync_cart(stock({"A": 0, "B": 5}), new, strict, **more)
    assert [one.listing_sku for one in again.of("held")] == ["A"]


def test_what_the_guards_know_of_the_readings_stays(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    figures = {f"A{index:02}": 5 for index in range(30)}
    omsync.sync_cart(stock(figures), old_shop(figures), SHOP, **more)
    new = new_shop(dict.fromkeys(figures, 9))
    omsync.confirm_cart(ledger, new, "shop", clock=clock, **WHO)
    clock.pass_by(1)
    fewer = stock(dict(list(figures.items())[:20]))
    report = omsync.sync_cart(fewer, new, SHOP, **more)
    assert {one.reason for one in report.of("held")} == {"shrunken_snapshot"}


def test_everything_that_is_remembered_of_a_cart_by_its_name_is_dropped_or_told_apart() -> None:
    sources = Path(omsync.__file__).parent.glob("*.py")
    written = [path.read_text() for path in sources]
    named = {name for text in written for name in re.findall(r'place_of\("([a-z ]+)", ', text)}
    apart = {name for text in written for name in re.findall(r'"([a-z ]+) of \{[a-z.]*cart\}"', text)}
    assert named == set(OF_ONE_CART)
    assert apart == {"destination"}


def test_drift_of_a_new_cart_knows_nothing_yet(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    omsync.sync_cart(stock({"A": 5}), old_shop(), SHOP, **more)
    new = new_shop()
    omsync.confirm_cart(ledger, new, "shop", clock=clock, **WHO)
    assert omsync.drift(ledger, new, "shop", clock=clock).compared == 0


def test_a_change_that_is_confirmed_during_a_run_stops_it_where_no_lease_forbids_that(
    ledger: DictLedger, clock: FakeClock
) -> None:
    names = ("begin_run", "touch_run", "finish_run", "last_snapshot", "save_snapshot", "states", "memory")
    bare: Any = SimpleNamespace(
        record_states=ledger.record_states, **{name: getattr(ledger, name) for name in names}
    )
    omsync.sync_cart(stock({"A": 5}), old_shop(), SHOP, merchant=MERCHANT, ledger=bare, clock=clock)
    source, old = FakeSource(stock({"A": 6})), old_shop()

    def somebody_confirms(_: ReadRequest) -> None:
        omsync.confirm_cart(bare, new_shop(), "shop", clock=clock, **WHO)

    source.during = somebody_confirms
    with pytest.raises(SettingsError, match="is the new shop since"):
        omsync.sync_cart(source, old, SHOP, merchant=MERCHANT, ledger=bare, clock=clock)
    assert old.pushes == []


def test_a_cart_is_not_confirmed_while_a_run_works_on_it(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    now = clock.now()
    lease = Lease(run_id="other", holder="nas", since=now, until=now + timedelta(minutes=9))
    ledger.leases["default", "shop"] = lease
    with pytest.raises(LeaseHeldError, match="is in use by run other"):
        shell("confirm_cart", ledger, new_shop(), SHOP, clock=clock, **WHO)


def test_it_is_kept_by_sqlite_and_by_merchant(clock: FakeClock, tmp_path: Any) -> None:
    acme = MerchantSettings(name="acme", mode=PerWarehouse())
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        more: dict[str, Any] = {"ledger": ledger, "clock": clock}
        omsync.sync_cart(stock({"A": 5}), old_shop(), SHOP, merchant=MERCHANT, **more)
        omsync.sync_cart(stock({"A": 5}), new_shop(), SHOP, merchant=acme, **more)
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        with pytest.raises(SettingsError, match="'acme' is the new shop since"):
            omsync.plan_cart(stock({"A": 5}), old_shop(), SHOP, merchant=acme, ledger=ledger, clock=clock)
        binding = omsync.confirm_cart(ledger, old_shop(), SHOP, merchant=acme, clock=clock, **WHO)
        again = omsync.confirm_cart(ledger, new_shop(), SHOP, merchant="acme", clock=clock, **WHO)
        assert again.since > binding.since
        more = {"ledger": ledger, "clock": clock}
        assert omsync.sync_cart(stock({"A": 5}), new_shop(), SHOP, merchant=acme, **more).status == "success"


def test_arguments_that_were_mixed_up_are_refused(shell: Shell, ledger: DictLedger) -> None:
    for name, args in (("confirm_cart", (SHOP, new_shop())), ("confirm_source", (SHOP,))):
        with pytest.raises(WrongTypeError, match=rf"{name}\(\) takes the s"):
            shell(name, ledger, *args, **WHO)
    with pytest.raises(WrongTypeError, match="by must be text, not ''"):
        shell("confirm_cart", ledger, new_shop(), SHOP, by="", reason="why")
    with pytest.raises(WrongTypeError, match="reason must be text, not None"):
        shell("confirm_source", ledger, FakeSource(stock({})), by="Ann", reason=None)
    with pytest.raises(LedgerError):
        shell("confirm_cart", None, new_shop(), SHOP, **WHO)
    with pytest.raises(LedgerError):
        shell("confirm_source", None, FakeSource(stock({})), **WHO)
    with pytest.raises(InvalidValueError, match="is named by its settings or its name"):
        shell("confirm_cart", ledger, new_shop(), 7, **WHO)
    assert ledger.memory("default").recall("destination of shop") == {}


# Another account of the order manager.


def test_a_source_of_another_account_is_refused_before_it_is_asked_anything(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"ledger": ledger, "clock": clock}
    shell("read_inventory", NamedSource("acme at erp.example", stock({"A": 5})), MERCHANT, **more)
    staging = NamedSource("acme at staging.example", stock({"A": 9}))

    with pytest.raises(SettingsError) as caught:
        shell("read_inventory", staging, MERCHANT, **more)

    error = caught.value
    assert error.code == "other_account"
    assert error.message == (
        "The order manager of 'default' is acme at erp.example since 2026-03-02 08:00:00Z, and this source "
        "is acme at staging.example; nothing was read"
    )
    assert "confirm_source(" in error.remedy
    assert staging.requests == []
    assert ledger.last_snapshot(MERCHANT) == stock({"A": 5})
    assert ledger.runs("default")[0].code == "other_account"
    cart = old_shop()
    with pytest.raises(SettingsError, match=r"this source is acme at staging\.example"):
        shell("sync_cart", staging, cart, SHOP, merchant=MERCHANT, **more)
    assert cart.reads == []


def test_a_source_that_does_not_say_which_it_is_does_not_pass_for_one_that_did(
    ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"ledger": ledger, "clock": clock}
    omsync.read_inventory(NamedSource("acme at erp.example", stock({"A": 5})), MERCHANT, **more)
    with pytest.raises(SettingsError, match="and this source does not say which it is; nothing was read"):
        omsync.read_inventory(FakeSource(stock({"A": 5})), MERCHANT, **more)


def test_a_source_that_learns_its_name_is_bound_to_it(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"ledger": ledger, "clock": clock}
    omsync.read_inventory(FakeSource(stock({"A": 5})), MERCHANT, **more)
    omsync.confirm_source(ledger, FakeSource(stock({"A": 5})), clock=clock, **WHO)
    for _ in range(2):
        omsync.read_inventory(NamedSource("acme", stock({"A": 5})), MERCHANT, **more)
    with pytest.raises(SettingsError, match=r"is acme since .* confirmed by Ann \(the shop has moved\)"):
        omsync.read_inventory(NamedSource("other", stock({"A": 5})), MERCHANT, **more)


def test_a_name_that_nobody_had_to_confirm_leaves_the_last_reading_in_use(
    ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"ledger": ledger, "clock": clock}
    good, strange = products("A"), products("B", place="W9")
    source = NamedSource("acme", good)
    omsync.read_inventory(source, MERCHANT, **more)
    plan = omsync.plan_cart(None, old_shop({"A00": 3}), SHOP, merchant=MERCHANT, **more)
    assert len(plan.changes) == 1
    omsync.read_inventory(source, MERCHANT, **more)
    assert source.requests[1].previous == good
    with pytest.raises(SettingsError, match="looks like another account's"):
        omsync.read_inventory(NamedSource("acme", strange), MERCHANT, **more)


def test_an_origin_that_is_no_text_is_refused(ledger: DictLedger, clock: FakeClock) -> None:
    with pytest.raises(WrongTypeError, match="A source's origin is text, not 7"):
        omsync.read_inventory(NamedSource(7, stock({"A": 5})), MERCHANT, ledger=ledger, clock=clock)


def test_a_confirmed_account_is_read_anew_and_the_old_ones_reading_is_not_used_until_then(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"ledger": ledger, "clock": clock}
    omsync.read_inventory(NamedSource("erp", stock({"A": 5})), MERCHANT, **more)
    moved = NamedSource("erp 2", stock({"B": 5}))

    binding = shell("confirm_source", ledger, moved, clock=clock, **WHO)

    assert str(binding) == "erp 2 since 2026-03-02 08:00:00Z, confirmed by Ann (the shop has moved)"
    cart = old_shop()
    with pytest.raises(SnapshotError) as caught:
        shell("sync_cart", None, cart, SHOP, merchant=MERCHANT, **more)
    assert caught.value.code == "no_complete_read"
    shell("read_inventory", moved, MERCHANT, **more)
    assert moved.requests[0].previous is None
    shell("read_inventory", moved, MERCHANT, **more)
    assert moved.requests[1].previous == stock({"B": 5})
    plan = omsync.plan_cart(None, cart, SHOP, merchant=MERCHANT, **more)
    assert [skipped.master_sku for skipped in plan.lines] == ["B"]


def test_a_source_is_not_confirmed_while_it_is_read(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    now = clock.now()
    lease = Lease(run_id="other", holder="nas", since=now, until=now + timedelta(minutes=9))
    ledger.leases["default", None] = lease
    with pytest.raises(LeaseHeldError, match="is being read by run other"):
        shell("confirm_source", ledger, FakeSource(stock({})), clock=clock, **WHO)


# A reading that looks like another account's.


def test_a_reading_that_shares_nothing_with_the_last_one_is_refused_and_not_kept(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    more: dict[str, Any] = {"ledger": ledger, "clock": clock}
    good, strange = products("A"), products("B", place="W9")
    omsync.read_inventory(FakeSource(good), MERCHANT, **more)

    with pytest.raises(SettingsError) as caught:
        shell("read_inventory", FakeSource(strange), MERCHANT, **more)

    assert caught.value.code == "other_account"
    assert caught.value.message == (
        "This reading of 'default' looks like another account's: of the last good one of "
        "2026-03-02 07:30:00Z it has none of the warehouses and 0 of 20 products; it was not kept"
    )
    assert ledger.last_snapshot(MERCHANT) == good
    shell("confirm_source", ledger, FakeSource(strange), clock=clock, **WHO)
    shell("read_inventory", FakeSource(strange), MERCHANT, **more)
    assert ledger.last_snapshot(MERCHANT) == strange
    with pytest.raises(SettingsError, match="looks like another account's"):
        shell("read_inventory", FakeSource(good), MERCHANT, **more)


def test_a_snapshot_that_is_handed_over_is_the_callers_word(ledger: DictLedger, clock: FakeClock) -> None:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    omsync.read_inventory(FakeSource(products("A")), MERCHANT, ledger=ledger, clock=clock)
    report = omsync.sync_cart(products("B", place="W9"), old_shop({"B00": 1}), SHOP, **more)
    assert "applied" in report.counts


@pytest.mark.parametrize(
    ("last", "reading", "another"),
    [
        (products("A"), products("B", place="W9"), True),
        (products("A"), products("B"), False),  # a warehouse is still there
        (products("A", 19), products("B", place="W9"), False),  # too few to tell
        (products("A"), InventorySnapshot(taken_at=START), False),  # empty: the guards are about that
        (products("A"), stock({"A00": 1, "A01": 1, "C": 1}, places=("W9",)), False),  # a tenth
        (products("A"), stock({"A00": 1, "C": 1}, places=("W9",)), True),  # less
    ],
)
def test_a_reading_is_anothers_when_no_place_and_hardly_a_product_is_left(
    last: InventorySnapshot, reading: InventorySnapshot, another: bool
) -> None:
    assert is_another_account(last, reading) is another


def test_a_change_of_mode_is_no_change_of_account(ledger: DictLedger, clock: FakeClock) -> None:
    channels = InventorySnapshot(
        taken_at=START,
        scope="channel",
        sales_channels=[SalesChannel(id="44", name="Woo")],
        skus=[Sku(master_sku="B")],
    )
    omsync.read_inventory(FakeSource(products("A")), MERCHANT, ledger=ledger, clock=clock)
    by_channel = MerchantSettings(mode=PerSalesChannel())
    omsync.read_inventory(FakeSource(channels), by_channel, ledger=ledger, clock=clock)
    assert ledger.last_snapshot(MERCHANT) == channels


def test_sales_channels_are_called_so() -> None:
    def channels(prefix: str, place: str) -> InventorySnapshot:
        return InventorySnapshot(
            taken_at=START,
            scope="channel",
            sales_channels=[SalesChannel(id=place, name=place)],
            skus=[Sku(master_sku=f"{prefix}{index}") for index in range(20)],
        )

    ledger, by_channel = DictLedger(), MerchantSettings(mode=PerSalesChannel())
    more: dict[str, Any] = {"ledger": ledger, "clock": FakeClock()}
    omsync.read_inventory(FakeSource(channels("A", "1")), by_channel, **more)
    with pytest.raises(SettingsError, match="it has none of the sales channels and 0 of 20 products"):
        omsync.read_inventory(FakeSource(channels("B", "2")), by_channel, **more)


# Names.


def test_a_change_of_credentials_is_no_change_of_account() -> None:
    def extensiv(token: str, **more: Any) -> str:
        return ExtensivOrderManager(token, **more).origin

    assert extensiv("one") == extensiv("two") == "extensiv at api.skubana.com"
    assert extensiv("one", company="acme") == "extensiv at api.skubana.com, acme"
    assert extensiv("one", base_url="https://api.demo.skubana.com/") == "extensiv at api.demo.skubana.com"
    tryton = Tryton("https://erp.example/", "acme", user="omsync", password="secret")
    assert tryton.origin == "tryton at erp.example, database acme"
    today = IntegrationManager(api_user="u1", api_key="k1")
    assert today.origin == "integration manager at api.cartrover.com, user u1"


def test_a_file_is_the_same_cart_by_every_way_to_it(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    ways = [
        "stock.csv",
        "./stock.csv",
        "../shop/stock.csv",
        folder / "stock.csv",
        folder / ".." / "shop/stock.csv",
    ]
    assert {CsvCart(way).capabilities.destination for way in ways} == {"file shop/stock.csv"}
    monkeypatch.chdir(tmp_path)
    assert CsvCart("shop/stock.csv").capabilities.destination == "file shop/stock.csv"


# The pure part.


def binding(**given: Any) -> Binding:
    return Binding(**{"what": "a shop", "since": START, "by": "Ann", "reason": "why", **given})


def state(**given: Any) -> ListingState:
    return ListingState(**{"listing_sku": "A", **given})


def test_of_a_state_only_the_figures_since_the_confirmation_are_left() -> None:
    before, after = START - timedelta(hours=1), START + timedelta(hours=1)
    mixed = state(
        desired=1, desired_at=after, desired_since=before, desired_run="r2",
        sent=2, sent_at=before, sent_run="r1",
        accepted=3, accepted_at=before, accepted_run="r1",
        observed=4, observed_at=before, observed_since=before, observed_run="r1",
    )  # fmt: skip
    seen = state(listing_sku="B", observed=4, observed_at=START, observed_since=START, observed_run="r2")
    undated = state(listing_sku="C", accepted=3)
    assert states_since([mixed, seen, undated], binding()) == [
        state(desired=1, desired_at=after, desired_since=START, desired_run="r2"),
        seen,
    ]
    for trusting in (None, binding(by="")):
        assert states_since([mixed, seen, undated], trusting) == [mixed, seen, undated]


def test_a_new_binding_begins_after_all_that_is_known_of_the_old_one() -> None:
    tick = timedelta(microseconds=1)
    assert binding_moment(START, None) == START
    assert binding_moment(START, binding()) == START + tick
    late = START + timedelta(minutes=5)
    assert binding_moment(START, None, [state(sent=1, sent_at=late), state()]) == late + tick
    hour = START + timedelta(hours=1)
    assert binding_moment(hour, binding(), [state(desired=1, desired_at=late)]) == hour


def test_a_binding_says_what_it_is_in_words() -> None:
    assert str(binding()) == "a shop since 2026-03-02 08:00:00Z, confirmed by Ann (why)"
    assert str(binding(what="", by="")) == "without a name since 2026-03-02 08:00:00Z"
