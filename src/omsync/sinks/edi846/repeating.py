"""What a push tells; and how a whole document holds what it cannot tell as it was given. Pure.

To a partner that is sent everything, an item that is left out may be an item that has ended. So an item that
the partner knows is repeated as it was last told, also when its codes are gone by now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import evolve, frozen

from omsync.allocation import Notice
from omsync.allocation.notices import few
from omsync.checks import counted
from omsync.ports import PushResult, QuantityChange
from omsync.sinks.edi846.records import Key, Told
from omsync.sinks.edi846.rows import Assortment, key_of

__all__ = ["Selection", "notice_of_old_codes", "select"]


@frozen(kw_only=True)
class Selection:
    """What of a push goes out.

    Args:
        rows: The quantities that a document tells.
        refused: The answers for rows that it does not tell as they were given.
        assortment: Names the items, some perhaps by the codes that they had.
    """

    rows: dict[Key, int]
    refused: Mapping[Key, PushResult]
    assortment: Assortment


def select(assortment: Assortment, changes: Sequence[QuantityChange], told: Told) -> Selection:
    """Choose what goes out; a whole document repeats what the partner knows of the rest.

    Args:
        assortment: Names the items by their present codes.
        changes: The push.
        told: What the partner was told before.
    """
    skus = {row.listing_sku for row in changes}
    problems = assortment.item_problems(skus)
    refused = assortment.refused(changes, problems)
    rows = {key_of(row): row.quantity for row in changes if key_of(row) not in refused}
    if assortment.profile.contents != "full":
        return Selection(rows=rows, refused=refused, assortment=assortment)
    # What is new of an item is told under present codes only.
    anew = {row.listing_sku for row in changes if not row.repeated and key_of(row) in rows}
    wanting = {sku for sku in skus - anew if sku in problems or sku not in assortment.codes}
    old = _old_codes(assortment, skus, wanting, told)
    quantities = told.quantities if refused else {}
    for row in changes:
        key = key_of(row)
        last = quantities.get(key)
        nameless = row.listing_sku in problems and row.listing_sku not in old
        if key not in refused or last is None or nameless:
            continue
        if assortment.row_problem(evolve(row, quantity=last)) is None:
            rows[key] = last
            if row.repeated:
                del refused[key]
            else:
                why = refused[key].message
                refused[key] = evolve(refused[key], message=f"{why} It is repeated as last told: {last}.")
    return Selection(
        rows=rows, refused=refused, assortment=evolve(assortment, codes={**assortment.codes, **old})
    )


def notice_of_old_codes(assortment: Assortment, told: Told) -> Notice | None:
    """Say which items a whole document can only repeat, under the codes that they had."""
    known = {sku for (sku, _), quantity in told.quantities.items() if quantity is not None}
    present = assortment.kept_codes(known)
    # Old codes that are the present ones would have the same problems, so most items need no closer look.
    other = {sku for sku in known if sku in told.codes and told.codes[sku][0] != present.get(sku)}
    problems = assortment.item_problems(other) if other else {}
    wanting = {sku for sku in other if sku in problems or sku not in assortment.codes}
    names = sorted(_old_codes(assortment, known, wanting, told))
    if not names:
        return None
    return Notice(
        reason="codes_as_last_told",
        message=f"{counted(len(names), 'item')} without usable codes at present, repeated under those that "
        f"the partner was last told: {few(names)}",
        entries=tuple(names),
    )


def _old_codes(
    assortment: Assortment, skus: Collection[str], wanting: Collection[str], told: Told
) -> dict[str, Mapping[str, str]]:
    """Give the codes as last told of the items that have no usable ones at present.

    Args:
        assortment: Names the items by their present codes.
        skus: All items in question.
        wanting: Those without usable codes.
        told: What the partner was told before.
    """
    kept = {sku: told.codes[sku] for sku in wanting if sku in told.codes and sku not in assortment.retired}
    if not kept:
        return {}
    before = evolve(assortment, codes={sku: codes for sku, (codes, _) in kept.items()})
    # A code that goes out for another item by now is that item's; of two old ones the later told has it.
    spoken_for = {assortment.named(sku) for sku in {*skus}.difference(wanting, assortment.retired)}
    old: dict[str, Mapping[str, str]] = {}
    for sku in sorted(kept, key=lambda sku: (-kept[sku][1], sku)):
        if before.item_problem(sku) is None and before.named(sku) not in spoken_for:
            spoken_for.add(before.named(sku))
            old[sku] = before.codes[sku]
    return old
