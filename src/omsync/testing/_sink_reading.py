"""Checks of what a sink says about itself and of what it reads."""

from __future__ import annotations

from collections import Counter

from omsync.errors import OmsyncError
from omsync.ports import CartListing, SinkCapabilities
from omsync.testing._sink_trial import NotApplicable, Trial, named, want

# What it says about itself


def capabilities_are_known_beforehand(trial: Trial) -> None:
    """Capabilities are data, the same every time, and need no call: even with wrong credentials."""
    given: object = trial.sink.capabilities
    want(isinstance(given, SinkCapabilities), f"capabilities is {given!r}, not SinkCapabilities")
    said = trial.sink.capabilities
    want(said == given, "capabilities differ when asked a second time")
    if said.readable:
        trial.read([])
    want(said == trial.sink.capabilities, "capabilities differ once the cart was read")
    if trial.bench.unauthorized is not None:
        other = trial.bench.unauthorized.capabilities
        want(said == other, f"with wrong credentials they are {other}")


def secrets_stay_out_of_sight(trial: Trial) -> None:
    """No secret is in the sink's repr, in its destination or in the error of wrong credentials."""
    if not trial.bench.secrets:
        raise NotApplicable("the bench names no secrets")
    places = {"repr": repr(trial.sink), "str": str(trial.sink), "capabilities": repr(trial.capabilities)}
    if trial.bench.unauthorized is not None and trial.capabilities.readable:
        places["repr with wrong credentials"] = repr(trial.bench.unauthorized)
        try:
            trial.read([], trial.bench.unauthorized)
        except OmsyncError as error:
            places["error"] = f"{error} {error!r} {error.__cause__!r} {error.remedy} {error.problems}"
    telling = [place for place, words in places.items() if any(one in words for one in trial.bench.secrets)]
    want(not telling, f"a secret is in: {', '.join(telling)}")


# What it reads


def shows_the_true_figures(trial: Trial) -> None:
    """What is read of a listing is what the real cart shows, and listings that can be told of are listed."""
    trial.need_reading()
    truth = trial.shown()
    read = {(one.listing_sku, one.location_id): one for one in trial.read(trial.bench.listings)}
    unread = set(trial.bench.listings) - {sku for sku, _ in read}
    want(not unread, f"not read, though the bench says that the cart has them: {sorted(unread)[:5]}")
    for key in trial.rows():
        if key not in truth and key not in read:
            continue  # the cart keeps no row for this listing here
        listing = read.get(key)
        if listing is None:
            raise AssertionError(f"{named(key)} shows {truth.get(key)} and was not read")
        want(listing.state == "listed", f"{named(key)} is read as {listing.state}")
        want(
            listing.quantity == truth.get(key, 0),
            f"{named(key)} shows {truth.get(key)} and is read as {listing.quantity}",
        )


def gives_each_row_once(trial: Trial) -> None:
    """Each (listing, location) is read at most once, as a ``CartListing``, also if it is asked for twice."""
    trial.need_reading()
    read = trial.read([*trial.bench.listings, *trial.bench.listings])
    given: list[object] = list(read)
    strange = [one for one in given if not isinstance(one, CartListing)]
    want(not strange, f"read gives {strange[:1]!r}")
    times = Counter((one.listing_sku, one.location_id) for one in read)
    twice = [named(key) for key, number in times.items() if number > 1]
    want(not twice, f"read more than once: {', '.join(twice[:5])}")


def leaves_out_what_the_cart_has_not(trial: Trial) -> None:
    """A listing that the cart does not have is left out; it is no error and no 0."""
    trial.need_reading()
    absent, there = trial.bench.absent, trial.bench.listings[0]
    for asked in ([absent], [absent, there]):
        read = trial.read(asked)
        made_up = [one for one in read if one.listing_sku == absent]
        want(not made_up, f"{absent!r}, which the cart does not have, is read as {made_up[:1]}")
    want(any(one.listing_sku == there for one in read), f"{there!r} is missing beside {absent!r}")


