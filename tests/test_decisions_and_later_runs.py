"""What a person decided of one plan, and what later runs make of it: no further than the person looked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest
from fake_memory import Crash
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, FakeSource, Shell, stock

from omsync import (
    Alias,
    Approval,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
    StockLevel,
    SyncPlan,
    SyncReport,
    Warehouse,
    approve,
    confirm_cart,
    confirm_source,
    load_plan,
    plan_put_back,
    quarantined,
)
from omsync.errors import SettingsError
from omsync.views.known import HeldRow, known_of

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
HOUR = 3600
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True))
CARTS = ("cas", "version", "blind")
Figures = Mapping[Any, int] | InventorySnapshot


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@attrs.define
class Desk:
    """A shop, its ledger and the time; the order manager's figures come with each call, read that moment."""

    cart: FakeCart
    shell: Shell = attrs.field(factory=Blocking)
    settings: CartSettings = SHOP
    ledger: Any = attrs.field(factory=DictLedger)
    clock: FakeClock = attrs.field(factory=FakeClock)

    @property
    def _kept(self) -> dict[str, Any]:
        return {"ledger": self.ledger, "clock": self.clock}

    def read(self, figures: Figures) -> InventorySnapshot:
        taken = figures if isinstance(figures, InventorySnapshot) else stock(figures)
        return attrs.evolve(taken, taken_at=self.clock.now())

    def plan(self, figures: Figures, cart: FakeCart | None = None) -> SyncPlan:
        more: dict[str, Any] = {"merchant": MERCHANT, **self._kept}
        plan: SyncPlan = self.shell.plan_cart(self.read(figures), cart or self.cart, self.settings, **more)
        return plan

    def push(self, plan: SyncPlan, **more: Any) -> SyncReport:
        report: SyncReport = self.shell.push_plan(plan, self.cart, **self._kept, **more)
        return report

    def sync(self, source: Any, **more: Any) -> SyncReport:
        more |= {"merchant": MERCHANT, **self._kept}
        given = source if hasattr(source, "read") else self.read(source)
        report: SyncReport = self.shell.sync_cart(given, self.cart, self.settings, **more)
        return report

    def approve(self, digest: str, *, hours: float = 24, **more: Any) -> Approval:
        told: dict[str, Any] = {"by": "Ann", "reason": "the pallet came", "until": timedelta(hours=hours)}
        return approve(self.ledger, "shop", digest, clock=self.clock, **told, **more)

    @property
    def held(self) -> tuple[HeldRow, ...]:
        """What a person is shown as held."""
        runs = self.ledger.runs("default", "shop")
        return known_of(self.ledger, "default", "shop", runs, now=self.clock.now()).held

    def dies(self, source: FakeSource, *, at_push: int) -> None:
        """Let a run die in a push, before its row is written; the ledger is left as it was then."""
        left: list[Any] = []

        def before(number: int) -> None:
            if number == at_push:
                left.append(copy.deepcopy(self.ledger))
                raise Crash

        self.cart.before_push = before
        with pytest.raises(Crash):
            self.sync(source)
        self.cart.before_push = lambda _: None
        (self.ledger,) = left
        self.ledger.leases.clear()


def ends(report: SyncReport) -> dict[str | None, str]:
    """Give how each listing ended, in one word: its reason, or its outcome where that says it all."""
    return {one.listing_sku: one.reason or one.outcome for one in report.outcomes}


# A plan that is pushed when later runs know better.


