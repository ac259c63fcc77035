"""Checks of what a SKU means to a sink: itself, whatever it holds, and nothing that looks like it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from omsync.flows import Sink
from omsync.ports import QuantityChange
from omsync.testing._sink_bench import Key
from omsync.testing._sink_trial import Memory, NotApplicable, Trial, few, named, want

__all__ = ["CODES", "STRANGE_SKUS"]

STRANGE_SKUS: tuple[str, ...] = (
    "tea, green & black",
    'size 6" (15 cm)',
    "it's <b>new</b>",
    "GIFT/SET\\2",
    "50% off + tax = 1?#2",
    "%41",
    "A+B;C:D",
    "Gr\u00f6\u00dfe \u00e9 \u2615",
    "0017",
    "=1+1",
    "null",
    "*",
)
"""SKUs whose characters mean something to addresses, searches, tables or programs on their way."""

_THOUSAND = 1000
_VERY_LONG = 5000
_TAKEN = {"accepted", "pending"}


def codes_are_compared_exactly(trial: Trial) -> None:
    """A code that differs by letter case, a blank or an accent's form is neither read nor written for it."""
    place = trial.bench.locations[0]
    likes = [like for sku in (*trial.bench.listings[:3], *trial.bench.strange) for like in _looking_like(sku)]
    _want_nothing(trial, [(like, place) for like in likes], together=True)


def codes_are_no_patterns(trial: Trial) -> None:
    """A code made of others, or that a search would take for a pattern or a list, means none of them."""
    one, other, *_ = trial.bench.listings
    made = (
        f"{one},{other}",
        f"{one}, {other}",
        f"{one}|{other}",
        f'{one}" OR sku:"{other}',
        f"{one}*",
        f"{one}%",
        f"{one[:-1]}?",
        f"{one[:-1]}_",
        one[:-1] or "?",
        "**",
        "%",
        f"%{ord(one[0]):02X}{one[1:]}",
        f"\\{one}",
    )
    _want_nothing(trial, [(sku, trial.bench.locations[0]) for sku in made])


def strange_skus_are_taken_literally(trial: Trial) -> None:
    """SKUs with commas, quotes, signs, blanks or other letters are read and written like any other."""
    strange, place = trial.bench.strange, trial.bench.locations[0]
    if not strange:
        raise NotApplicable("the bench gives no strange SKUs")
    before, keys = trial.shown(), [(sku, place) for sku in strange]
    wanted = trial.other_numbers(keys)
    trial.push_all(trial.changes(wanted))
    trial.want_unchanged({**before, **wanted}, "by pushing strange SKUs,")
    if trial.capabilities.readable:
        for some in (keys, *([key] for key in keys)):
            read = {
                (one.listing_sku, one.location_id): one.quantity for one in trial.read(sku for sku, _ in some)
            }
            for key in some:
                want(
                    read.get(key) == wanted[key],
                    f"{named(key)} shows {wanted[key]} and is read as {read.get(key)}",
                )


def a_thousand_unknown_codes_hide_nothing(trial: Trial) -> None:
    """Asked for a thousand codes that it does not have, the cart gives none, and the one that it has."""
    _want_only(trial, [f"{trial.bench.absent}, {number}th" for number in range(_THOUSAND)])


def a_very_long_code_is_not_there(trial: Trial) -> None:
    """A code of thousands of characters is read and pushed like any other that the cart does not have."""
    long = trial.bench.absent + "x" * _VERY_LONG
    _want_only(trial, [long])
    if not trial.capabilities.creates_listings:
        trial.want_refused((long, trial.bench.locations[0]))


def a_renamed_listing_keeps_its_number(trial: Trial) -> None:
    """When listings have changed names since an earlier run, a number goes to the name, not to the listing.

    Two listings change names with each other: a row for a name is written to what has the name now, or
    refused. Then a listing takes a new name: a row for its old one is refused.
    """
    rename = trial.bench.rename
    if rename is None:
        raise NotApplicable("the bench gives no way to rename a listing")
    (one, place), (other, _) = trial.rows(2)
    memory, spare = Memory(), f"{trial.bench.absent}-renamed"
    trial.push_all(trial.changes(trial.other_numbers([(one, place), (other, place)])))
    earlier = trial.begun(trial.bench.sink, memory)
    wanted = trial.other_numbers([(one, place)])
    changes = trial.changes(wanted, sink=earlier)
    trial.read([one, other], earlier)
    for old, new in ((one, spare), (other, one), (spare, other)):
        rename(old, new)
    _push_after_renaming(trial, changes, wanted, trial.begun(trial.bench.sink, memory))
    later = trial.begun(trial.bench.sink, memory)
    if trial.capabilities.readable:
        truth = trial.shown()
        read = {(row.listing_sku, row.location_id): row.quantity for row in trial.read([one, other], later)}
        for key in ((one, place), (other, place)):
            want(
                read.get(key) == truth[key], f"renamed, {named(key)} shows {truth[key]}, read {read.get(key)}"
            )
    if not trial.capabilities.creates_listings:
        rename(one, spare)
        trial.want_refused((one, place), sink=trial.begun(trial.bench.sink, memory))
        rename(spare, one)


