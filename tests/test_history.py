"""Why did the shop show 7 last Tuesday? What was sent, the reply, who approved it, and why."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from fake_ports import (
    START,
    Awaiting,
    Blocking,
    DictLedger,
    FakeCart,
    FakeClock,
    Shelf,
    Shell,
    stock,
)

from omsync import (
    CartSettings,
    Frequency,
    History,
    HistoryEntry,
    MerchantSettings,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
    SyncPlan,
    approve,
    history,
    load_plan,
    plan_cart,
    push_plan,
    sync_cart,
)
from omsync.chronicle import settings_digest
from omsync.errors import (
    InvalidValueError,
    LedgerError,
    LostAnswerError,
    NoExplanationError,
    RefusedError,
    SettingsError,
    UnreachableError,
    WrongTypeError,
)
from omsync.ledgers.sqlite import SqliteLedger

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger() -> DictLedger:
    return DictLedger()


def replies(ledger: DictLedger) -> dict[str, tuple[str, str]]:
    return {one.listing_sku: (one.status, one.reason) for one in history(ledger, SHOP)}


# What is kept.


def test_each_quantity_sent_is_kept_with_its_reply_its_run_and_its_reason(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 7})
    report = shell.sync_cart(
        stock({"A": 5, "B": 7}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
    )

    (entry,) = shell.history(ledger, SHOP)
    assert (entry.listing_sku, entry.shown, entry.quantity, entry.echo) == ("A", 3, 5, 5)
    assert (entry.sent_at, entry.status, entry.approved_by) == (START, "accepted", "")
    assert (entry.run_id, entry.plan_digest) == (report.run_id, report.digest)
    assert entry.settings_digest == settings_digest(MERCHANT, SHOP)
    assert entry.summary == report.explain("A").summary
    assert History.explain(entry) == report.explain("A")
    assert History.explain(entry).evaluate() == 5


def test_it_is_written_down_before_it_goes_out_and_stays_without_an_answer(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3})
    before: list[HistoryEntry] = []

    def die(_: int) -> None:
        before.extend(history(ledger, SHOP))
        raise KeyboardInterrupt

    cart.before_push = die
    with pytest.raises(KeyboardInterrupt):
        sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert [one.status for one in before] == ["sent"]
    assert replies(ledger) == {"A": ("sent", "")}
    assert "no answer is known" in str(history(ledger, SHOP))


@pytest.mark.parametrize("how", ["rejected", "conflict", "pending", "skipped"])
def test_whatever_the_cart_replies_is_kept(shell: Shell, ledger: DictLedger, how: str) -> None:
    cart = FakeCart({"A": 3}, rows={"A": how})
    shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    (entry,) = history(ledger, SHOP)
    assert (entry.status, entry.message, entry.echo) == (how, f"the cart says {how}", None)


def test_what_is_known_after_an_error_is_kept_too(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart(
        {"A": 3, "B": 3, "C": 3},
        max_rows=1,
        calls={1: (LostAnswerError("lost"), True), 2: (UnreachableError("down"), False)},
    )
    shell.sync_cart(stock({"A": 5, "B": 5, "C": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert replies(ledger) == {"A": ("pending", "answer_unknown"), "B": ("skipped", "not_sent")}


def test_rows_of_a_refused_batch_are_told_by_the_push_that_settled_them(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart(
        {"A": 3, "B": 3},
        calls={1: (RefusedError("bad row"), False), 3: (RefusedError("bad row"), False)},
    )
    shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert replies(ledger) == {"A": ("accepted", ""), "B": ("rejected", "refused")}


def test_rows_that_did_not_go_out_since_settings_were_wrong_are_said_not_to_have(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 3}, calls={1: (SettingsError("no such shop"), False)})
    with pytest.raises(SettingsError):
        shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert replies(ledger) == {"A": ("skipped", "not_sent")}


def test_units_on_hand_are_told_as_what_a_shopper_may_buy(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"A": Shelf(quantity=6, allocated=4)}, quantity_meaning="on_hand")
    shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    (entry,) = history(ledger, SHOP)
    assert cart.sent == [("A", 9)]
    assert (entry.shown, entry.quantity, entry.echo) == (2, 5, 5)


def test_what_is_only_repeated_is_no_history(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"A": 5, "B": 3}, contents="full", max_rows=None)
    shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert cart.sent == [("B", 5), ("A", 5)]
    assert set(replies(ledger)) == {"B"}


def test_a_plan_that_left_its_process_carries_its_reasons_and_its_settings(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3})
    plan = plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    push_plan(load_plan(plan.to_json()), cart, ledger=ledger, clock=clock)
    (entry,) = history(ledger, SHOP)
    assert entry.settings_digest == settings_digest(MERCHANT, SHOP)
    assert History.explain(entry).evaluate() == 5


def test_a_plan_without_reasons_is_pushed_all_the_same(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3})
    plan = plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    push_plan(attrs.evolve(plan, allocation=None), cart, ledger=ledger, clock=clock)
    (entry,) = history(ledger, SHOP)
    assert (entry.status, entry.summary, entry.explanation) == ("accepted", "", "")
    with pytest.raises(NoExplanationError, match="No explanation was kept") as caught:
        History.explain(entry)
    assert caught.value.remedy


# Who approved.


def held_plan(cart: FakeCart, ledger: DictLedger, clock: FakeClock) -> SyncPlan:
    figures = {f"S{number:02}": 0 for number in range(30)}
    plan = plan_cart(stock(figures), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert len(plan.held) == 30
    return plan


def test_who_let_a_row_through_is_kept(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({f"S{number:02}": 5 for number in range(30)})
    plan = held_plan(cart, ledger, clock)
    approve(ledger, SHOP, plan.digest, by="Mary", reason="closing", until=timedelta(days=1), clock=clock)
    push_plan(plan, cart, ledger=ledger, clock=clock)
    assert {one.approved_by for one in history(ledger, SHOP)} == {"Mary"}
    assert "approved by Mary" in str(history(ledger, SHOP, "S00"))


def test_a_script_that_approves_by_the_digest_is_named_by_it(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({f"S{number:02}": 5 for number in range(30)})
    plan = held_plan(cart, ledger, clock)
    push_plan(plan, cart, ledger=ledger, approve=plan.digest, clock=clock)
    assert {one.approved_by for one in history(ledger, SHOP)} == {f"the plan's digest {plan.digest}"}


# How it is asked.


def test_it_is_asked_by_listing_and_since_when(shell: Shell, ledger: DictLedger, clock: FakeClock) -> None:
    for figure in (6, 5, 4):
        cart = FakeCart({"A": 9, "B": 9})
        sync_cart(stock({"A": figure, "B": 3}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
        clock.pass_by(12 * 3600)
    assert [one.quantity for one in shell.history(ledger, SHOP, "A", clock=clock)] == [6, 5, 4]
    for since in (timedelta(hours=13), clock.now() - timedelta(hours=13)):
        assert [one.quantity for one in shell.history(ledger, "shop", "A", since, clock=clock)] == [4]
    assert len(shell.history(ledger, SHOP, clock=clock)) == 6
    assert len(shell.history(ledger, SHOP, merchant="another")) == 0
    assert str(history(ledger, "edi")) == "default / edi: nothing was sent"


def test_it_is_printed_as_a_person_asks_it(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, rows={"A": "rejected"})
    sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    found = history(ledger, SHOP, "A")
    assert str(found) == (
        "2026-03-02 08:00:00Z A: sent 5 (it showed 3), rejected (the cart says rejected)\n"
        "  5 = 5 available in Warehouse W1 (W1)"
    )
    assert repr(found) == "<History of default / shop: 1 quantity>"
    entry = attrs.evolve(found.entries[0], location_id="york", echo=3, reason="too_many", shown=None)
    assert "A at york: sent 5, rejected, showing 3 (too many: the cart says rejected)" in str(
        attrs.evolve(found, entries=[entry])
    )


def test_it_is_exported_as_csv_and_no_cell_is_run_by_a_spreadsheet(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"=cmd()": Shelf(quantity=-3), "B": 3}, rows={"B": "silent"}, completion="eventual")
    sync_cart(stock({"=cmd()": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    rows = list(csv.DictReader(io.StringIO(history(ledger, SHOP).to_csv())))
    assert {row["listing_sku"] for row in rows} == {"B", "'=cmd()"}
    (evil,) = [row for row in rows if row["listing_sku"].startswith("'")]
    (quiet,) = [row for row in rows if row["listing_sku"] == "B"]
    assert (evil["sent_at"], evil["quantity"], evil["shown"], evil["echo"]) == (
        "2026-03-02T08:00:00+00:00",
        "5",
        "-3",
        "5",
    )
    assert (quiet["echo"], quiet["location_id"], quiet["status"]) == ("", "", "accepted")
    assert '"quantity":5' in quiet["explanation"]


def test_an_explanation_of_another_omsync_is_still_there_to_be_read() -> None:
    entry = HistoryEntry(
        run_id="r", listing_sku="A", sent_at=START, quantity=5, explanation='{"derivation":"older"}'
    )
    with pytest.raises(NoExplanationError, match="not of this omsync") as caught:
        History.explain(entry)
    assert caught.value.code == "not_readable"


def test_a_ledger_that_keeps_no_history_says_so(shell: Shell) -> None:
    bare: Any = type("Bare", (), {"begin_run": None})()
    with pytest.raises(LedgerError, match="keeps no history") as caught:
        shell.history(bare, SHOP)
    assert caught.value.code == "no_history"
    with pytest.raises(LedgerError) as caught:
        shell.history(None, SHOP)
    assert caught.value.code == "no_ledger"


def test_wrong_arguments_are_refused_with_what_to_write(ledger: DictLedger) -> None:
    wrong: Any = 7
    with pytest.raises(WrongTypeError, match="named by its settings or its name"):
        history(ledger, wrong)
    with pytest.raises(WrongTypeError, match="since is a datetime or a timedelta"):
        history(ledger, SHOP, since=wrong)
    with pytest.raises(InvalidValueError, match="time zone"):
        history(ledger, SHOP, since=datetime(2026, 1, 1))  # noqa: DTZ001  that is what is refused


def test_the_embedded_ledger_answers_the_same(tmp_path: Path, clock: FakeClock) -> None:
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        sync_cart(stock({"A": 5}), FakeCart({"A": 3}), SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
        (entry,) = history(ledger, SHOP, "A")
        assert (entry.status, entry.echo, History.explain(entry).evaluate()) == ("accepted", 5, 5)
        (state,) = ledger.states("default", "shop")
        runs = {state.desired_run, state.sent_run, state.accepted_run, state.observed_run}
        assert runs == {entry.run_id}


# The digest of the settings.


def test_settings_are_named_by_their_content() -> None:
    def cart(**more: Any) -> CartSettings:
        rules = QuantityRules(safety_stock=1)
        overrides = {sku: SkuOverride(rules=rules, leave_out={"b", "a"}) for sku in ("X", "Y")}
        return CartSettings(name="shop", overrides=overrides, location=("r", "s"), **more)

    digest = settings_digest(MERCHANT, cart())
    assert digest == settings_digest(MERCHANT, cart())
    assert len(digest) == 16
    others = (
        cart(exclude={"Z"}),
        cart(frequency=Frequency.every(hours=1)),
        cart(frequency=Frequency.every(hours=2)),
        cart(enabled=False),
        SHOP,
    )
    digests = {digest, *(settings_digest(MERCHANT, one) for one in others)}
    digests.add(settings_digest(MerchantSettings(mode=PerWarehouse(disabled={"a", "b"})), cart()))
    digests.add(settings_digest(MerchantSettings(mode=PerWarehouse(counted={"a", "b"})), cart()))
    assert len(digests) == 8
