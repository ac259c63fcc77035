"""What an EDI folder keeps beside quantities: items' codes, whose it is, and answers that nobody has seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from edi846_partner import acknowledgement, answer, envelope, quantities, segments, take
from fake_ports import Awaiting, Blocking, DictLedger, FakeClock, stock

from omsync import (
    Alias,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    QuantityChange,
    SyncReport,
    plan_cart,
    push_plan,
    sync_cart,
)
from omsync.errors import SettingsError
from omsync.sinks.edi846 import LISTING_SKU, Edi846, PartnerProfile, Party, codes_of

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="bigbox")
BUYER = {"item_codes": [("IN", "buyer")], "skip_without": "buyer"}
BESIDE = {"item_codes": [("SK", LISTING_SKU), ("UP", "upc")]}
BOTH = {"MUG": {"buyer": "B-MUG"}, "FORK": {"buyer": "B-FORK"}}
FORK = {"FORK": BOTH["FORK"]}
Shell = Blocking | Awaiting


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bigbox"


@pytest.fixture(params=[Blocking(), Awaiting(twins=False)], ids=lambda one: one.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    return request.param  # type: ignore[no-any-return]  # pytest does not type it


def partner(folder: Path, clock: FakeClock, **given: Any) -> Edi846:
    own = {one.name for one in attrs.fields(Edi846)}
    wanted = {name: value for name, value in given.items() if name not in own}
    profile = PartnerProfile(
        **{"sender": Party(id="ACME"), "receiver": Party(id="BIGBOX"), "usage": "production", **wanted}
    )
    more = {name: value for name, value in given.items() if name in own}
    return Edi846(profile=profile, folder=folder, clock=clock, **more)


def rows(
    figures: dict[str, int], place: str | None = None, *, repeated: bool = False
) -> list[QuantityChange]:
    return [
        QuantityChange(listing_sku=sku, location_id=place, quantity=one, available=one, repeated=repeated)
        for sku, one in figures.items()
    ]


def sync(sink: Edi846, figures: dict[str, int] | InventorySnapshot, **more: Any) -> SyncReport:
    snapshot = figures if isinstance(figures, InventorySnapshot) else stock(figures)
    return sync_cart(snapshot, sink, more.pop("cart", SHOP), merchant=MERCHANT, clock=sink.clock, **more)


def told(folder: Path) -> dict[tuple[str, str | None], int]:
    """Give what the one document in the outbox tells, by the code that stands first in LIN."""
    return quantities(segments(take(folder)))


def lines(folder: Path) -> list[list[str]]:
    return [one[2:] for one in segments(take(folder)) if one[0] == "LIN"]


def outcomes(report: SyncReport) -> dict[str, tuple[str, str, int | None]]:
    return {str(one.listing_sku): (one.outcome, one.reason, one.repeated) for one in report.outcomes}


def notes(report: Any) -> dict[str, str]:
    """Give what the report says of answers, codes and what was left out."""
    ours = ("acknowledgement_", "codes_", "not_repeated")
    found = [(one.reason, one.message) for one in report.notices if one.reason.startswith(ours)]
    assert len(dict(found)) == len(found)
    return dict(found)


def forget_codes(folder: Path) -> None:
    """Let the folder be one that was written when codes were not kept yet."""
    for path in folder.rglob("*.json"):
        data = json.loads(path.read_text())
        data.pop("codes", None)
        data.pop("owner", None)
        for one in data.get("document", {}).get("sets", ()) if isinstance(data.get("document"), dict) else ():
            del one["codes"]
        path.write_text(json.dumps(data))


# The codes of items.


@pytest.mark.parametrize("within", [None, ...])
def test_a_product_that_the_order_manager_lost_is_repeated_under_the_codes_that_it_had(
    folder: Path, clock: FakeClock, within: Any
) -> None:
    wants = BUYER if within is ... else {**BUYER, "acknowledged_within": within}
    sync(partner(folder, clock, codes=BOTH, **wants), {"MUG": 7, "FORK": 1})
    take(folder)

    for _ in range(2):
        report = sync(partner(folder, clock, codes=FORK, **wants), {"FORK": 2})

        assert told(folder) == {("B-MUG", None): 7, ("B-FORK", None): 2}
    assert report.status == "success"
    assert report.cart_only == ("MUG",)
    assert "1 listing only in the cart, repeated as last told: 'MUG'" in str(report)
    assert notes(report)["codes_as_last_told"] == (
        "1 item without usable codes at present, repeated under those that the partner was last told: 'MUG'"
    )


def test_a_product_lost_by_one_read_keeps_every_code_that_the_snapshot_gave_it(
    folder: Path, clock: FakeClock
) -> None:
    names = [Alias(name="BigBox", listing_sku=f"B-{sku}", master_sku=sku) for sku in ("MUG", "FORK")]
    whole, rest = stock({"MUG": 7, "FORK": 1}, aliases=names), stock({"FORK": 1}, aliases=names[1:])
    wants = {"item_codes": [("VN", "vendor"), ("BP", "buyer")], "skip_without": "vendor"}

    for snapshot in (whole, rest):
        sync(partner(folder, clock, codes=codes_of(snapshot, beside="BigBox"), **wants), snapshot)
        assert lines(folder) == [["VN", "FORK", "BP", "B-FORK"], ["VN", "MUG", "BP", "B-MUG"]]


@pytest.mark.parametrize(
    "present", [FORK, {**FORK, "MUG": {"vendor": "MUG"}}, {**FORK, "MUG": {"buyer": "*"}}]
)
def test_an_item_whose_code_was_lost_or_spoiled_is_repeated_and_nothing_new_is_told_of_it(
    folder: Path, clock: FakeClock, present: dict[str, dict[str, str]]
) -> None:
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    take(folder)
    sink = partner(folder, clock, codes=present, **BUYER)

    same = sync(sink, {"MUG": 7, "FORK": 1})
    assert told(folder) == {("B-MUG", None): 7, ("B-FORK", None): 1}
    assert outcomes(same)["MUG"] == ("unchanged", "", 7)
    assert "codes_as_last_told" in notes(same)

    changed = sync(sink, {"MUG": 5, "FORK": 1})
    assert told(folder) == {("B-MUG", None): 7, ("B-FORK", None): 1}
    (mug,) = [one for one in changed.outcomes if one.listing_sku == "MUG"]
    assert mug.outcome in {"skipped", "rejected"}
    assert mug.reason in {"no_alias", "delimiter_in_text"}
    assert mug.message.endswith(" It is repeated as last told: 7.")


def test_codes_that_changed_since_are_the_present_ones_and_are_kept_from_then_on(
    folder: Path, clock: FakeClock
) -> None:
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    take(folder)

    renamed = {**BOTH, "MUG": {"buyer": "NEW"}}
    report = sync(partner(folder, clock, codes=renamed, **BUYER), {"MUG": 7, "FORK": 1})
    assert told(folder) == {("NEW", None): 7, ("B-FORK", None): 1}
    assert "codes_as_last_told" not in notes(report)

    sync(partner(folder, clock, codes=FORK, **BUYER), {"FORK": 1})
    assert told(folder) == {("NEW", None): 7, ("B-FORK", None): 1}


def test_a_code_that_the_partner_refused_is_not_the_one_that_it_knows(folder: Path, clock: FakeClock) -> None:
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    sync(partner(folder, clock, codes={**BOTH, "MUG": {"buyer": "NEW"}}, **BUYER), {"MUG": 7, "FORK": 1})
    for path in (folder / "outbox").iterdir():
        path.unlink()
    answer(folder, 2, {}, "R")

    sync(partner(folder, clock, codes=FORK, **BUYER), {"FORK": 1})

    assert told(folder) == {("B-MUG", None): 7, ("B-FORK", None): 1}


def test_a_late_answer_to_an_older_document_brings_no_older_code_back(folder: Path, clock: FakeClock) -> None:
    for code in ("OLD", "NEW"):
        sync(partner(folder, clock, codes={**FORK, "MUG": {"buyer": code}}, **BUYER), {"MUG": 7, "FORK": 1})
        take(folder)
    answer(folder, 2, {2: "A"}, name="2.edi")
    partner(folder, clock, **BUYER).acknowledgements()
    answer(folder, 1, {1: "A"}, name="1.edi")

    sync(partner(folder, clock, codes=FORK, **BUYER), {"FORK": 1})

    assert told(folder) == {("NEW", None): 7, ("B-FORK", None): 1}


@pytest.mark.parametrize("answered", [True, False])
def test_a_folder_written_before_codes_were_kept_is_read_and_what_is_left_out_is_said(
    folder: Path, clock: FakeClock, answered: bool
) -> None:
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    take(folder)
    if answered:
        answer(folder, 1, {1: "A"})
        partner(folder, clock, **BUYER).acknowledgements()
    forget_codes(folder)

    report = sync(partner(folder, clock, codes=FORK, **BUYER), {"FORK": 2})

    assert told(folder) == {("B-FORK", None): 2}
    assert report.status == "partial"
    assert (
        notes(report)["not_repeated"] == "1 row could not be repeated (no alias): 'MUG' has no code 'buyer'."
    )
    document = partner(folder, clock, **BUYER).document(1)
    assert document is not None
    assert document.sets[0].codes == {}


def test_a_lost_product_keeps_its_further_codes_and_one_that_is_told_anew_has_the_present_ones(
    folder: Path, clock: FakeClock
) -> None:
    sync(
        partner(folder, clock, codes={"MUG": {"upc": "1"}, "FORK": {"upc": "2"}}, **BESIDE),
        {"MUG": 7, "FORK": 1},
    )
    take(folder)
    without = partner(folder, clock, **BESIDE)

    report = sync(without, {"FORK": 2})
    assert lines(folder) == [["SK", "FORK"], ["SK", "MUG", "UP", "1"]]
    assert notes(report)["codes_as_last_told"].endswith("'FORK', 'MUG'")

    # FORK was told without its bar code now, and so it is repeated.
    report = sync(without, {"FORK": 2})
    assert lines(folder) == [["SK", "FORK"], ["SK", "MUG", "UP", "1"]]
    assert notes(report)["codes_as_last_told"].endswith("last told: 'MUG'")


def test_a_lost_product_that_is_retired_is_not_repeated_and_one_that_is_discontinued_is_marked(
    folder: Path, clock: FakeClock
) -> None:
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    take(folder)
    marked = partner(folder, clock, codes=FORK, discontinued={"MUG"}, **BUYER)
    retired = partner(folder, clock, codes=FORK, retired={"MUG"}, **BUYER)

    sync(marked, {"FORK": 1})
    assert "LIN*2*IN*B-MUG~PID*F****DISCONTINUED~QTY*33*7*EA~" in take(folder)

    report = sync(retired, {"FORK": 1})
    assert told(folder) == {("B-FORK", None): 1}
    assert (report.status, notes(report)) == ("success", {})
    assert retired.push(rows({"MUG": 7}, repeated=True))[0].reason == "retired"


def test_a_code_that_is_another_item_s_by_now_is_told_once(folder: Path, clock: FakeClock) -> None:
    """The order manager renamed a product: the partner's code goes on, under the new name."""
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    take(folder)
    renamed = partner(folder, clock, codes={**FORK, "CUP": BOTH["MUG"]}, **BUYER)

    report = sync(renamed, {"CUP": 5, "FORK": 1})

    assert told(folder) == {("B-MUG", None): 5, ("B-FORK", None): 1}
    assert "'MUG' has no code 'buyer'" in notes(report)["not_repeated"]

    # And should the new one be lost too, its quantity is the one that the partner knows.
    sync(partner(folder, clock, codes=FORK, **BUYER), {"FORK": 1})
    assert told(folder) == {("B-MUG", None): 5, ("B-FORK", None): 1}