def a_listing_renamed_during_a_run_keeps_its_number(trial: Trial) -> None:
    """When listings change names between the read and the push of one run, a number goes to the name too.

    Two listings that show the same number change names with each other, so that a comparison with what was
    read notices nothing: a row is written to what has its name now, or is not taken and nothing is written.
    Then a listing takes a new name, and nothing has its old one: a row for that is not taken.
    """
    rename = trial.bench.rename
    if rename is None:
        raise NotApplicable("the bench gives no way to rename a listing")
    (one, place), (other, _) = trial.rows(2)
    spare = f"{trial.bench.absent}-renamed"
    alike = next(iter(trial.other_numbers([(one, place)]).values()))
    trial.push_all(trial.changes({(one, place): alike, (other, place): alike}))
    wanted = trial.other_numbers([(one, place)])
    sink, changes = _read_to_push(trial, [one, other], wanted)
    for old, new in ((one, spare), (other, one), (spare, other)):
        rename(old, new)
    _push_after_renaming(trial, changes, wanted, sink)
    if not trial.capabilities.creates_listings:
        sink, changes = _read_to_push(trial, [one, other], trial.other_numbers([(one, place)]))
        rename(one, spare)
        before = trial.shown()
        taken = [row for row in trial.push_or_refuse(changes, sink) if row.status in _TAKEN]
        trial.want_unchanged(before, f"by pushing {named((one, place))}, which nothing is called any longer,")
        want(not taken, f"{named((one, place))} is accepted, and nothing is called so any longer")
        rename(spare, one)


def _read_to_push(
    trial: Trial, skus: Sequence[str], wanted: dict[Key, int]
) -> tuple[Sink, list[QuantityChange]]:
    """Begin a run, read, and make the rows that its plan would have."""
    sink = trial.begun(trial.bench.sink, Memory())
    seen = trial.read(skus, sink) if trial.capabilities.readable else []
    return sink, trial.changes(wanted, seen=seen, sink=sink)


def _push_after_renaming(
    trial: Trial, changes: Sequence[QuantityChange], wanted: dict[Key, int], sink: Sink
) -> None:
    before = trial.shown()
    results = trial.push_or_refuse(changes, sink)
    taken = any(one.status in _TAKEN for one in results)
    trial.want_unchanged({**before, **(wanted if taken else {})}, "by pushing after listings changed names,")


def _looking_like(sku: str) -> Iterable[str]:
    yield from (sku.swapcase(), f"{sku} ", f" {sku}", unicodedata.normalize("NFD", sku))
    yield from (unicodedata.normalize("NFKC", sku), sku.casefold())


def _want_nothing(trial: Trial, keys: Iterable[Key], *, together: bool = False) -> None:
    """Want codes that the cart does not have to be neither read nor written, each alone or all together."""
    there = {sku for sku, _ in trial.shown()}.union(trial.bench.listings, trial.bench.strange)
    absent = [key for key in dict.fromkeys(keys) if key[0] not in there]
    if trial.capabilities.readable:
        skus = [sku for sku, _ in absent]
        for asked in [skus] if together else [[sku] for sku in skus]:
            all_of_it = not trial.capabilities.lists_all
            wrong = [one for one in trial.read(asked) if all_of_it or one.listing_sku in asked]
            want(not wrong, f"asked for {few(list(map(repr, asked)))}, it answers {wrong[:1]}")
    if not trial.capabilities.creates_listings:
        size = (trial.capabilities.rows_per_push or len(absent)) if together else 1
        for start in range(0, len(absent), size):
            trial.want_refused(*absent[start : start + size])


def _want_only(trial: Trial, absent: Sequence[str]) -> None:
    """Want a listing to be read among codes that the cart does not have."""
    trial.need_reading()
    there = trial.bench.listings[0]
    read = {one.listing_sku for one in trial.read([*absent, there])}
    want(there in read, f"{there!r} is missing beside {len(absent):,} unknown")
    made_up = sorted(read.intersection(absent))
    want(not made_up, f"read, though the cart has them not: {[sku[:40] for sku in made_up[:3]]}")


CODES = (
    codes_are_compared_exactly,
    codes_are_no_patterns,
    strange_skus_are_taken_literally,
    a_thousand_unknown_codes_hide_nothing,
    a_very_long_code_is_not_there,
    a_renamed_listing_keeps_its_number,
    a_listing_renamed_during_a_run_keeps_its_number,
)