def lists_all_or_only_what_was_asked(trial: Trial) -> None:
    """With ``lists_all`` the listings that nobody asked for are given too; without, they are not."""
    trial.need_reading()
    asked, *others = trial.bench.listings
    given = {one.listing_sku for one in trial.read([asked])}
    if trial.capabilities.lists_all:
        missing = sorted(set(others) - given)
        want(not missing, f"lists_all is True; asked for {asked!r}, it leaves out {missing[:5]}")
    else:
        want(given <= {asked}, f"lists_all is False; asked for {asked!r}, it gives {sorted(given)[:5]} too")


def reading_nothing_is_no_error(trial: Trial) -> None:
    """Asked for no listings it answers: with all it has if it lists all, with none otherwise."""
    trial.need_reading()
    read = trial.read([])
    if trial.capabilities.lists_all:
        want(bool(read), "lists_all is True, and nothing is listed")
    else:
        want(not read, f"asked for nothing, it gives {len(read)} rows")


def says_what_open_orders_hold(trial: Trial) -> None:
    """A cart that keeps units on hand says of every listing how many its open orders hold."""
    trial.need_reading()
    if trial.capabilities.quantity_meaning != "on_hand":
        raise NotApplicable("the cart shows available quantities")
    for listing in trial.read(trial.bench.listings):
        if listing.listing_sku in trial.bench.listings:
            key = (listing.listing_sku, listing.location_id)
            want(listing.allocated is not None, f"{named(key)} is read without what its orders hold")


def names_of_one_place_agree(trial: Trial) -> None:
    """A row that is ``same_as`` another repeats its figure, or adds all places up, and the other is there."""
    trial.need_reading()
    rows = {(one.listing_sku, one.location_id): one for one in trial.read(trial.bench.listings)}
    repeated = {key: one for key, one in rows.items() if one.same_as is not None}
    if not repeated:
        raise NotApplicable("no row is same_as another")
    for key, row in repeated.items():
        own = {
            one.location_id: one.quantity
            for one in rows.values()
            if one.listing_sku == row.listing_sku and one.same_as is None
        }
        want(
            row.same_as in own,
            f"{named(key)} is same_as {row.same_as!r}, which was not read as a place of its own",
        )
        figures = {own[row.same_as], sum(units or 0 for units in own.values())}
        want(
            row.quantity in figures,
            f"{named(key)} shows {row.quantity}, and {row.same_as!r}, which it repeats, another number",
        )


def reading_changes_nothing(trial: Trial) -> None:
    """Reading writes nothing to the cart."""
    trial.need_reading()
    before = trial.shown()
    trial.read([*trial.bench.listings, trial.bench.absent])
    trial.want_unchanged(before, "by reading,")


def states_a_duplicate(trial: Trial) -> None:
    """A SKU that several listings share is read as a duplicate."""
    _want_state(trial, trial.need(trial.bench.duplicate, "duplicate"), "duplicate")


def states_what_is_untracked(trial: Trial) -> None:
    """A listing whose stock the cart does not count is read as untracked."""
    _want_state(trial, trial.need(trial.bench.untracked, "untracked listing"), "untracked")


def states_what_is_unmanaged(trial: Trial) -> None:
    """A listing whose quantity the cart works out itself is read as unmanaged."""
    _want_state(trial, trial.need(trial.bench.unmanaged, "unmanaged listing"), "unmanaged")


def _want_state(trial: Trial, sku: str, state: str) -> None:
    trial.need_reading()
    states = {one.state for one in trial.read([sku]) if one.listing_sku == sku}
    want(states == {state}, f"{sku!r} is read as {' and '.join(sorted(states)) or 'nothing'}")


READING = (
    capabilities_are_known_beforehand,
    secrets_stay_out_of_sight,
    shows_the_true_figures,
    gives_each_row_once,
    leaves_out_what_the_cart_has_not,
    lists_all_or_only_what_was_asked,
    reading_nothing_is_no_error,
    says_what_open_orders_hold,
    names_of_one_place_agree,
    reading_changes_nothing,
    states_a_duplicate,
    states_what_is_untracked,
    states_what_is_unmanaged,
)