@pytest.mark.parametrize("compares", CARTS)
def test_a_plan_that_is_pushed_twice_gives_nothing_back_that_was_sold_in_between(
    shell: Shell, compares: str
) -> None:
    """It was raised from 3 to 5, and sold 2: it shows what it did when the plan was made."""
    desk = Desk(FakeCart({"MUG": 3, "CUP": 9}, compare_and_set=compares), shell)
    plan = desk.plan({"MUG": 5, "CUP": 8})
    desk.clock.pass_by(60)
    assert desk.push(plan).status == "success"
    desk.clock.pass_by(60)
    desk.cart.put("MUG", 3)
    desk.cart.put("CUP", 9)

    again = desk.push(plan)

    assert ends(again) == {"MUG": "moved_since_plan", "CUP": "applied"}, "less is safe, and still goes out"
    assert desk.cart.shows("MUG") == 3
    (mug,) = [one for one in again.outcomes if one.listing_sku == "MUG"]
    assert "accepted 5 since it was planned and shows 3 now, as after a sale" in mug.message
    assert ends(desk.sync({"MUG": 5, "CUP": 8}))["MUG"] == "maybe_sold"


def test_a_cart_that_shows_later_what_it_accepted_is_told_again() -> None:
    desk = Desk(FakeCart({"MUG": 3}, completion="eventual", rows={"MUG": "silent"}))
    plan = desk.plan({"MUG": 5})
    desk.clock.pass_by(60)
    desk.push(plan)
    desk.cart.put("MUG", 3)
    assert ends(desk.push(plan)) == {"MUG": "accepted"}


@pytest.mark.parametrize("compares", CARTS)
def test_an_old_plan_offers_no_more_than_a_later_run_found(shell: Shell, compares: str) -> None:
    desk = Desk(FakeCart({"MUG": 3, "CUP": 9, "JUG": 7}, compare_and_set=compares), shell)
    old = load_plan(desk.plan({"MUG": 5, "CUP": 8, "JUG": 7}).to_json())
    desk.clock.pass_by(HOUR)
    assert desk.sync({"MUG": 3, "CUP": 9, "JUG": 7}).counts == {"unchanged": 3}
    desk.clock.pass_by(60)

    for _ in range(2):
        report = desk.push(old, approve=old.digest)
        assert ends(report) == {"MUG": "moved_since_plan", "CUP": "applied", "JUG": "unchanged"}
        desk.cart.put("CUP", 9)
        desk.clock.pass_by(60)
    assert desk.cart.shows("MUG") == 3
    assert "A later run wanted it to show 3; plan again." in {one.message for one in report.outcomes}
    assert desk.ledger.state("MUG").desired == 3, "what the later run wanted stands"


def test_less_goes_out_also_where_a_later_run_wanted_more() -> None:
    """The old plan may be the one with the newer figures: a run that reads the cart for long notes late."""
    desk = Desk(FakeCart({"MUG": 9}))
    old = desk.plan({"MUG": 2})
    desk.clock.pass_by(60)
    assert desk.sync({"MUG": 12}).counts == {"applied": 1}
    desk.cart.put("MUG", 9)
    assert ends(desk.push(old)) == {"MUG": "applied"}


def test_of_a_cart_that_cannot_be_read_too() -> None:
    desk = Desk(FakeCart({}, readable=False))
    old = desk.plan({"MUG": 10})
    desk.clock.pass_by(HOUR)
    desk.sync({"MUG": 2})
    assert ends(desk.push(old)) == {"MUG": "moved_since_plan"}
    assert desk.cart.sent == [("MUG", 2)]


def test_a_later_run_says_nothing_of_what_is_put_back() -> None:
    """Whoever puts a cart back wants what it showed then, whatever the order manager has."""
    desk = Desk(FakeCart({"MUG": 9}))
    desk.sync({"MUG": 5})
    desk.clock.pass_by(60)
    back = plan_put_back(desk.ledger, desk.cart, SHOP, clock=desk.clock)
    desk.clock.pass_by(60)
    desk.cart.put("MUG", 6)  # somebody typed it, and a run wrote 5 once more
    assert desk.sync({"MUG": 5}).counts == {"applied": 1}
    assert ends(desk.push(back)) == {"MUG": "applied"}
    desk.clock.pass_by(60)
    desk.cart.put("MUG", 5)
    assert ends(desk.push(back)) == {"MUG": "moved_since_plan"}, "it has sold 4 since it was put back"