def test_two_items_that_were_given_one_code_are_repeated_under_those_that_they_had(
    folder: Path, clock: FakeClock
) -> None:
    sync(partner(folder, clock, codes=BOTH, **BUYER), {"MUG": 7, "FORK": 1})
    take(folder)
    alike = partner(folder, clock, codes={"MUG": {"buyer": "X"}, "FORK": {"buyer": "X"}}, **BUYER)

    report = sync(alike, {"MUG": 8, "FORK": 1})

    assert told(folder) == {("B-MUG", None): 7, ("B-FORK", None): 1}
    assert outcomes(report) == {"MUG": ("rejected", "code_of_two_items", None), "FORK": ("unchanged", "", 1)}


def test_a_row_that_cannot_go_out_for_its_quantity_or_place_leaves_the_item_as_last_told(
    folder: Path, clock: FakeClock
) -> None:
    where = {"warehouses": "n1_lin", "facilities": {"EAST": "0001", "WEST": "0002"}}
    sink = partner(folder, clock, **where)
    sink.push([*rows({"MUG": 7}, "EAST"), *rows({"MUG": 3}, "WEST")])
    take(folder)

    results = sink.push(
        [*rows({"MUG": 10**15}, "EAST"), *rows({"MUG": 4}, "WEST"), *rows({"NEW": 10**15}, "WEST")]
    )
    assert [(one.status, one.reason) for one in results] == [
        ("rejected", "out_of_range"),
        ("pending", "awaiting_acknowledgement"),
        ("rejected", "out_of_range"),
    ]
    assert told(folder) == {("MUG", "0001"): 7, ("MUG", "0002"): 4}

    moved = partner(folder, clock, warehouses="n1_lin", facilities={"WEST": "0002"})
    results = moved.push([*rows({"MUG": 7}, "EAST", repeated=True), *rows({"MUG": 4}, "WEST", repeated=True)])
    assert [one.reason for one in results] == ["unknown_location", "awaiting_acknowledgement"]
    assert told(folder) == {("MUG", "0002"): 4}


