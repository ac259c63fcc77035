"""What needs a person, as data: the same problem has the same key, with when it began and when it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from fake_ports import DictLedger, FakeClock, stock
from watched_shop import MERCHANT, SHOP, ChangingCart, WatchedShop

import omsync
from omsync import (
    Alert,
    Alerts,
    CartSettings,
    Frequency,
    Guardrails,
    MerchantSettings,
    PerSalesChannel,
    RunRecord,
    SalesChannel,
    alerts,
    approve,
    note_alerts,
)
from omsync.config import parse_settings
from omsync.errors import InvalidValueError, LedgerError, UnauthorizedError, UnreachableError, WrongTypeError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.sinks.edi846 import Edi846, PartnerProfile, Party
from omsync.views import Patience

FULL = {f"SKU-{number}": 5 for number in range(30)}
EMPTY = dict.fromkeys(FULL, 0)
HOURLY = attrs.evolve(SHOP, frequency=Frequency.every(hours=1))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WatchedShop]:
    shop = WatchedShop(folder=tmp_path, cart=ChangingCart(FULL))
    with shop.ledger:
        yield shop


def kinds(found: Alerts | Sequence[Alert]) -> list[tuple[str | None, str]]:
    return [(one.cart, one.kind) for one in found]


def fail(shop: WatchedShop) -> None:
    shop.cart.breaks(UnauthorizedError("The token was refused", code="unauthorized"))
    with pytest.raises(UnauthorizedError):
        shop.sync(FULL)
    shop.cart.breaks(None)


# What runs tell.


def test_a_shop_that_is_well_needs_nobody(shop: WatchedShop) -> None:
    shop.sync(FULL)
    found = alerts(shop.ledger, now=shop.now)

    assert (len(found), found.closed, found.exit_code) == (0, (), 0)
    assert "All is well." in str(found)


def test_runs_that_fail_are_one_alert_since_the_first_of_them(shop: WatchedShop) -> None:
    shop.sync(FULL)
    first = shop.wait(hours=1)
    fail(shop)
    shop.wait(hours=1)
    fail(shop)
    (alert,) = alerts(shop.ledger, now=shop.wait(minutes=10))

    assert (alert.key, alert.kind, alert.severity) == ("acme/shop/run_failed", "run_failed", "critical")
    assert (alert.merchant, alert.cart, alert.opened, alert.number) == ("acme", "shop", first, 2)
    assert alert.message == "2 runs running failed; unauthorized: The token was refused"
    assert alert.remedy.startswith("Read what the error says")


def test_the_run_that_gets_through_ends_the_alert(shop: WatchedShop) -> None:
    began = shop.now
    fail(shop)
    ended = shop.wait(hours=1)
    shop.sync(FULL)
    found = alerts(shop.ledger, now=shop.wait(minutes=5))

    assert kinds(found) == []
    (closed,) = found.closed
    assert (closed.key, closed.opened, closed.closed) == ("acme/shop/run_failed", began, ended)
    shop.wait(hours=1)
    shop.sync(FULL)
    assert alerts(shop.ledger, now=shop.now).closed == ()  # the run before had it no more


def test_a_run_under_way_ends_no_alert_yet(shop: WatchedShop) -> None:
    fail(shop)
    shop.wait(hours=1)
    run = RunRecord(run_id="now", merchant="acme", cart="shop", status="in_progress", started_at=shop.now)
    shop.ledger.begin_run(run)

    assert kinds(alerts(shop.ledger, now=shop.now)) == [("shop", "run_failed")]


def test_a_run_that_died_is_told_with_its_last_sign_of_life(shop: WatchedShop) -> None:
    began = shop.now
    run = RunRecord(run_id="one", merchant="acme", cart="shop", status="in_progress", started_at=began)
    shop.ledger.begin_run(run)
    (alert,) = alerts(shop.ledger, now=shop.wait(hours=1))

    assert (alert.kind, alert.severity, alert.opened) == ("run_died", "critical", began)
    assert "no sign of life since 2026-03-02 08:00:00Z" in alert.message


def test_a_partial_run_is_a_warning_and_a_failure_before_it_has_ended(shop: WatchedShop) -> None:
    fail(shop)
    shop.wait(hours=1)
    shop.cart.says("SKU-1", "rejected")
    shop.sync({**FULL, "SKU-1": 4, "SKU-2": 6})
    found = alerts(shop.ledger, now=shop.now)

    assert kinds(found) == [("shop", "run_partial")]
    assert found.exit_code == 1
    assert "1 listing rejected" in found.open[0].message
    assert kinds(found.closed) == [("shop", "run_failed")]


def test_a_read_that_fails_is_the_order_managers_alert(shop: WatchedShop) -> None:
    with pytest.raises(UnreachableError):
        shop.read(UnreachableError("No connection"))
    (alert,) = alerts(shop.ledger, now=shop.now)

    assert (alert.key, alert.cart, alert.kind) == ("acme//read_failed", None, "read_failed")
    assert alert.message == "the last read failed; unreachable: No connection"
    assert "acme / (order manager)" in str(alert)


# What should have run.


def test_no_run_when_one_was_due(shop: WatchedShop) -> None:
    expected = [(MERCHANT, [HOURLY])]
    shop.sync(FULL)
    due = shop.wait(hours=1)

    assert kinds(alerts(shop.ledger, expected, now=due)) == []
    assert kinds(alerts(shop.ledger, expected, now=shop.wait(minutes=15))) == []  # a scheduler may be late
    (alert,) = alerts(shop.ledger, expected, now=shop.wait(minutes=1))
    assert (alert.kind, alert.severity, alert.opened) == ("no_run_when_due", "critical", due)
    assert alert.message == (
        "a run was due at 2026-03-02 09:00Z (every hour), and none has begun since 2026-03-02 08:00Z"
    )
    impatient = Patience(late=timedelta())
    assert kinds(alerts(shop.ledger, expected, now=due + timedelta(seconds=1), patience=impatient)) != []
    shop.sync(FULL)
    assert kinds(alerts(shop.ledger, expected, now=shop.now)) == []


def test_a_failing_run_is_a_run_and_not_a_missing_one(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.wait(hours=1)
    fail(shop)

    assert kinds(alerts(shop.ledger, [(MERCHANT, [HOURLY])], now=shop.wait(minutes=20))) == [
        ("shop", "run_failed")
    ]


def test_a_run_that_takes_longer_than_its_frequency_is_not_missed_while_it_works(shop: WatchedShop) -> None:
    expected = [(MERCHANT, [HOURLY])]
    shop.sync(FULL)
    began = shop.wait(hours=1)
    run = RunRecord(run_id="long", merchant="acme", cart="shop", status="in_progress", started_at=began)
    shop.ledger.begin_run(run)
    ended = shop.wait(hours=3)
    shop.ledger.touch_run("long", ended)

    assert kinds(alerts(shop.ledger, expected, now=ended)) == []
    shop.ledger.finish_run(attrs.evolve(run, status="success", finished_at=ended))
    assert kinds(alerts(shop.ledger, expected, now=shop.wait(minutes=15))) == []  # the next one may begin
    (alert,) = alerts(shop.ledger, expected, now=shop.wait(minutes=1))
    assert (alert.kind, alert.opened) == ("no_run_when_due", began + timedelta(hours=1))


def test_no_read_when_one_was_due(shop: WatchedShop) -> None:
    daily = attrs.evolve(MERCHANT, frequency=Frequency.daily("06:00", zone="Europe/Berlin"))
    shop.read()  # on 2 March, at 9 in Berlin
    expected = [(daily, list[CartSettings]())]

    assert kinds(alerts(shop.ledger, expected, now=datetime(2026, 3, 3, 5, 10, tzinfo=UTC))) == []
    (alert,) = alerts(shop.ledger, expected, now=datetime(2026, 3, 3, 5, 20, tzinfo=UTC))
    assert (alert.kind, alert.opened) == ("no_read_when_due", datetime(2026, 3, 3, 5, tzinfo=UTC))


def test_a_cart_that_never_ran_is_told_and_one_that_is_switched_off_is_not(shop: WatchedShop) -> None:
    shop.sync(FULL)
    woo, old = CartSettings(name="woo"), CartSettings(name="old", enabled=False)
    hourly = attrs.evolve(MERCHANT, frequency=Frequency.every(hours=1))
    found = alerts(shop.ledger, [(hourly, [SHOP, woo, old])], now=shop.now)

    assert kinds(found) == [(None, "never_read"), ("woo", "never_run")]
    assert [one.opened for one in found] == [None, None]


def test_a_merchant_whose_carts_come_in_several_pairs_is_told_of_each_once(shop: WatchedShop) -> None:
    expected = [(MERCHANT, [CartSettings(name=name)]) for name in ("shop", "woo")]
    first = note_alerts(shop.ledger, expected, now=shop.now)
    again = note_alerts(shop.ledger, expected, now=shop.wait(minutes=15))

    assert kinds(first.new) == [("shop", "never_run"), ("woo", "never_run")]
    assert (kinds(again), again.new, again.closed) == (kinds(first), (), ())


def test_settings_from_a_file_say_what_is_expected(shop: WatchedShop) -> None:
    settings = parse_settings(
        """