def test_a_run_that_goes_on_for_a_dead_one_gives_nothing_back_that_was_sold_in_between(shell: Shell) -> None:
    desk = Desk(FakeCart({"MUG": 3, "URN": 5}, max_rows=1, compare_and_set="cas"), shell)
    source = FakeSource(desk.read({"MUG": 5, "URN": 9}))
    push = desk.cart.push

    def slowly(changes: Any, /) -> Any:
        desk.clock.pass_by(1)
        return push(changes)

    desk.cart.push = slowly  # type: ignore[method-assign]  # a push takes time
    desk.dies(source, at_push=2)
    assert (desk.cart.shows("MUG"), desk.cart.shows("URN")) == (5, 5)
    desk.cart.put("MUG", 3)
    desk.clock.pass_by(1200)

    report = desk.sync(source)

    assert {one.reason for one in report.notices} >= {"resumed"}
    assert ends(report) == {"MUG": "moved_since_plan", "URN": "applied"}
    assert desk.cart.shows("MUG") == 3


# An approval, no further than the person looked.


def test_an_approval_of_a_trial_cart_s_plan_lets_nothing_through_in_the_shop(shell: Shell) -> None:
    """Nothing was pushed yet, so the name stands for no cart, and the shop may be the first one."""
    trial = FakeCart({"MUG": 3}, destination="the trial shop")
    desk = Desk(FakeCart({"MUG": 3}, destination="the shop"), shell)
    desk.approve(desk.plan({"MUG": 5000}, trial).digest)
    assert [one.approved_by for one in desk.held] == ["Ann"]
    desk.clock.pass_by(60)

    assert ends(desk.sync({"MUG": 5000})) == {"MUG": "sharp_rise"}
    assert [one.approved_by for one in desk.held] == [""]


def test_an_approval_by_a_script_counts_for_its_cart_only() -> None:
    desk = Desk(FakeCart({"MUG": 3}, destination="the shop"))
    plan = desk.plan({"MUG": 5000})
    desk.push(plan, approve=plan.digest)
    (text,) = desk.ledger.memory("default").recall("approvals of shop").values()
    assert '"destination": "the shop"' in text.replace('":"', '": "')


def test_an_approval_says_nothing_of_a_listing_that_stands_for_another_product_by_now(shell: Shell) -> None:
    def listing_of(product: str) -> InventorySnapshot:
        alias = Alias(name="web", listing_sku="MUG", master_sku=product)
        return stock({"RED-MUG": 5000, "BLUE-MUG": 4500}, aliases=[alias])

    desk = Desk(FakeCart({"MUG": 3}), shell, CartSettings(name="shop", alias="web"))
    plan = desk.plan(listing_of("RED-MUG"))
    desk.approve(plan.digest)

    assert ends(desk.sync(listing_of("BLUE-MUG")))["MUG"] == "sharp_rise"
    assert desk.cart.shows("MUG") == 3
    assert ends(desk.sync(listing_of("RED-MUG")))["MUG"] == "applied"


def test_the_digest_names_the_product_of_what_is_held() -> None:
    def listing_of(product: str) -> InventorySnapshot:
        alias = Alias(name="web", listing_sku="MUG", master_sku=product)
        return stock({"RED-MUG": 5000, "BLUE-MUG": 5000}, aliases=[alias])

    desk = Desk(FakeCart({"MUG": 3}), settings=CartSettings(name="shop", alias="web"))
    looked_at = desk.plan(listing_of("RED-MUG"))
    assert desk.plan(listing_of("BLUE-MUG")).digest != looked_at.digest
    approval = desk.approve(looked_at.digest)
    assert [row.master_sku for row in approval.rows] == ["RED-MUG"]