def test_a_document_of_changes_repeats_nothing_and_needs_no_old_codes(folder: Path, clock: FakeClock) -> None:
    wants = {**BUYER, "contents": "changes"}
    sync(partner(folder, clock, codes=BOTH, **wants), {"MUG": 7, "FORK": 1})
    take(folder)

    report = sync(partner(folder, clock, codes=FORK, **wants), {"MUG": 5, "FORK": 2})

    assert told(folder) == {("B-FORK", None): 2}
    assert outcomes(report)["MUG"] == ("skipped", "no_alias", None)
    assert notes(report) == {}


def test_a_code_that_only_lets_an_item_through_is_kept_too(folder: Path, clock: FakeClock) -> None:
    wants = {"skip_without": "listed"}
    yes: dict[str, dict[str, Any]] = {
        "MUG": {"listed": 1},
        "FORK": {"listed": "yes"},
        "ODD": {"listed": "\t"},
    }
    sync(partner(folder, clock, codes=yes, **wants), {"MUG": 7, "FORK": 1, "ODD": 3})
    take(folder)

    report = sync(partner(folder, clock, **wants), {"FORK": 1})

    assert told(folder) == {("FORK", None): 1, ("MUG", None): 7}
    assert notes(report)["codes_as_last_told"].endswith("'FORK', 'MUG'")
    assert "'ODD' has no code 'listed'" in notes(report)["not_repeated"]


