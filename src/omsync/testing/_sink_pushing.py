"""Checks of what a sink pushes."""

from __future__ import annotations

from collections import Counter

from omsync.errors import RefusedError, TransientError
from omsync.ports import ALREADY_SHOWN, PushResult
from omsync.testing._sink_trial import NotApplicable, Trial, named, want

_MORE_THAN_32_BITS = 2**31


def pushing_nothing_is_no_error(trial: Trial) -> None:
    """A push of no rows gives no results and changes nothing."""
    before = trial.shown()
    results = trial.push([])
    want(not results, f"a push of no rows gives {results[:1]}")
    trial.want_unchanged(before, "by pushing nothing,")


def answers_every_row_once(trial: Trial) -> None:
    """A push gives one ``PushResult`` for every row and for nothing else, under the row's own identity."""
    keys = trial.rows(3)
    if trial.capabilities.rows_per_push == 1 or trial.capabilities.grouping == "by_location":
        keys = keys[:1]
    results = trial.push(trial.changes(trial.other_numbers(keys)))
    given: list[object] = list(results)
    strange = [one for one in given if not isinstance(one, PushResult)]
    want(not strange, f"push gives {strange[:1]!r}")
    times = Counter((one.listing_sku, one.location_id) for one in results)
    wrong = {named(key): times[key] for key in {*keys, *times} if times[key] != (key in keys)}
    want(not wrong, f"results by row: {wrong}")


def quantities_arrive_exactly(trial: Trial) -> None:
    """0, 1 and large quantities arrive as they are; the largest is what the capabilities promise."""
    said, key = trial.capabilities, trial.rows(1)[0]
    largest = _MORE_THAN_32_BITS if said.max_quantity is None else said.max_quantity
    numbers = {max(1, said.min_quantity), 12, 1000, largest}
    if said.accepts_zero and not said.zero_ends_listing:
        numbers.add(0)
    # A cart may add up what stands at its locations, and keep the sum in one number.
    beside = [(key[0], place) for place in trial.bench.locations[1:]]
    trial.push_all(trial.changes(dict.fromkeys(beside, min(numbers))))
    for number in sorted(numbers):
        if number == 0 or said.min_quantity <= number <= largest:
            trial.push_all(trial.changes({key: number}))
            trial.want_shown({key: number})
    home = trial.other_numbers([key, *beside])
    trial.push_all(trial.changes(home))
    trial.want_shown(home)


def a_quantity_too_large_is_never_cut(trial: Trial) -> None:
    """A quantity beyond the largest that the capabilities name arrives as it is, or is refused."""
    most = trial.capabilities.max_quantity
    if most is None:
        raise NotApplicable("the capabilities name no largest quantity")
    key, before = trial.rows(1)[0], trial.shown()
    changes = trial.changes({key: most + 1})
    try:
        told = ", ".join(one.status for one in trial.push_or_refuse(changes)) or "refused"
    except TransientError as error:
        told = type(error).__name__  # a cart may stumble over it, and then nobody knows
    fair: dict[str, set[int | None]] = {
        "accepted": {most + 1},
        "pending": {most + 1},
        "rejected": {before.get(key)},
        "skipped": {before.get(key)},
        "refused": {before.get(key)},
    }
    shown = trial.shown().get(key)
    want(
        shown in fair.get(told, {before.get(key), most + 1}),
        f"told {most + 1}, {named(key)} is {told} and shows {shown}",
    )


def echoes_what_the_cart_shows(trial: Trial) -> None:
    """An echo is what the cart shows after the write, in the sink's own meaning."""
    wanted = trial.other_numbers(trial.rows(2))
    results = trial.push_all(trial.changes(wanted))
    echoes = {(one.listing_sku, one.location_id): one.echo for one in results if one.echo is not None}
    if not echoes:
        raise NotApplicable("no answer shows a quantity")
    trial.want_shown(echoes, "the echo is another number;")


def shows_what_was_pushed(trial: Trial) -> None:
    """A read after the push shows what was pushed."""
    trial.need_reading()
    wanted = trial.other_numbers(trial.rows())
    trial.push_all(trial.changes(wanted))
    read = {(one.listing_sku, one.location_id): one.quantity for one in trial.read(trial.bench.listings)}
    wrong = [key for key, quantity in wanted.items() if read.get(key) != quantity]
    want(
        not wrong,
        ", ".join(f"{named(key)} was told {wanted[key]} and is read as {read.get(key)}" for key in wrong[:5]),
    )