def test_two_approvals_of_one_moment_both_count() -> None:
    desk = Desk(FakeCart({"MUG": 3, "URN": 3}))
    digest = desk.plan({"MUG": 5000, "URN": 6000}).digest
    for listing in ("MUG", "URN"):
        desk.approve(digest, rows=[(listing, None)])
    assert desk.sync({"MUG": 5000, "URN": 6000}).counts == {"applied": 2}


def test_a_plan_that_went_by_an_approval_holds_it_when_it_is_pushed_after_its_end(shell: Shell) -> None:
    desk = Desk(FakeCart({"MUG": 3, "CUP": 4}), shell)
    figures = {"MUG": 5000, "CUP": 5}
    desk.approve(desk.plan(figures).digest, hours=1)
    plan = load_plan(desk.plan(figures).to_json())
    assert [one.action for one in plan.lines] == ["change", "change"]
    desk.clock.pass_by(HOUR)

    late = desk.push(plan)

    assert ends(late) == {"MUG": "approval_ended", "CUP": "applied"}
    assert (late.status, desk.cart.shows("MUG")) == ("partial", 3)
    (said,) = [one for one in late.notices if one.reason == "approval_ended"]
    assert said.message == "the approval of 1 listing ended before the plan was pushed; plan again"
    assert said.entries == ("MUG",)
    assert ends(desk.sync(figures))["MUG"] == "sharp_rise"


def test_a_second_approval_goes_on_where_the_first_ended() -> None:
    desk = Desk(FakeCart({"MUG": 3}))
    digest = desk.plan({"MUG": 5000}).digest
    desk.approve(digest, hours=1)
    plan = desk.plan({"MUG": 5000})
    desk.approve(digest, hours=5)
    desk.clock.pass_by(2 * HOUR)
    assert ends(desk.push(plan)) == {"MUG": "applied"}


def test_a_run_that_goes_on_for_a_dead_one_holds_what_was_approved_until_before(shell: Shell) -> None:
    desk = Desk(FakeCart({"CUP": 5, "MUG": 3}, max_rows=1), shell)
    source = FakeSource(desk.read({"CUP": 4, "MUG": 5000}))
    desk.approve(desk.plan({"CUP": 4, "MUG": 5000}).digest, hours=0.2)
    desk.dies(source, at_push=1)
    desk.clock.pass_by(1200)

    report = desk.sync(source)

    assert ends(report) == {"CUP": "applied", "MUG": "approval_ended"}
    assert desk.cart.shows("MUG") == 3


def test_what_a_run_that_goes_on_holds_can_be_approved_by_the_digest_that_it_names(shell: Shell) -> None:
    desk = Desk(FakeCart({"CUP": 5, "MUG": 3, "URN": 3}, max_rows=1), shell)
    source = FakeSource(desk.read({"CUP": 4, "MUG": 5000, "URN": 6000}))
    desk.dies(source, at_push=1)
    desk.approve(desk.held[0].digest, rows=[("MUG", None)])
    desk.clock.pass_by(1200)

    report = desk.sync(source)
    desk.approve(report.digest)

    assert ends(report) == {"CUP": "applied", "MUG": "applied", "URN": "sharp_rise"}
    assert ends(desk.sync({"CUP": 4, "MUG": 5000, "URN": 6000}))["URN"] == "applied"


def test_also_after_it_died_in_its_turn() -> None:
    desk = Desk(FakeCart({"CUP": 5, "MUG": 3, "URN": 3}, max_rows=1))
    source = FakeSource(desk.read({"CUP": 4, "MUG": 5000, "URN": 6000}))
    desk.dies(source, at_push=1)
    desk.approve(desk.held[0].digest, rows=[("MUG", None)])
    desk.clock.pass_by(600)
    desk.dies(source, at_push=2)
    desk.clock.pass_by(600)

    report = desk.sync(source)
    desk.approve(report.digest)

    assert ends(report) == {"CUP": "applied", "MUG": "applied", "URN": "sharp_rise"}