@pytest.mark.parametrize("name", ["told.json", "pending/000000002.json"])
def test_codes_that_were_edited_are_refused(folder: Path, clock: FakeClock, name: str) -> None:
    sink = partner(folder, clock, codes=BOTH, **BUYER)
    sink.push(rows({"MUG": 7}))
    answer(folder, 1, {1: "A"})
    sink.acknowledgements()
    sink.push(rows({"MUG": 8}))
    text = (folder / name).read_text()
    assert "MUG\\tbuyer\\tB-MUG" in text
    (folder / name).write_text(text.replace("MUG\\tbuyer\\tB-MUG", "MUG\\tbuyer"))

    with pytest.raises(SettingsError, match="cells") as caught:
        sink.push(rows({"MUG": 9}))
    assert caught.value.code == "broken_archive"


# Whose folder it is.


def test_the_first_document_gives_the_folder_to_its_owner_and_no_other_can_use_it(
    folder: Path, clock: FakeClock
) -> None:
    """Two merchants with one sender and receiver: one would repeat the other's items, and answer for them."""
    ours, theirs = (partner(folder, clock, owner=one) for one in ("acme / bigbox", "other / bigbox"))
    assert theirs.read([]) == []
    sync(ours, {"MUG": 7})
    take(folder)

    uses: list[Callable[[], object]] = [
        lambda: theirs.push(rows({"FORK": 1})),
        lambda: sync(theirs, {"FORK": 1}),
        theirs.acknowledgements,
        lambda: theirs.settle(1, arrived=True),
        lambda: partner(folder, clock).read([]),
    ]
    for use in uses:
        with pytest.raises(SettingsError, match="belongs to 'acme / bigbox'") as caught:
            use()
        assert caught.value.code == "other_owner"
    assert caught.value.message == (
        "The folder 'bigbox' belongs to 'acme / bigbox', and this sink names no owner"
    )
    assert caught.value.remedy.startswith("Give each merchant and each cart a folder of its own")
    assert list((folder / "outbox").iterdir()) == []
    assert sync(partner(folder, clock, owner="acme / bigbox"), {"MUG": 7}).status == "success"


