"""The rows of one push to Medusa: what is sent together, and what came of each row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from omsync.errors import OmsyncError, RefusedError
from omsync.http.messages import Conversation, Request
from omsync.http.steps import Line, Steps, talk_all
from omsync.ports import PushResult, QuantityChange
from omsync.sinks import _medusa as api
from omsync.sinks._http import Wire, accepted, encoded_size, packed, refused
from omsync.sinks._medusa_answers import data_of, refused_rows, shelf_moved
from omsync.sinks._rows import failed

__all__ = ["MAX_QUANTITY", "Answers", "Entry", "Row", "entries_of", "result_of", "write", "write_entries"]

MAX_QUANTITY = 2**53 - 1
"""The largest whole number that JavaScript keeps exactly; Medusa takes larger ones and rounds them."""

Target = tuple[str, str]
"""What a row writes to: inventory item id and stock location id."""

_BATCH = "/admin/inventory-items/location-levels/batch"
_LOOKS = 3


@frozen(kw_only=True)
class Row:
    """A change whose inventory item and stock location are known."""

    change: QuantityChange
    item: api.Item
    location_id: str

    @property
    def target(self) -> Target:
        """What the row writes to; Medusa lets the last of several rows win, without a word."""
        return self.item.id, self.location_id


@frozen(kw_only=True)
class Entry:
    """One level to write: an update where there is one, otherwise a create."""

    sku: str
    target: Target
    units: int
    exists: bool

    @property
    def wire(self) -> dict[str, Any]:
        """The entry as a row of Medusa's batch."""
        item_id, location_id = self.target
        return {"inventory_item_id": item_id, "location_id": location_id, "stocked_quantity": self.units}


@frozen(kw_only=True)
class Written:
    """What a write came to: levels as answered, and rows that were left out, each with reason and message."""

    levels: Mapping[Target, api.Level] = field(factory=dict)
    left_out: Mapping[Target, tuple[str, str]] = field(factory=dict)


Answers = Mapping[Target, Written | OmsyncError]
Send = Callable[[api.Access, Sequence[Entry]], Request]


def entries_of(rows: Iterable[Row]) -> tuple[list[Entry], frozenset[Target]]:
    """Give what is to be written; targets whose rows contradict each other are left out and named."""
    quantities: defaultdict[Target, set[int]] = defaultdict(set)
    entries: dict[Target, Entry] = {}
    for row in rows:
        quantities[row.target].add(row.change.quantity)
        entries[row.target] = Entry(
            sku=row.item.sku,
            target=row.target,
            units=row.change.quantity,
            exists=row.location_id in row.item.levels,
        )
    contradicted = frozenset(target for target, several in quantities.items() if len(several) > 1)
    return [entry for target, entry in entries.items() if target not in contradicted], contradicted


def write_entries(
    line: Line, shop: api.Shop, entries: Sequence[Entry], *, max_bytes: int, page_size: int
) -> Steps[dict[Target, Written | OmsyncError]]:
    """Write bodies that fit, one after the other; give by target what came of it.

    An error is raised only while nothing is written: the caller may then halve the batch, or try again.
    """
    answers: dict[Target, Written | OmsyncError] = {}
    room = max_bytes - len(batch_request(shop.access, []).content or b"")
    bodies = list(packed(entries, lambda entry: encoded_size(entry.wire), room=room))
    send: Send = batch_request
    while bodies:
        body = bodies.pop(0)
        (answer,) = yield from talk_all(line, [write(shop, body, send, page_size)])
        if isinstance(answer, RefusedError) and answer.code == "no_route" and send is batch_request:
            # Medusa 2.0 has only the routes for one level.
            send = single_request
            bodies = [[entry] for entry in (*body, *(entry for more in bodies for entry in more))]
            continue
        if isinstance(answer, OmsyncError) and not answers:
            raise answer
        answers.update((entry.target, answer) for entry in body)
    return answers


