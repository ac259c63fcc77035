"""One push to Shopify as steps: items made ready, quantities set side by side, stale ones looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from attrs import evolve

from omsync.errors import OmsyncError, UnauthorizedError
from omsync.http.steps import Steps
from omsync.ports import ALREADY_SHOWN
from omsync.sinks import _shopify as api
from omsync.sinks._shopify_door import Ask, Door
from omsync.sinks._shopify_reading import MOST_ITEMS, Reader
from omsync.sinks._shopify_rows import STALE, Answer, Place, Sending, Target, failed
from omsync.sinks._shopify_writing import write

__all__ = ["set_quantities"]


def set_quantities(
    door: Door, reader: Reader, targets: Sequence[Target], sending: Sending
) -> Steps[dict[Place, Answer]]:
    """Set quantities, and give what came of each place.

    Raises:
        OmsyncError: No call came through, and all met the same kind of error.
    """
    once = {target.place: target for target in targets}
    answers = yield from _made_ready(door, list(once.values()), sending)
    ready = [
        # What a level shows that was switched on a moment ago is not what was read.
        evolve(target, expected=None) if target.track or target.activate else target
        for target in once.values()
        if target.place not in answers
    ]
    calls = [ready[start : start + MOST_ITEMS] for start in range(0, len(ready), MOST_ITEMS)]
    asks: list[Ask[dict[Place, Answer]]] = [partial(write, targets=call, sending=sending) for call in calls]
    outcomes = yield from door.ask_all(asks, points=door.meter.points("omsyncWrite"))
    errors = [outcome for outcome in outcomes if isinstance(outcome, OmsyncError)]
    if errors and len(errors) == len(outcomes) and len({type(error) for error in errors}) == 1:
        raise errors[0]
    for call, outcome in zip(calls, outcomes, strict=True):
        if isinstance(outcome, OmsyncError):
            answers |= {target.place: failed(outcome) for target in call}
        else:
            answers |= outcome
    return answers | (yield from _looked_at_again(reader, once, answers, sending.name))


def _made_ready(door: Door, targets: Sequence[Target], sending: Sending) -> Steps[dict[Place, Answer]]:
    """Switch on the counting of items, and stock them where they are to be; give what was refused."""
    tracking: defaultdict[str, list[Place]] = defaultdict(list)
    for target in targets:
        if target.track:
            tracking[target.place[0]].append(target.place)
    refused = yield from _prepared(
        door, "omsyncTrack", [(places, partial(api.track, item_id=item)) for item, places in tracking.items()]
    )
    activating = [
        (
            [target.place],
            partial(
                api.activate,
                item_id=target.place[0],
                location_id=target.place[1],
                key=sending.key("activate", target.key),
            ),
        )
        for target in targets
        if target.activate and target.place not in refused
    ]
    return refused | (yield from _prepared(door, "omsyncActivate", activating))


def _prepared(
    door: Door, operation: str, work: Sequence[tuple[Sequence[Place], Ask[str]]]
) -> Steps[dict[Place, Answer]]:
    outcomes = yield from door.ask_all([ask for _, ask in work], points=door.meter.points(operation))
    refused: dict[Place, Answer] = {}
    for (places, _), outcome in zip(work, outcomes, strict=True):
        if isinstance(outcome, UnauthorizedError):
            raise outcome
        if isinstance(outcome, OmsyncError):
            refused |= dict.fromkeys(places, failed(outcome))
        elif outcome:
            refused |= dict.fromkeys(places, Answer(status="rejected", reason="row_refused", message=outcome))
    return refused


def _looked_at_again(
    reader: Reader, targets: Mapping[Place, Target], answers: Mapping[Place, Answer], name: str
) -> Steps[dict[Place, Answer]]:
    """Decide about quantities that moved under us: applied if they show what was wanted, else a conflict."""
    stale = [targets[place] for place, answer in answers.items() if answer.status == STALE]
    if not stale:
        return {}
    try:
        items = yield from reader.again(target.place[0] for target in stale)
    except OmsyncError as error:
        return {
            target.place: Answer(
                status="conflict",
                reason="moved_in_cart",
                message=f"the shop no longer shows {target.expected}, and could not be read: {error.message}",
            )
            for target in stale
        }
    return {target.place: _decided(target, items.get(target.place[0]), name) for target in stale}


def _decided(target: Target, item: api.Item | None, name: str) -> Answer:
    if item and item.sku != target.sku:
        message = f"{item.id} has the SKU {item.sku!r} by now, not {target.sku!r}; nothing was overwritten"
        return Answer(status="conflict", reason="renamed_in_cart", message=message)
    level = item.levels.get(target.place[1]) if item else None
    shown = level.units.get(name) if level else None
    if shown == target.quantity:
        return Answer(echo=shown, reason=ALREADY_SHOWN)
    said = "nothing" if shown is None else str(shown)
    return Answer(
        status="conflict",
        reason="moved_in_cart",
        message=f"the shop was thought to show {target.expected} and shows {said}; nothing was overwritten",
        echo=shown,
    )
