"""Checks of what a sink pushes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from omsync.errors import RefusedError, UnauthorizedError
from omsync.ports import PushResult
from omsync.testing._sink_bench import Key, NotApplicable, Trial, named, want

_MORE_THAN_32_BITS = 2**31


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
    for number in sorted(numbers):
        if number == 0 or said.min_quantity <= number <= largest:
            trial.push_all(trial.changes({key: number}))
            trial.want_shown({key: number})
    home = trial.other_numbers([key])
    trial.push_all(trial.changes(home))
    trial.want_shown(home)


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
    # A cart that compares versions may find that its row has moved on: to what was wanted.
    allowed = {"conflict"} if trial.capabilities.compare_and_set == "version" else set()
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
    """A batch of as many rows as the capabilities allow is taken as a whole."""
    keys = trial.rows()
    if trial.capabilities.grouping == "by_location":
        keys = [key for key in keys if key[1] == keys[0][1]]
    most = trial.capabilities.rows_per_push or len(keys)
    if len(keys) < most:
        raise NotApplicable(f"a push takes {most:,} rows, and the bench has {len(keys):,}")
    wanted = trial.other_numbers(keys[:most])
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


def an_unknown_location_is_refused(trial: Trial) -> None:
    """A row for a location that the cart does not have is refused, and changes nothing."""
    place = trial.need(trial.bench.absent_location, "absent location")
    _want_refused(trial, (trial.bench.listings[0], place))


def codes_are_compared_exactly(trial: Trial) -> None:
    """A code that differs by letter case or by a blank is another one: neither read nor written for it."""
    truth = {sku for sku, _ in trial.shown()}
    sku, place = trial.rows(1)[0]
    for other in (sku.swapcase(), f"{sku} "):
        if other in {*truth, *trial.bench.listings}:
            continue
        if trial.capabilities.readable:
            read = [one for one in trial.read([other]) if one.listing_sku == other]
            want(not read, f"asked for {other!r}, it answers {read[:1]}, which is {sku!r}")
        if not trial.capabilities.creates_listings:
            _want_refused(trial, (other, place))


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
    """A cart that compares before it sets refuses a row whose figure has moved since it was read."""
    if trial.capabilities.compare_and_set == "blind":
        raise NotApplicable("the cart does not compare before it sets")
    key = trial.rows(1)[0]
    seen = trial.read([key[0]])
    moved = trial.other_numbers([key])
    trial.push_all(trial.changes(moved))
    (result,) = trial.push(trial.changes(trial.other_numbers([key]), seen=seen))
    want(result.status == "conflict", f"a late write of {named(key)} is {result.status}")
    trial.want_shown(moved, "after a late write")


def _want_refused(trial: Trial, key: Key) -> None:
    """Want a row that is nothing to this cart to come back refused, with nothing written."""
    before = trial.shown()
    try:
        results: Sequence[PushResult] = trial.push(trial.changes({key: 5}))
    except UnauthorizedError:
        raise
    except RefusedError:
        results = ()
    trial.want_unchanged(before, f"by pushing {named(key)},")
    for result in results:
        want(result.status in {"rejected", "skipped"}, f"{named(key)} is {result.status}")


PUSHING = (
    answers_every_row_once,
    quantities_arrive_exactly,
    echoes_what_the_cart_shows,
    shows_what_was_pushed,
    pushing_again_is_harmless,
    leaves_other_rows_alone,
    keeps_locations_apart,
    takes_a_full_batch,
    an_unknown_listing_spares_the_others,
    an_unknown_location_is_refused,
    codes_are_compared_exactly,
    a_late_write_is_a_conflict,
    creates_what_it_says,
)
