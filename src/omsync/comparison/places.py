"""Which locations of two snapshots are one and the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from omsync.allocation.locations import find_place
from omsync.errors import SettingsError
from omsync.model import Place

__all__ = ["matched", "words"]


def matched(a: Sequence[Place], b: Sequence[Place], same_places: Mapping[str, str]) -> dict[str, Place]:
    """Give, by the id of a location of the first, the location of the second that it is.

    Those that ``same_places`` names; then those of one id and name; then those of one name that is unique on
    both sides; then those of one id. Two systems may give one id to different places, so the name goes first.

    Raises:
        SettingsError: ``same_places`` names what there is not, or one location twice.
    """
    pairs: dict[str, Place] = {}
    taken: set[str] = set()
    for one, other in same_places.items():
        first, second = find_place(a, one, "same_places"), find_place(b, other, "same_places")
        if first.id in pairs or second.id in taken:
            raise SettingsError(
                f"same_places names {words(second if second.id in taken else first)} twice",
                code="place_named_twice",
                remedy="Pair each location with one other.",
            )
        pairs[first.id] = second
        taken.add(second.id)
    keys: tuple[Callable[[Place], object], ...] = (
        lambda place: (place.id, place.name),
        lambda place: place.name or None,
        lambda place: place.id,
    )
    for key in keys:
        left = [place for place in a if place.id not in pairs]
        right = [place for place in b if place.id not in taken]
        times = [Counter(map(key, side)) for side in (left, right)]
        by_key = {key(place): place for place in right}
        for place in left:
            value = key(place)
            if value is not None and all(counts[value] == 1 for counts in times):
                pairs[place.id] = by_key[value]
                taken.add(by_key[value].id)
    return pairs


def words(place: Place) -> str:
    """Name a location for a person."""
    return f"{place.name} ({place.id})" if place.name and place.name != place.id else place.id
