"""One push to eBay: what each SKU is to be told, in as few calls as eBay takes, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from attrs import frozen

from omsync.errors import OmsyncError
from omsync.http.steps import Steps
from omsync.ports import PushResult, QuantityChange
from omsync.sinks import _ebay as api
from omsync.sinks._ebay_budget import Budget
from omsync.sinks._granted import Ask, Granted
from omsync.sinks._http import accepted, packed, refused
from omsync.sinks._rows import failed

__all__ = ["Known", "Outcome", "Rules", "entries_of", "outcome_of", "spent", "within_budget", "write"]

_REASONS = (
    (api.UNKNOWN_SKU, "not_in_cart"),
    (api.NO_OFFER, "not_in_cart"),
    (api.AUCTION, "unmanaged_in_cart"),
    (api.BUSY, "busy"),
)

Changes = Mapping[str, Sequence[QuantityChange]]
"""The rows of a push by SKU."""


@frozen(kw_only=True)
class Outcome:
    """What came of one SKU without eBay's word: it is not sent."""

    reason: str
    message: str
    status: str = "rejected"


@frozen(kw_only=True)
class Known:
    """What is known of the SKUs of a push: their offers, and for those with locations their items."""

    offers: Mapping[str, tuple[api.Offer, ...]]
    items: Mapping[str, api.Item]


@frozen(kw_only=True)
class Rules:
    """How often a listing may be revised in a day, and how many of those only falls may use."""

    revisions_per_day: int
    kept_for_falls: int


def entries_of(changes: Changes, known: Known, most: int) -> dict[str, api.Entry | Outcome]:
    """Give what each SKU is to be told, or why it is not told anything."""
    return {sku: _entry(sku, rows, known, most) for sku, rows in changes.items()}


def _entry(sku: str, rows: Sequence[QuantityChange], known: Known, most: int) -> api.Entry | Outcome:
    offers = known.offers.get(sku, ())
    if not offers:
        message = (
            "no offer of the Sell Inventory API has this SKU; listings made elsewhere must be migrated first"
        )
        return Outcome(reason="not_in_cart", message=message)
    by_place = {row.location_id: row.quantity for row in rows}
    if None in by_place and len(by_place) > 1:
        return Outcome(
            reason="contradiction", message="a total and quantities by location are given for one SKU"
        )
    ids = tuple(offer.id for offer in offers)
    total = by_place.get(None)
    item = known.items.get(sku)
    places: dict[str, int] = {}
    if total is None:
        places = dict(item.places) if item else {}
        places.update((place, units) for place, units in by_place.items() if place is not None)
        total = sum(places.values())
    if total > most:
        return Outcome(reason="out_of_range", message=f"{total} is more than {most}")
    return api.Entry(
        sku=sku, quantity=total, offers=ids, places=places, times=item.times if item and places else {}
    )


def within_budget(
    entries: Mapping[str, api.Entry | Outcome],
    changes: Changes,
    known: Known,
    budget: Budget,
    rules: Rules,
    today: date,
) -> Steps[dict[str, api.Entry | Outcome]]:
    """Hold back what a listing's revisions of today no longer allow; the last ones are for falls."""
    planned: defaultdict[str, int] = defaultdict(int)
    kept: dict[str, api.Entry | Outcome] = {}
    for sku, entry in entries.items():
        kept[sku] = entry
        if isinstance(entry, Outcome):
            continue
        room = rules.revisions_per_day - (0 if _falls(changes[sku]) else rules.kept_for_falls)
        for listing in _listings(known, sku):
            used = (yield from budget.used(listing, today)) + planned[listing]
            if used >= room:
                message = (
                    f"listing {listing} was revised {used} times today; eBay allows {rules.revisions_per_day}"
                )
                kept[sku] = Outcome(reason="revision_budget", message=message, status="skipped")
        if kept[sku] is entry:
            for listing in _listings(known, sku):
                planned[listing] += 1
    return kept


def write(
    door: Granted, url: str, entries: Sequence[api.Entry], skus_per_call: int
) -> Steps[dict[str, api.Said | OmsyncError]]:
    """Write the entries; where eBay takes no several SKUs in one call, one by one.

    Raises:
        OmsyncError: No call came through, and all met the same kind of error.
    """
    chunks = list(packed(entries, lambda _: 1, room=skus_per_call))
    written = yield from door.ask_all([_ask(url, chunk) for chunk in chunks])
    one_by_one = [
        entry for chunk, said in zip(chunks, written, strict=True) if said is None for entry in chunk
    ]
    chunks += [[entry] for entry in one_by_one]
    written += yield from door.ask_all([_ask(url, [entry]) for entry in one_by_one])
    answers: dict[str, api.Said | OmsyncError] = {}
    for chunk, said in zip(chunks, written, strict=True):
        for entry in chunk:
            if isinstance(said, OmsyncError):
                answers[entry.sku] = said
            elif said is not None:
                silent = api.Said(ok=False, message="eBay's answer does not speak of this SKU")
                answers[entry.sku] = said.get(entry.sku, silent)
    errors = [said for said in answers.values() if isinstance(said, OmsyncError)]
    # Errors of several kinds mean different things for their rows: some were not sent, some may be done.
    if errors and len(errors) == len(answers) and len({type(error) for error in errors}) == 1:
        raise errors[0]
    return answers


def spent(answers: Mapping[str, api.Said | OmsyncError], known: Known) -> list[str]:
    """Give the listings that the answers count as revised; an unknown answer counts as well."""
    return [
        listing
        for sku, said in answers.items()
        if isinstance(said, OmsyncError) or said.ok
        for listing in _listings(known, sku)
    ]


def outcome_of(change: QuantityChange, said: Outcome | api.Said | OmsyncError) -> PushResult:
    """Give one row's result; eBay's answer shows no quantity, so a taken one is read back."""
    if isinstance(said, Outcome):
        return refused(change, said.reason, said.message, status=said.status)
    if isinstance(said, OmsyncError):
        return failed(change, said)
    if said.ok:
        return accepted(change, message=said.message)
    if not said.ids:
        return refused(change, "not_echoed", said.message, status="pending")
    reason = next((reason for ids, reason in _REASONS if said.ids & ids), "row_refused")
    return refused(change, reason, said.message)


def _ask(url: str, entries: Sequence[api.Entry]) -> Ask[dict[str, api.Said] | None]:
    return lambda token: api.update(api.Access(url=url, token=token), entries)


def _falls(rows: Iterable[QuantityChange]) -> bool:
    return any(row.shown is None or row.quantity < row.shown for row in rows)


def _listings(known: Known, sku: str) -> list[str]:
    return sorted({offer.listing for offer in known.offers.get(sku, ()) if offer.listing})