def pushing_again_is_harmless(trial: Trial) -> None:
    """The same rows pushed twice, as after an answer that was lost, leave what once would have left."""
    wanted = trial.other_numbers(trial.rows(2))
    changes = trial.changes(wanted)
    trial.push_all(changes)
    # A cart that compares may find that its row has moved on: to what was wanted.
    allowed = set() if trial.capabilities.compare_and_set == "blind" else {"conflict"}
    trial.push_all(changes, allowed=allowed)
    trial.want_shown(wanted, "after the second push")


def leaves_other_rows_alone(trial: Trial) -> None:
    """A push changes nothing but its own rows: no other listing, no other location."""
    before, key = trial.shown(), trial.rows(1)[0]
    wanted = trial.other_numbers([key])
    trial.push_all(trial.changes(wanted))
    trial.want_unchanged({**before, **wanted}, f"by pushing {named(key)} only,")


def keeps_locations_apart(trial: Trial) -> None:
    """Each location of one listing gets its own number, in one batch."""
    keys = [key for key in trial.rows() if key[0] == trial.bench.listings[0]]
    if len(keys) == 1:
        raise NotApplicable("the bench gives one location")
    wanted = trial.other_numbers(keys)
    trial.push_all(trial.changes(wanted))
    trial.want_shown(wanted)


