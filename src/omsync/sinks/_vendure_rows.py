"""The rows of one push to Vendure: what is sent together, and what came of each row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from attrs import frozen

from omsync.errors import OmsyncError, RefusedError
from omsync.http.steps import Line, Steps, talk_all
from omsync.ports import PushResult, QuantityChange
from omsync.sinks import _vendure as api
from omsync.sinks._http import encoded_size, packed, refused
from omsync.sinks._vendure_answers import MAX_BYTES

__all__ = ["MAX_QUANTITY", "Row", "entries_of", "result_of", "write_entries"]

MAX_QUANTITY = 2**31 - 1
"""GraphQL's Int; Vendure refuses the whole request for more."""


@frozen(kw_only=True)
class Row:
    """A change whose variant and stock location are known; ``track`` asks to switch tracking on."""

    change: QuantityChange
    variant_id: str
    location_id: str
    track: bool

    @property
    def target(self) -> tuple[str, str]:
        """What the row writes to; Vendure lets the last of several rows win, without a word."""
        return self.variant_id, self.location_id


Answers = Mapping[str, "api.Written | OmsyncError"]


def entries_of(rows: Sequence[Row]) -> tuple[list[api.Entry], frozenset[tuple[str, str]]]:
    """Gather rows by variant; rows that contradict each other are left out and named."""
    quantities: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for row in rows:
        quantities[row.target].add(row.change.quantity)
    contradicted = frozenset(target for target, several in quantities.items() if len(several) > 1)
    gathered: defaultdict[tuple[str, bool], dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row.target not in contradicted:
            gathered[row.variant_id, row.track][row.location_id] = row.change.quantity
    entries = [
        api.Entry(variant_id=variant_id, on_hand=on_hand, track=track)
        for (variant_id, track), on_hand in gathered.items()
    ]
    return entries, contradicted


def write_entries(
    line: Line, shop: api.Shop, entries: Sequence[api.Entry]
) -> Steps[dict[str, api.Written | OmsyncError]]:
    """Write bodies that fit, one after the other; give by variant id what came of it.

    A refusal is raised only while nothing is written: the caller may then halve the batch.
    """
    answers: dict[str, api.Written | OmsyncError] = {}
    room = MAX_BYTES - len(api.write_request(shop.access, []).content or b"")
    for batch in packed(entries, lambda entry: encoded_size(entry.wire), room=room):
        (answer,) = yield from talk_all(line, [api.write(shop.access, batch)])
        if isinstance(answer, OmsyncError) and not answers:
            raise answer
        answers.update((entry.variant_id, answer) for entry in batch)
    return answers


def result_of(row: Row, contradicted: frozenset[tuple[str, str]], answers: Answers) -> PushResult:
    """Give what came of one row that was to be sent."""
    if row.target in contradicted:
        message = "several rows of this push give this variant and stock location different quantities"
        return refused(row.change, "contradiction", message)
    answer = answers[row.variant_id]
    if isinstance(answer, OmsyncError):
        status = "rejected" if isinstance(answer, RefusedError) else "pending"
        return refused(row.change, answer.code, answer.message, status=status)
    if row.variant_id in answer.gone:
        return refused(row.change, "not_in_cart", f"the variant {row.variant_id} has gone meanwhile")
    level = answer.levels.get(row.target)
    if level is None:
        return refused(row.change, "not_echoed", "the shop's answer does not show this row", status="pending")
    different = (
        f"the shop shows {level.on_hand} after the write" if level.on_hand != row.change.quantity else ""
    )
    return PushResult(
        listing_sku=row.change.listing_sku,
        location_id=row.change.location_id,
        status="accepted",
        echo=level.on_hand,
        message=different,
    )