def test_a_folder_without_an_owner_is_given_to_the_first_that_names_one(
    folder: Path, clock: FakeClock
) -> None:
    sync(partner(folder, clock), {"MUG": 7})
    forget_codes(folder)
    take(folder)
    assert sync(partner(folder, clock), {"MUG": 7}).status == "success"

    sync(partner(folder, clock, owner="acme"), {"MUG": 7})

    with pytest.raises(SettingsError, match="is of 'other'"):
        partner(folder, clock, owner="other").read([])


def test_a_plan_for_one_owner_goes_to_no_other(folder: Path, clock: FakeClock) -> None:
    ours, theirs = (partner(folder, clock, owner=one) for one in ("acme", "other"))
    plan = plan_cart(stock({"MUG": 7}), ours, SHOP, merchant=MERCHANT, clock=clock)

    assert ours.capabilities.destination == "edi 846 ZZ/ACME to ZZ/BIGBOX, production, of acme"
    with pytest.raises(SettingsError) as caught:
        push_plan(plan, theirs, clock=clock)
    assert caught.value.code == "other_destination"


# Answers that nobody has seen yet.


def refused_once(folder: Path, clock: FakeClock) -> Edi846:
    sink = partner(folder, clock)
    sync(sink, {"MUG": 7})
    take(folder)
    answer(folder, 1, {1: "R"}, "R")
    return sink


def test_a_dry_run_that_read_an_answer_leaves_it_to_be_said_by_the_run(
    folder: Path, clock: FakeClock, shell: Shell
) -> None:
    sink = refused_once(folder, clock)

    def plan() -> Any:
        return shell.plan_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)

    def run() -> Any:
        return shell.sync_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)

    said = {"acknowledgement_rejected": "997.edi: document 000000001, rejected: AK9 R 1 1 0"}
    assert notes(plan()) == said
    assert list((folder / "inbox").iterdir()) == []
    assert notes(plan()) == said
    assert notes(run()) == said
    assert notes(run()) == {}
    assert notes(plan()) == {}


def test_a_plan_that_fails_after_it_read_an_answer_does_not_swallow_it(
    folder: Path, clock: FakeClock, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = refused_once(folder, clock)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Edi846, "read", dies)
        with pytest.raises(KeyboardInterrupt):
            shell.plan_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)

    report = shell.sync_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)
    assert list(notes(report)) == ["acknowledgement_rejected"]


def test_a_plan_says_an_answer_and_its_push_has_said_it(folder: Path, clock: FakeClock, shell: Shell) -> None:
    sink = refused_once(folder, clock)
    plan = shell.plan_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)

    report = shell.push_plan(plan, sink, clock=clock, ledger=DictLedger())

    assert list(notes(report)) == ["acknowledgement_rejected"]
    assert sink.cart_notices(clock.now()) == []