def write(
    shop: api.Shop, entries: Iterable[Entry], send: Send, page_size: int = 100
) -> Conversation[Written]:
    """Write one batch, for Medusa one transaction.

    Where levels have come or gone since they were read, it looks again, sets the rows right and sends them
    once more. Rows that Medusa names as invalid are left out.
    """
    left = {entry.target: entry for entry in entries}
    left_out: dict[Target, tuple[str, str]] = {}
    looks = 0
    while left:
        rows = list(left.values())
        response = yield send(shop.access, rows)
        named = {
            target: said
            for place, said in refused_rows(response).items()
            if (target := _named(rows, place)) is not None
        }
        if named:
            left_out |= {target: ("row_refused", f"the shop says: {said}") for target, said in named.items()}
        elif shelf_moved(response) and looks < _LOOKS:
            looks += 1
            left_out |= yield from _look_again(shop, left, page_size)
        else:
            return Written(levels=_levels(data_of(response)), left_out=left_out)
        left = {target: entry for target, entry in left.items() if target not in left_out}
    return Written(left_out=left_out)


def batch_request(access: api.Access, entries: Sequence[Entry]) -> Request:
    """Make the request that writes these entries together."""
    body = {"create": _part(entries, exists=False), "update": _part(entries, exists=True)}
    return access.post(_BATCH, {name: [entry.wire for entry in part] for name, part in body.items()})


def single_request(access: api.Access, entries: Sequence[Entry]) -> Request:
    """Make the request that writes one entry, for shops without the batch route."""
    (entry,) = entries
    item_id, location_id = entry.target
    levels = f"/admin/inventory-items/{quote(item_id, safe='')}/location-levels"
    fields = ("fields", f"id,{api.LEVELS}")
    if entry.exists:
        return access.post(
            f"{levels}/{quote(location_id, safe='')}", {"stocked_quantity": entry.units}, fields
        )
    return access.post(levels, {"location_id": location_id, "stocked_quantity": entry.units}, fields)


def result_of(row: Row, contradicted: frozenset[Target], answers: Answers) -> PushResult:
    """Give what came of one row that was to be sent."""
    change = row.change
    if row.target in contradicted:
        message = "several rows of this push give this item and stock location different quantities"
        return refused(change, "contradiction", message)
    answer = answers[row.target]
    if isinstance(answer, OmsyncError):
        return failed(change, answer)
    if row.target in answer.left_out:
        return refused(change, *answer.left_out[row.target])
    level = answer.levels.get(row.target)
    if level is None or level.on_hand is None:
        return refused(change, "not_echoed", "the shop's answer does not show this row", status="pending")
    return accepted(change, level.on_hand)


def _part(entries: Iterable[Entry], *, exists: bool) -> list[Entry]:
    return [entry for entry in entries if entry.exists is exists]


def _named(entries: Sequence[Entry], place: tuple[str, int]) -> Target | None:
    """Give the target of a row that the shop names; None where it names one that was not sent."""
    kind, index = place
    part = _part(entries, exists=kind == "update")
    return part[index].target if index < len(part) else None


def _look_again(
    shop: api.Shop, left: dict[Target, Entry], page_size: int
) -> Conversation[dict[Target, tuple[str, str]]]:
    """Set right which levels exist; give the rows whose item or location has gone.

    It has to: Medusa would make a level for a deleted item, and at a location that it does not have.
    """
    now = yield from api.look_around(shop.access)
    skus = list(dict.fromkeys(entry.sku for entry in left.values()))
    items: dict[str, api.Item] = {}
    for page in api.pages(skus, page_size):
        items |= yield from api.find_items(shop.access, page)
    gone: dict[Target, tuple[str, str]] = {}
    for target, entry in left.items():
        item_id, location_id = target
        item = items.get(entry.sku)
        if item is None or item.id != item_id:
            said = f"the inventory item {item_id} has gone meanwhile, or has another SKU"
            gone[target] = "not_in_cart", said
        elif location_id not in now.locations:
            gone[target] = "unknown_location", f"the stock location {location_id} has gone meanwhile"
        else:
            left[target] = Entry(
                sku=entry.sku, target=target, units=entry.units, exists=location_id in item.levels
            )
    return gone


def _levels(data: Wire) -> dict[Target, api.Level]:
    item = data.get("inventory_item")
    if item is not None:
        own = item.field("id").text()
        rows = item.field("location_levels").rows()
        return {(own, row.field("location_id").text()): api.level_of(row) for row in rows}
    rows = [row for name in ("created", "updated") for row in data.field(name).rows()]
    return {
        (row.field("inventory_item_id").text(), row.field("location_id").text()): api.level_of(row)
        for row in rows
    }
