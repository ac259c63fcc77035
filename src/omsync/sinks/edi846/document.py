"""From quantities to the text of an interchange. Pure: values in, text out.

Source: X12 releases 004010 and 005010, transaction set 846, functional group IB. No text is changed here;
what cannot be written was refused before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from attrs import evolve, frozen

from omsync.sinks.edi846.profile import PartnerProfile, Segment

__all__ = ["PAIRS_IN_SDQ", "Item", "Numbers", "interchange", "split_into_sets"]

PAIRS_IN_SDQ = 10
"""(facility, quantity) pairs that one SDQ segment has room for."""


@frozen(kw_only=True)
class Item:
    """One product in a document.

    Args:
        listing_sku: The cart's code.
        codes: Pairs of qualifier and code, as LIN wants them.
        quantities: By the cart's location (None for a total): how many.
        discontinued: Whether it is marked so.
    """

    listing_sku: str
    codes: tuple[tuple[str, str], ...]
    quantities: tuple[tuple[str | None, int], ...]
    discontinued: bool = False

    @property
    def total(self) -> int:
        """How many there are at all locations."""
        return sum(quantity for _, quantity in self.quantities)


@frozen(kw_only=True)
class Numbers:
    """The control numbers of one interchange, its one group, and the group's transaction sets."""

    document: int
    sets: tuple[int, ...]


def split_into_sets(items: Sequence[Item], profile: PartnerProfile) -> list[tuple[Item, ...]]:
    """Share the items out to transaction sets: one for all, or one for each warehouse."""
    if profile.warehouses != "set_per_warehouse":
        return [tuple(items)]
    places = sorted({place or "" for item in items for place, _ in item.quantities})
    return [
        tuple(
            evolve(item, quantities=here)
            for item in items
            if (here := tuple(pair for pair in item.quantities if pair[0] == place))
        )
        for place in places
    ]


def interchange(
    sets: Sequence[Sequence[Item]], profile: PartnerProfile, numbers: Numbers, at: datetime
) -> str:
    """Write one interchange: envelope, one group, and its transaction sets, one number each.

    Args:
        sets: The items of each transaction set, as ``split_into_sets`` gives them.
        profile: The partner's.
        numbers: Control numbers, as many for sets as there are sets.
        at: When, told by the profile's clock.
    """
    now = at.astimezone(profile.timezone)
    segments = list(_envelope(profile, numbers, now))
    for number, items in zip(numbers.sets, sets, strict=True):
        control = f"{number:09d}"
        body = [("ST", "846", control), *_body(items, profile, control, now)]
        segments += [*body, ("SE", str(len(body) + 1), control)]
    segments.append(("GE", str(len(sets)), str(numbers.document)))
    segments.append(("IEA", "1", f"{numbers.document:09d}"))
    end = profile.segment + profile.line_break
    return "".join(profile.element.join(_trimmed(segment)) + end for segment in segments)


def _trimmed(segment: Segment) -> Segment:
    while not segment[-1]:
        segment = segment[:-1]
    return segment


def _envelope(profile: PartnerProfile, numbers: Numbers, now: datetime) -> Iterator[Segment]:
    sender, receiver = profile.sender, profile.receiver
    later = profile.version == "005010"
    yield (
        "ISA",
        *("00", " " * 10, "00", " " * 10),
        *(sender.qualifier, f"{sender.id:15}", receiver.qualifier, f"{receiver.id:15}"),
        *(f"{now:%y%m%d}", f"{now:%H%M}"),
        *(profile.repetition if later else "U", profile.version[:5], f"{numbers.document:09d}"),
        *("0", "T" if profile.usage == "test" else "P", profile.component),
    )
    yield (
        "GS",
        "IB",
        *(sender.group_code or sender.id, receiver.group_code or receiver.id),
        *(f"{now:%Y%m%d}", f"{now:%H%M}", str(numbers.document), "X", profile.version),
    )


def _body(items: Sequence[Item], profile: PartnerProfile, control: str, now: datetime) -> Iterator[Segment]:
    yield ("BIA", profile.purpose, profile.report_type, control, f"{now:%Y%m%d}", f"{now:%H%M}")
    yield from profile.header
    if profile.warehouses == "set_per_warehouse":
        yield _named(items[0].quantities[0][0], profile)
    entries = [entry for item in items for entry in _entries(item, profile)]
    for number, item in enumerate(entries, start=1):
        codes = (text for pair in item.codes for text in pair)
        yield ("LIN", str(number), *codes)
        if item.discontinued:
            yield tuple(text.replace("{date}", f"{now:%Y%m%d}") for text in profile.discontinued_segment)
        yield from _quantities(item, profile)
    yield ("CTT", str(len(entries)))


def _entries(item: Item, profile: PartnerProfile) -> tuple[Item, ...]:
    """Give an item as often as it has a LIN of its own."""
    if profile.warehouses != "n1_lin":
        return (item,)
    return tuple(evolve(item, quantities=(pair,)) for pair in item.quantities)


def _quantities(item: Item, profile: PartnerProfile) -> Iterator[Segment]:
    quantity = _quantity(item.total, profile)
    if profile.warehouses == "n1_lin":
        place = _named(item.quantities[0][0], profile)
        yield from (place, quantity) if profile.n1_before_quantity else (quantity, place)
        return
    yield quantity
    if profile.warehouses == "sdq":
        yield from _sdq(item, profile)
    elif profile.warehouses == "loops":
        yield from _loops(item, profile)


def _sdq(item: Item, profile: PartnerProfile) -> Iterator[Segment]:
    for start in range(0, len(item.quantities), PAIRS_IN_SDQ):
        pairs = item.quantities[start : start + PAIRS_IN_SDQ]
        texts = (text for place, quantity in pairs for text in (_code(place, profile), str(quantity)))
        yield ("SDQ", profile.unit, profile.facility_qualifier, *texts)


def _loops(item: Item, profile: PartnerProfile) -> Iterator[Segment]:
    begin, end = ("LS", profile.loop_id), ("LE", profile.loop_id)
    each = profile.loop_bounds == "each"
    if not each:
        yield begin
    for place, quantity in item.quantities:
        inner = (("REF", profile.loop_reference, _code(place, profile)), _quantity(quantity, profile))
        yield from (begin, *inner, end) if each else inner
    if not each:
        yield end


def _quantity(quantity: int, profile: PartnerProfile) -> Segment:
    return ("QTY", profile.quantity_qualifier, str(quantity), profile.unit)


def _named(place: str | None, profile: PartnerProfile) -> Segment:
    facility = profile.facilities[place or ""]
    name = profile.name_of(facility)
    return ("N1", profile.facility_entity, name, profile.facility_qualifier, facility.code)


def _code(place: str | None, profile: PartnerProfile) -> str:
    return profile.facilities[place or ""].code