def takes_a_full_batch(trial: Trial) -> None:
    """A batch of as many rows as the capabilities allow, with large quantities, is taken as a whole."""
    keys = trial.rows()
    if trial.capabilities.grouping == "by_location":
        keys = [key for key in keys if key[1] == keys[0][1]]
    most = trial.capabilities.rows_per_push or len(keys)
    if len(keys) < most:
        raise NotApplicable(f"a push takes {most:,} rows, and the bench has {len(keys):,}")
    largest = (
        _MORE_THAN_32_BITS if trial.capabilities.max_quantity is None else trial.capabilities.max_quantity
    )
    # A cart may add up what stands at its locations, and keep the sum in one number.
    upper = max(trial.capabilities.min_quantity, largest // len(trial.bench.locations))
    wanted = {
        key: max(trial.capabilities.min_quantity, upper - index) for index, key in enumerate(keys[:most])
    }
    for result in trial.push(trial.changes(wanted)):
        trial.want_taken(result)
    trial.want_shown(wanted)


def an_unknown_listing_spares_the_others(trial: Trial) -> None:
    """Of a batch with a listing that the cart does not have, the other rows arrive; or it is refused whole.

    With ``atomicity="row"`` they arrive. Otherwise a ``RefusedError`` may say that nothing was written, and
    then nothing is.
    """
    if trial.capabilities.creates_listings:
        raise NotApplicable("the cart makes listings that it does not have")
    (first, place), (second, _) = trial.rows(2)
    if (trial.capabilities.rows_per_push or 3) < 3:  # noqa: PLR2004  two good rows around a bad one
        raise NotApplicable("a push takes fewer than three rows")
    absent = (trial.bench.absent, place)
    good = trial.other_numbers([(first, place), (second, place)])
    changes = trial.changes(good)
    changes.insert(1, *trial.changes({absent: 5}))
    before = trial.shown()
    try:
        results = {(one.listing_sku, one.location_id): one for one in trial.push(changes)}
    except RefusedError as error:
        want(trial.capabilities.atomicity != "row", f"the batch is refused, though rows stand alone: {error}")
        trial.want_unchanged(before, "though the batch is refused,")
        return
    for key in (absent, *good):
        want(key in results, f"there is no result for {named(key)}")
    status = results[absent].status
    want(status in {"rejected", "skipped"}, f"{named(absent)}, which the cart does not have, is {status}")
    for key in good:
        trial.want_taken(results[key])
    trial.want_unchanged({**before, **good}, "by this batch,")


def one_place_takes_one_number(trial: Trial) -> None:
    """Of rows that give one place, by two of its names, two numbers, none or the one that shows is taken."""
    trial.need_reading()
    (sku, _) = trial.rows(1)[0]
    twice = [one for one in trial.read([sku]) if one.listing_sku == sku and one.same_as is not None]
    places = [(one.location_id, one.same_as) for one in twice if one.state == "listed"]
    if not places or (trial.capabilities.rows_per_push or 2) < 2:  # noqa: PLR2004  two rows
        raise NotApplicable("no place goes by two names")
    before = trial.shown()
    place, other = places[0]
    changes = trial.changes({(sku, place): 7, (sku, other): 8})
    results = trial.push_or_refuse(changes)
    numbers = {(one.listing_sku, one.location_id): one.quantity for one in changes}
    told = {
        numbers[one.listing_sku, one.location_id] for one in results if one.status in {"accepted", "pending"}
    }
    want(len(told) < len(changes), f"{sku!r} at {place!r} and {other!r} is taken with {sorted(told)}")
    shown = trial.shown()
    moved = {key: units for key, units in shown.items() if units != before.get(key)}
    want(set(moved.values()) <= told, f"told {sorted(told)}, the cart shows {moved}")


def leaves_alone_what_it_must_not_tell(trial: Trial) -> None:
    """A push to a duplicate, an untracked or an unmanaged listing is refused, and nothing is written."""
    bench, tracks = trial.bench, trial.capabilities.untracked_policy == "track"
    skus = [bench.duplicate, bench.unmanaged, None if tracks else bench.untracked]
    given = [sku for sku in skus if sku is not None]
    if not given:
        raise NotApplicable("the bench gives no duplicate, untracked or unmanaged listing")
    for sku in given:
        trial.want_refused((sku, bench.locations[0]))


def an_unknown_location_is_refused(trial: Trial) -> None:
    """A row for a location that the cart does not have is refused, and changes nothing."""
    place = trial.need(trial.bench.absent_location, "absent location")
    trial.want_refused((trial.bench.listings[0], place))


def creates_what_it_says(trial: Trial) -> None:
    """A cart that makes listings makes one for a SKU that it does not have, with the quantity pushed."""
    if not trial.capabilities.creates_listings:
        raise NotApplicable("the cart makes no listings")
    there, place = {sku for sku, _ in trial.shown()}, trial.bench.locations[0]
    number = 1
    while f"{trial.bench.absent}-{number}" in there:
        number += 1
    wanted = {(f"{trial.bench.absent}-{number}", place): 7}
    trial.push_all(trial.changes(wanted))
    trial.want_shown(wanted)


def a_late_write_is_a_conflict(trial: Trial) -> None:
    """A cart that compares before it sets refuses a row that has moved since it was read, and no other."""
    _need_comparing(trial)
    key = trial.rows(1)[0]
    seen = trial.read([key[0]])
    moved = trial.other_numbers([key])
    trial.push_all(trial.changes(moved))
    (result,) = trial.push(trial.changes(trial.other_numbers([key]), seen=seen))
    want(result.status == "conflict", f"a late write of {named(key)} is {result.status}")
    trial.want_shown(moved, "after a late write")
    # omsync looks again after a conflict, and sends the row once more.
    last = trial.other_numbers([key])
    (again,) = trial.push(trial.changes(last))
    want(
        again.status != "conflict",
        f"after the cart was read again, a write of {named(key)} is {again.status}",
    )


def a_sale_is_not_taken_for_the_write(trial: Trial) -> None:
    """A cart that compares says so where a row has moved to the very quantity that it was to get.

    It answers ``"conflict"``, or ``"accepted"`` with the reason ``ALREADY_SHOWN``. A plain ``"accepted"``
    would say that omsync wrote the quantity, and the sale behind it would never be put on record.
    """
    _need_comparing(trial)
    key = trial.rows(1)[0]
    wanted = max(1, trial.capabilities.min_quantity)
    trial.push_all(trial.changes({key: wanted + 1}))
    late = trial.changes({key: wanted})
    # Somebody else has the cart show less meanwhile: a run of its own, which knows nothing of this one.
    other = trial.begun(trial.bench.sink)
    for one in trial.push(trial.changes({key: wanted}, sink=other), other):
        trial.want_taken(one)
    trial.want_shown({key: wanted}, "after the sale")
    (result,) = trial.push(late)
    told = f"{result.status} with the reason {result.reason!r}" if result.reason else result.status
    want(
        result.status == "conflict" or (result.status, result.reason) == ("accepted", ALREADY_SHOWN),
        f"{named(key)} was read as {wanted + 1} and was to show {wanted}; it came to show {wanted} before "
        f"the push, as by a sale, and is {told}: answer 'conflict', or 'accepted' with the reason "
        f"ALREADY_SHOWN ({ALREADY_SHOWN!r}) of omsync.ports, so that the sale is put on record",
    )
    trial.want_shown({key: wanted}, "after the push behind the sale")


def _need_comparing(trial: Trial) -> None:
    if trial.capabilities.compare_and_set == "blind":
        raise NotApplicable("the cart does not compare before it sets")


PUSHING = (
    pushing_nothing_is_no_error,
    answers_every_row_once,
    quantities_arrive_exactly,
    a_quantity_too_large_is_never_cut,
    echoes_what_the_cart_shows,
    shows_what_was_pushed,
    pushing_again_is_harmless,
    leaves_other_rows_alone,
    keeps_locations_apart,
    takes_a_full_batch,
    one_place_takes_one_number,
    leaves_alone_what_it_must_not_tell,
    an_unknown_listing_spares_the_others,
    an_unknown_location_is_refused,
    a_late_write_is_a_conflict,
    a_sale_is_not_taken_for_the_write,
    creates_what_it_says,
)