def test_a_new_warehouse_that_the_plan_did_not_name_is_not_known_by_approving_it(shell: Shell) -> None:
    """It had no stock record yet, so nobody was told of it."""

    def read(cup_there: int | None) -> InventorySnapshot:
        owned = stock({"MUG": 5000, "CUP": 5})
        there = [] if cup_there is None else [StockLevel(master_sku="CUP", location_id="W9", available=40)]
        return attrs.evolve(
            owned,
            warehouses=[*owned.warehouses, Warehouse(id="W9", name="Somebody's")],
            levels=[*owned.levels, *there],
        )

    desk = Desk(FakeCart({"MUG": 3, "CUP": 5}), shell)
    assert desk.sync({"MUG": 3, "CUP": 5}).status == "success"
    plan = desk.plan(read(None))
    assert {one.reason for one in plan.held} == {"sharp_rise"}
    assert "Somebody's" not in str(plan)
    desk.approve(plan.digest)

    assert ends(desk.sync(read(40))) == {"MUG": "applied", "CUP": "new_warehouse"}
    desk.approve(desk.plan(read(40)).digest)
    assert ends(desk.sync(read(40))) == {"MUG": "unchanged", "CUP": "applied"}, "now it was named"


def test_a_reading_that_is_not_whole_does_not_become_the_good_one_by_approving_what_says_nothing_of_it(
    shell: Shell,
) -> None:
    """The mug shows 5 at most, so at first nobody misses what the second warehouse had."""

    def read(mugs: int, urns: int, *, second: bool) -> InventorySnapshot:
        owned = stock({"MUG": mugs, "URN": urns})
        there = [StockLevel(master_sku="MUG", location_id="W2", available=50)] if second else []
        return attrs.evolve(
            owned, warehouses=[*owned.warehouses, Warehouse(id="W2")], levels=[*owned.levels, *there]
        )

    capped = {"MUG": SkuOverride(rules=QuantityRules(max_quantity=5))}
    desk = Desk(FakeCart({"MUG": 5, "URN": 3}), shell, CartSettings(name="shop", overrides=capped))
    looked_at = desk.plan(read(8, 5000, second=True))
    desk.clock.pass_by(60)
    assert desk.plan(read(8, 5000, second=False)).digest == looked_at.digest
    desk.approve(looked_at.digest)

    late = desk.sync(read(2, 5000, second=False))

    assert ends(late) == {"MUG": "partial_snapshot", "URN": "applied"}
    desk.approve(late.digest)
    assert ends(desk.sync(read(1, 5000, second=False)))["MUG"] == "applied", "now the plan said so"


def test_approving_an_older_plan_takes_no_newer_reading_back() -> None:
    desk = Desk(FakeCart({"MUG": 3}), settings=CartSettings(name="shop", only={"MUG"}))
    small = {f"P{index}": 5 for index in range(30)}
    large = {f"P{index}": 5 for index in range(60)}
    old = desk.plan({**small, "MUG": 5000})
    desk.clock.pass_by(60)
    desk.sync({**large, "MUG": 3})
    desk.approve(old.digest)

    assert ends(desk.sync({**small, "MUG": 2}))["MUG"] == "shrunken_snapshot"


def test_approving_a_new_warehouse_does_not_say_that_a_shrunken_reading_is_whole() -> None:
    def read(products: int, mugs: int, there: int | None = None) -> InventorySnapshot:
        owned = stock({"MUG": mugs, **{f"P{index}": 5 for index in range(products)}})
        levels = [] if there is None else [StockLevel(master_sku="MUG", location_id="W9", available=there)]
        ours = [Warehouse(id="W9", name="Ours")] if levels else []
        return attrs.evolve(owned, warehouses=[*owned.warehouses, *ours], levels=[*owned.levels, *levels])

    desk = Desk(FakeCart({"MUG": 3}), settings=CartSettings(name="shop", only={"MUG"}))
    desk.sync(read(60, 3))
    shrunken = desk.sync(read(30, 3, 4))
    assert ends(shrunken)["MUG"] == "new_warehouse"
    desk.approve(shrunken.digest)
    assert ends(desk.sync(read(30, 3, 4)))["MUG"] == "applied"

    assert ends(desk.sync(read(30, 1, 4)))["MUG"] == "shrunken_snapshot"