def test_an_answer_that_comes_between_plan_and_push_is_said_by_the_next_plan(
    folder: Path, clock: FakeClock
) -> None:
    sink = partner(folder, clock)
    sync(sink, {"MUG": 7})
    plan = plan_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)
    answer(folder, 1, {1: "E"}, "E")

    assert notes(push_plan(plan, sink, clock=clock)) == {}
    assert list(notes(sync(sink, {"MUG": 7}))) == ["acknowledgement_accepted_with_errors"]
    assert notes(sync(sink, {"MUG": 7})) == {}


def test_an_answer_is_said_until_something_is_pushed_or_you_have_looked(
    folder: Path, clock: FakeClock
) -> None:
    sink = partner(folder, clock, contents="changes")
    sync(sink, {"MUG": 7})
    answer(folder, 1, {1: "E"}, "E")

    for _ in range(2):
        assert list(notes(sync(sink, {"MUG": 7}))) == ["acknowledgement_accepted_with_errors"]
    (seen,) = sink.acknowledgements()
    assert (seen.document, seen.set_numbers, seen.status) == (1, (1,), "accepted_with_errors")
    assert notes(sync(sink, {"MUG": 7})) == {}


def test_a_look_gives_what_plans_have_read_before_what_is_new(folder: Path, clock: FakeClock) -> None:
    sink = refused_once(folder, clock)
    sink.read([])
    sync(sink, {"MUG": 7})
    answer(folder, 2, {2: "A"}, name="new.edi")
    answer(folder, 9, {9: "A"}, name="strange.edi")
    sink.read([])
    answer(folder, 9, {9: "A"}, name="new.edi")

    # The run has said the rejection; of what was read, plain acceptance needs no words.
    assert [(one.file, one.status) for one in sink.acknowledgements()] == [
        ("strange.edi", "unknown"),
        ("new.edi", "unknown"),
    ]
    assert sink.acknowledgements() == ()


def test_an_answer_that_a_crash_kept_in_the_inbox_is_said_once(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = refused_once(folder, clock)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("omsync.sinks.edi846.archive.Archive.put_away", dies)
        with pytest.raises(KeyboardInterrupt):
            sink.read([])
    clock.pass_by(60)

    report = sync(sink, {"MUG": 7})
    assert list(notes(report)) == ["acknowledgement_rejected"]
    assert [path.name for path in (folder / "received").iterdir()] == ["997.edi"]


def test_a_file_that_stays_in_the_inbox_is_said_once_by_each_plan(folder: Path, clock: FakeClock) -> None:
    sink = partner(folder, clock)
    sync(sink, {"MUG": 7})
    text = envelope(acknowledgement(1, {1: "R"}, "R"))
    (folder / "inbox" / "half.edi").write_text(text[:-9])

    for _ in range(2):
        report = sync(sink, {"MUG": 7})
        assert list(notes(report)) == ["acknowledgement_unreadable"]


def test_a_full_disk_after_the_outbox_says_an_answer_once_more(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = refused_once(folder, clock)
    plan = plan_cart(stock({"MUG": 7}), sink, SHOP, merchant=MERCHANT, clock=clock)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as filling:
        filling.setattr("omsync.sinks.edi846.archive.Archive.keep_unsaid", full)
        assert push_plan(plan, sink, clock=clock).status == "success"
    assert told(folder) == {("MUG", None): 7}
    assert [one.reason for one in sink.cart_notices(clock.now())] == ["acknowledgement_rejected"]


def test_a_damaged_file_of_answers_stops_a_push_before_anything_is_sent(
    folder: Path, clock: FakeClock
) -> None:
    sink = refused_once(folder, clock)
    sink.read([])
    (folder / "unsaid.json").write_text("{}?")

    with pytest.raises(SettingsError) as caught:
        sink.push(rows({"MUG": 8}))
    assert caught.value.code == "broken_archive"
    assert list((folder / "outbox").iterdir()) == []