[merchant]
name = "acme"
mode = { per = "warehouse" }

[[cart]]
name = "shop"
frequency = "every 1 hour"
"""
    )
    shop.sync(FULL)

    assert kinds(alerts(shop.ledger, settings, now=shop.wait(hours=2))) == [("shop", "no_run_when_due")]


def test_what_is_not_expected_is_left_out(shop: WatchedShop) -> None:
    fail(shop)
    other = MerchantSettings(name="beta", mode=MERCHANT.mode)

    assert kinds(alerts(shop.ledger, [(MERCHANT, [])], now=shop.now)) == []
    assert kinds(alerts(shop.ledger, [(other, [])], now=shop.now)) == []
    assert kinds(alerts(shop.ledger, now=shop.now)) == [("shop", "run_failed")]


# What listings tell.


def test_what_is_held_waits_for_a_person_until_it_is_approved(shop: WatchedShop) -> None:
    shop.sync(FULL)
    since = shop.wait(hours=1)
    digest = shop.sync(EMPTY).digest
    shop.wait(hours=1)
    shop.sync(EMPTY)
    held = {one.kind: one for one in alerts(shop.ledger, now=shop.now)}["held"]

    assert (held.opened, held.number, held.severity) == (since, 30, "warning")
    assert f"30 rows held for a person by the plan {digest}: 'SKU-0', 'SKU-1'" in held.message
    assert len(held.entries) == 20
    approve(
        shop.ledger,
        "shop",
        digest,
        by="Ann",
        reason="sold out",
        until=timedelta(days=1),
        merchant="acme",
        clock=shop.clock,
    )
    assert kinds(alerts(shop.ledger, now=shop.now)) == [("shop", "run_partial")]
    shop.sync(EMPTY)
    assert kinds(alerts(shop.ledger, now=shop.now)) == []


def test_what_is_in_quarantine_is_critical_where_units_are_on_sale_that_are_not_there(
    shop: WatchedShop,
) -> None:
    shop.sync(FULL)
    shop.cart.says("SKU-1", "rejected")
    first = shop.wait(hours=1)
    for number in range(3):
        shop.sync({**FULL, "SKU-1": 2, "SKU-2": 6 + number})
        shop.wait(minutes=15)
    found = {one.kind: one for one in alerts(shop.ledger, now=shop.now)}

    refused = found["quarantined"]
    assert (refused.severity, refused.opened, refused.entries) == ("critical", first, ("SKU-1",))
    assert refused.message == "1 row refused again and again, 3 units on sale that are not there: 'SKU-1'"


def test_what_is_refused_for_a_rise_is_a_warning(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.cart.says("SKU-1", "rejected")
    for number in range(3):
        shop.sync({**FULL, "SKU-1": 8, "SKU-2": 6 + number})
        shop.wait(minutes=15)

    assert {one.kind: one.severity for one in alerts(shop.ledger, now=shop.now)}["quarantined"] == "warning"


def test_what_was_sent_and_is_not_seen_for_long_is_told(shop: WatchedShop) -> None:
    shop.cart.says("SKU-1", "pending")
    sent = shop.now
    shop.sync({**FULL, "SKU-1": 4})

    assert "pending" not in {one.kind for one in alerts(shop.ledger, now=shop.wait(hours=6))}
    found = {one.kind: one for one in alerts(shop.ledger, now=shop.wait(minutes=1))}
    assert (found["pending"].opened, found["pending"].entries) == (sent, ("SKU-1",))


def test_an_acknowledgement_that_is_overdue_is_told_once_it_was_due(shop: WatchedShop) -> None:
    profile = PartnerProfile(sender=Party(id="ACME"), receiver=Party(id="BIGBOX"), usage="production")
    partner = Edi846(profile=profile, folder=shop.folder / "bigbox", clock=shop.clock)
    shop.sync({"MUG": 5}, partner)
    due = shop.now + timedelta(hours=24)

    assert kinds(alerts(shop.ledger, now=due)) == []
    found = alerts(shop.ledger, now=due + timedelta(minutes=1))
    assert [(one.kind, one.severity, one.opened) for one in found] == [
        ("acknowledgement_overdue", "critical", due)
    ]
    assert (
        "1 row without the acknowledgement that was due at 2026-03-03 08:00Z: 'MUG'" in found.open[0].message
    )
    partner.settle(1, arrived=True)
    shop.wait(hours=25)
    shop.sync({"MUG": 5}, partner)
    assert kinds(alerts(shop.ledger, now=shop.now)) == []


def test_another_system_that_writes_the_cart_is_told(shop: WatchedShop) -> None:
    cart = ChangingCart({"MUG": 3})
    for _ in range(3):
        shop.sync({"MUG": 9}, cart)
        cart.put("MUG", 3)
        shop.wait(hours=1)
    found = {one.kind: one for one in alerts(shop.ledger, now=shop.now)}

    assert "another system writes 1 listing of this cart: 'MUG'" in found["another_writer"].message
    assert found["another_writer"].opened == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_drift_that_lasts_is_told_where_the_ledger_knows_it(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.cart.put("SKU-1", 99)
    seen = shop.wait(hours=1)
    omsync.drift(shop.ledger, shop.cart, SHOP, merchant=MERCHANT, clock=shop.clock)

    assert kinds(alerts(shop.ledger, now=seen + timedelta(hours=24))) == []
    (alert,) = alerts(shop.ledger, now=seen + timedelta(hours=25))
    assert (alert.kind, alert.opened, alert.entries) == ("drift", seen, ("SKU-1",))
    shop.sync(FULL)
    assert kinds(alerts(shop.ledger, now=seen + timedelta(hours=25))) == []


@pytest.mark.parametrize("how", ["ignored", "pending", "no_answer"])
def test_what_every_run_sends_again_and_the_cart_never_shows_is_pending_since_the_first_of_them(
    shop: WatchedShop, how: str
) -> None:
    shop.cart.says("SKU-1", how)
    sent = shop.now
    told = []
    for _ in range(30):
        shop.sync({**FULL, "SKU-1": 4})
        shop.wait(hours=1)
        told.append([one.kind for one in note_alerts(shop.ledger, now=shop.now).new])

    assert told == [
        ["run_partial"],
        *([[]] * 5),
        ["pending"],
        *([[]] * 23),
    ]  # told once, and no drift as well
    found = {one.kind: one for one in alerts(shop.ledger, now=shop.now)}
    assert (found["pending"].opened, found["pending"].entries) == (sent, ("SKU-1",))


def test_what_waited_for_a_person_first_is_pending_from_when_it_was_sent(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.wait(hours=1)
    digest = shop.sync(EMPTY).digest
    shop.wait(hours=20)
    until = timedelta(days=1)
    approve(
        shop.ledger, "shop", digest, by="Ann", reason="so", until=until, merchant="acme", clock=shop.clock
    )
    for sku in FULL:
        shop.cart.says(sku, "ignored")
    shop.sync(EMPTY)
    sent = shop.now
    shop.wait(hours=1)
    shop.sync(EMPTY)

    assert "pending" not in {one.kind for one in alerts(shop.ledger, now=shop.now)}
    found = {one.kind: one for one in alerts(shop.ledger, now=shop.wait(hours=6))}
    assert (found["pending"].opened, found["pending"].number) == (sent, 30)


def test_what_differs_because_it_is_held_is_no_drift_as_well(shop: WatchedShop) -> None:
    shop.sync(FULL)
    for _ in range(3):
        shop.wait(hours=20)
        shop.sync(EMPTY)

    assert kinds(alerts(shop.ledger, now=shop.now)) == [("shop", "held"), ("shop", "run_partial")]


def test_figures_whose_newest_answer_was_lost_are_told(shop: WatchedShop) -> None:
    merchant = MerchantSettings(name="acme", mode=PerSalesChannel())
    reading = attrs.evolve(
        stock({"MUG": 5}, places=()),
        taken_at=shop.now,
        scope="channel",
        warehouses=(),
        sales_channels=[SalesChannel(id="91", name="Woo")],
        levels=[omsync.StockLevel(master_sku="MUG", location_id="91", available=5)],
        doubtful=[("MUG", "91")],
    )
    shop.ledger.save_snapshot("acme", reading)
    cart = attrs.evolve(SHOP, location="Woo")
    omsync.sync_cart(reading, shop.cart, cart, merchant=merchant, ledger=shop.ledger, clock=shop.clock)
    found = alerts(shop.ledger, [(merchant, [cart])], now=shop.now)

    assert (None, "source_answer_lost") in kinds(found)
    assert kinds(alerts(shop.ledger, [(MERCHANT, [cart])], now=shop.now)) == [("shop", "run_partial")]
    run = RunRecord(run_id="now", merchant="acme", cart="shop", status="in_progress", started_at=shop.now)
    shop.ledger.begin_run(run)
    assert kinds(alerts(shop.ledger, [(merchant, [cart])], now=shop.now)) == kinds(found)


# What was told before.


def test_noting_tells_each_alert_once_when_it_opens_and_once_when_it_ends(shop: WatchedShop) -> None:
    fail(shop)
    first = note_alerts(shop.ledger, now=shop.now)
    assert kinds(first.new) == [("shop", "run_failed")]

    shop.wait(hours=1)
    fail(shop)
    again = note_alerts(shop.ledger, now=shop.now)
    assert (kinds(again), again.new) == ([("shop", "run_failed")], ())
    assert again.open[0].key == first.open[0].key

    for _ in range(3):
        shop.wait(minutes=15)
        shop.sync(FULL)
    ended = note_alerts(shop.ledger, now=shop.now)
    assert (kinds(ended), kinds(ended.closed)) == ([], [("shop", "run_failed")])
    assert note_alerts(shop.ledger, now=shop.now).closed == ()


def test_an_ending_that_the_runs_tell_is_dated_by_them_and_not_told_twice(shop: WatchedShop) -> None:
    fail(shop)
    note_alerts(shop.ledger, now=shop.now)
    ended = shop.wait(hours=1)
    shop.sync(FULL)

    assert [one.closed for one in note_alerts(shop.ledger, now=shop.wait(hours=1)).closed] == [ended]
    assert alerts(shop.ledger, now=shop.now).closed == ()


def test_what_nobody_can_date_is_dated_by_the_first_noting(shop: WatchedShop) -> None:
    shop.sync(FULL)
    expected = [(MERCHANT, [SHOP, CartSettings(name="woo")])]
    first = shop.now
    note_alerts(shop.ledger, expected, now=first)
    (later,) = alerts(shop.ledger, expected, now=shop.wait(days=2))

    assert (later.kind, later.opened) == ("never_run", first)
    assert note_alerts(shop.ledger, expected, now=shop.now).open[0].opened == first


def test_looking_writes_nothing(shop: WatchedShop) -> None:
    fail(shop)
    memory = shop.ledger.memory("acme")
    before = dict(memory.recall("alerts"))
    alerts(shop.ledger, now=shop.now)

    assert memory.recall("alerts") == before == {}


def test_names_with_strange_letters_keep_their_keys_apart(shop: WatchedShop) -> None:
    shop.settings = CartSettings(name="a/b shop", order_lag=0)
    fail(shop)

    assert alerts(shop.ledger, now=shop.now).open[0].key == "acme/a%2Fb%20shop/run_failed"


def test_critical_alerts_come_first_then_the_oldest(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.sync(EMPTY)
    shop.wait(hours=1)
    with pytest.raises(UnreachableError):
        shop.read(UnreachableError("No connection"))
    found = alerts(shop.ledger, now=shop.now)

    assert kinds(found) == [(None, "read_failed"), ("shop", "held"), ("shop", "run_partial")]
    assert found.exit_code == 2
    assert repr(found) == "<Alerts: 3 open, 0 ended>"


def test_alerts_are_a_page_and_json(shop: WatchedShop) -> None:
    fail(shop)
    found = alerts(shop.ledger, now=shop.wait(hours=2))

    assert "1 alert, 1 critical." in str(found)
    assert "run_failed" in found.to_csv()
    first = json.loads(found.to_json())["parts"][0]
    assert first["tone_words"][first["tones"][0]] == first["rows"][0][0] == "critical"
    assert json.loads(found.to_json())["parts"][0]["title"] == "What needs a person"


def test_a_ledger_that_cannot_tell_whom_it_knows_and_a_moment_without_a_zone_are_refused(
    shop: WatchedShop,
) -> None:
    with pytest.raises(LedgerError) as caught:
        alerts(DictLedger(), now=FakeClock().now())
    assert caught.value.code == "no_overview"
    with pytest.raises(InvalidValueError, match=r"note_alerts\(now=\) must know its zone"):
        note_alerts(shop.ledger, now=shop.now.replace(tzinfo=None))


def test_the_ledger_of_a_new_machine_needs_nobody(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "new.db") as ledger:
        assert len(alerts(ledger, now=FakeClock().now())) == 0


@pytest.mark.parametrize(
    "expected", [MERCHANT, {"acme": ["shop"]}, [(MERCHANT, SHOP)], [(MERCHANT, ["shop"])]]
)
def test_what_is_expected_is_settings_or_pairs_of_them(shop: WatchedShop, expected: Any) -> None:
    with pytest.raises(WrongTypeError, match="pairs of a merchant's settings and its carts'"):
        alerts(shop.ledger, expected, now=shop.clock.now())


def test_a_ledger_that_stands_where_a_moment_belongs_is_refused(shop: WatchedShop) -> None:
    mixed: Any = shop.ledger
    with pytest.raises(WrongTypeError, match=r"alerts\(now=\) is a moment") as caught:
        alerts(shop.ledger, now=mixed)
    assert "datetime.now(UTC)" in caught.value.remedy


def test_what_a_cart_said_steers_no_terminal_and_no_mail(shop: WatchedShop) -> None:
    shop.cart.breaks(UnauthorizedError("\x1b[2Jno\r\nBcc: all"))
    with pytest.raises(UnauthorizedError):
        shop.sync(FULL)

    assert all(str(one).isprintable() for one in alerts(shop.ledger, now=shop.now))


def test_of_many_listings_that_are_sent_again_each_is_pending_since_its_first_sending(
    shop: WatchedShop,
) -> None:
    shop.settings = attrs.evolve(SHOP, guardrails=Guardrails(change_percent=100, fall_percent=100))
    many = {f"SKU-{number}": 5 for number in range(60)}
    for sku in many:
        shop.cart.put(sku, 6)
        shop.cart.says(sku, "ignored")
    sent = shop.now
    for _ in range(7):
        shop.sync(many)
        shop.wait(hours=1)
    found = {one.kind: one for one in alerts(shop.ledger, now=shop.now)}

    assert (found["pending"].opened, found["pending"].number) == (sent, 60)