# What was there before.


def test_a_look_before_the_first_push_makes_no_cart_a_known_one(shell: Shell) -> None:
    """The plan was right and nobody pushed it; then a setting went wrong."""
    desk = Desk(FakeCart({"MUG": 7, "CUP": 7, "URN": 7}), shell)
    desk.plan({"MUG": 9, "CUP": 9, "URN": 9})

    wiped = desk.sync({"MUG": 0, "CUP": 0, "URN": 0})

    assert set(ends(wiped).values()) == {"too_many_zeros"}
    assert desk.sync({"MUG": 7, "CUP": 7, "URN": 7}).counts == {"unchanged": 3}
    assert desk.sync({"MUG": 0, "CUP": 0, "URN": 0}).counts == {"applied": 3}, (
        "a cart that was right is known"
    )


def test_a_plan_for_the_shop_that_was_there_before_is_not_pushed(shell: Shell) -> None:
    """The new shop at this address cannot be read, and shows nothing of what the old one accepted."""
    desk = Desk(FakeCart({}, readable=False), shell)
    desk.sync({"MUG": 4, "CUP": 7})
    desk.clock.pass_by(60)
    plan = desk.plan({"MUG": 4, "CUP": 6})
    desk.clock.pass_by(60)
    confirm_cart(desk.ledger, desk.cart, "shop", by="Ann", reason="set up anew", clock=desk.clock)
    desk.cart.pushes.clear()

    with pytest.raises(SettingsError, match="was made before it was fake cart since") as caught:
        desk.push(plan, approve=plan.digest)

    assert caught.value.code == "outdated_plan"
    assert desk.cart.pushes == []
    desk.clock.pass_by(60)
    assert desk.push(desk.plan({"MUG": 4, "CUP": 6})).counts == {"applied": 2}


class Account(FakeSource):
    """A source that says which account it is."""

    origin = "the live account"


def test_nothing_that_was_decided_on_another_account_s_figures_reaches_the_shop() -> None:
    desk = Desk(FakeCart({"MUG": 3}))
    digest = desk.plan({"MUG": 5000}).digest
    desk.approve(digest)
    trial = desk.plan({"MUG": 5000})
    desk.clock.pass_by(60)
    live = Account(desk.read({"MUG": 4000}))
    confirm_source(desk.ledger, live, by="Ann", reason="we are live", clock=desk.clock)

    with pytest.raises(SettingsError, match="was made before it was the live account since") as late:
        desk.push(trial)
    with pytest.raises(SettingsError) as unknown:
        desk.approve(digest)

    assert (late.value.code, unknown.value.code) == ("outdated_plan", "unknown_digest")
    assert desk.held == ()
    assert ends(desk.sync(live)) == {"MUG": "sharp_rise"}
    assert desk.cart.shows("MUG") == 3


def test_what_is_put_back_lets_nothing_else_out_of_quarantine(shell: Shell) -> None:
    desk = Desk(FakeCart({"BAD": 3, "MUG": 10}, rows={"BAD": "rejected"}), shell)
    for sold in range(3):
        desk.clock.pass_by(HOUR)
        desk.sync({"BAD": 9, "MUG": 9 - sold})
    back = plan_put_back(desk.ledger, desk.cart, SHOP, clock=desk.clock)
    assert [one.listing_sku for one in back.lines] == ["MUG"]
    desk.push(back)
    assert [one.listing_sku for one in quarantined(desk.ledger, "shop", clock=desk.clock)] == ["BAD"]
