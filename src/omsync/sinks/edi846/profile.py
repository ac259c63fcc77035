"""A trading partner as a value: who writes to whom, in which dialect, how warehouses are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from typing import Any

from attrs import Attribute, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, SettingsError, WrongTypeError

__all__ = ["LISTING_SKU", "STYLES", "Facility", "PartnerProfile", "Party", "unwritable"]

LISTING_SKU = "listing_sku"
"""The name of the one code that every item has: the cart's own."""

STYLES = ("total", "sdq", "loops", "n1_lin", "set_per_warehouse")
Segment = tuple[str, ...]


def _of_length(shortest: int, longest: int) -> checks.Validator:
    def check(instance: object, attribute: Attribute[Any], value: Any) -> None:
        checks.any_text(instance, attribute, value)
        if not shortest <= len(value) <= longest or value != value.strip():
            raise InvalidValueError(
                f"{type(instance).__name__}.{attribute.name} must have {shortest} to {longest} characters "
                f"and no spaces around them, not {checks.shown(value)}"
            )

    return check


@frozen(kw_only=True)
class Party:
    """One side of the exchange.

    Args:
        id: The interchange id (ISA06, ISA08), 2 to 15 characters.
        qualifier: What kind of id that is (ISA05, ISA07): ``"ZZ"`` mutually defined, ``"12"`` a telephone
            number, ``"01"`` a D-U-N-S number.
        group_code: The application's code (GS02, GS03), 2 to 15 characters; None: the id.
    """

    id: str = field(validator=_of_length(2, 15))
    qualifier: str = field(default="ZZ", validator=_of_length(2, 2))
    group_code: str | None = field(default=None, validator=checks.optional(_of_length(2, 15)))


@frozen(kw_only=True)
class Facility:
    """What a partner calls one of your warehouses.

    Args:
        code: The partner's facility code, 2 to 30 characters.
        name: A name for people, up to 60 characters; written only in N1 segments.
    """

    code: str = field(validator=_of_length(2, 30))
    name: str = field(default="", validator=_of_length(0, 60))


def _facilities(value: Mapping[str, Facility | str]) -> Mapping[str, Any]:
    made = checks.as_mapping(value)
    return checks.as_mapping(
        {place: Facility(code=one) if isinstance(one, str) else one for place, one in made.items()}
    )


def _segments(value: Iterable[Iterable[str]]) -> tuple[Segment, ...]:
    return tuple(checks.as_tuple(segment) for segment in checks.as_tuple(value))


@frozen(kw_only=True)
class PartnerProfile:
    """How one trading partner wants its 846 documents.

    Args:
        sender: You.
        receiver: The partner.
        usage: ``"test"`` or ``"production"`` (ISA15). Each has its own folder, since what a partner was told
            in tests it does not know in production.
        version: ``"004010"`` or ``"005010"``.
        contents: ``"full"``: every document holds everything, also when nothing changed. ``"changes"``: a
            document holds what changed, and there is none when nothing did.
        warehouses: ``"total"``: one quantity an item. ``"sdq"``: the total, then SDQ segments of up to ten
            (facility, quantity) pairs. ``"loops"``: the total, then LS/LE loops. ``"n1_lin"``: a LIN with its
            own N1 for each warehouse. ``"set_per_warehouse"``: a transaction set for each warehouse.
        facilities: By the cart's location, the partner's facility (or just its code). Wanted by every style
            but ``"total"``.
        facility_qualifier: What kind of code those are; ``"92"``: assigned by the buyer.
        facility_entity: The N1 segment's word for a warehouse.
        n1_before_quantity: For ``"n1_lin"``: N1 comes before QTY instead of after it.
        loop_id: For ``"loops"``: the id in LS and LE.
        loop_reference: For ``"loops"``: the REF segment's qualifier of a warehouse.
        loop_bounds: For ``"loops"``: ``"each"`` warehouse has its own LS and LE, or one pair encloses
            ``"all"``.
        item_codes: The pairs of LIN, in their order: (qualifier, name of the code). ``LISTING_SKU`` names the
            cart's own code, other names those that you give the sink as ``codes``. A code that an item does
            not have is left out.
        skip_without: The name of a code without which an item is not sent, such as the buyer's; None sends
            all.
        discontinued_segment: What marks a discontinued item, after its LIN; ``"{date}"`` stands for the
            document's date.
        purpose: BIA01; ``"00"``: original.
        report_type: BIA02; ``"SI"``: seller inventory report, ``"DD"``: distributor's.
        header: Further segments after BIA, such as ``("REF", "IA", "12345")`` or ``("N1", "VN", "Acme")``.
        quantity_qualifier: QTY01; ``"33"``: available for sale.
        unit: The unit of measure.
        element: What separates elements.
        segment: What ends a segment.
        component: What separates components (ISA16).
        repetition: What separates repetitions (ISA11 of 005010; unused in 004010).
        line_break: What follows a segment's end, to please the eye.
        encoding: ``"ascii"``, ``"latin-1"`` or ``"utf-8"``; a code that it does not have is refused.
        replacement: What a delimiter in a facility's name becomes; None refuses the name. Codes are never
            changed.
        timezone: Whose clock the dates and times are told by.
        acknowledged_within: How soon the 997 is due; None: this partner sends none.

    Raises:
        InvalidValueError: A field breaks its own rule.
        SettingsError: Fields contradict each other, or a text holds a delimiter.
    """

    sender: Party = field(validator=checks.instance_of(Party))
    receiver: Party = field(validator=checks.instance_of(Party))
    usage: str = field(validator=checks.one_of("test", "production"))
    version: str = field(default="004010", validator=checks.one_of("004010", "005010"))
    contents: str = field(default="full", validator=checks.one_of("full", "changes"))
    warehouses: str = field(default="total", validator=checks.one_of(*STYLES))
    facilities: Mapping[str, Facility] = field(
        factory=dict,
        converter=_facilities,
        validator=checks.mapping(checks.text, checks.instance_of(Facility)),
    )
    facility_qualifier: str = field(default="92", validator=_of_length(1, 2))
    facility_entity: str = field(default="WH", validator=_of_length(2, 3))
    n1_before_quantity: bool = field(default=False, validator=checks.flag)
    loop_id: str = field(default="REF", validator=_of_length(1, 6))
    loop_reference: str = field(default="WS", validator=_of_length(2, 3))
    loop_bounds: str = field(default="each", validator=checks.one_of("each", "all"))
    item_codes: tuple[tuple[str, str], ...] = field(default=(("SK", LISTING_SKU),), converter=_segments)
    skip_without: str | None = field(default=None, validator=checks.optional(checks.text))
    discontinued_segment: Segment = field(
        default=("PID", "F", "", "", "", "DISCONTINUED"), converter=checks.as_tuple
    )
    purpose: str = field(default="00", validator=_of_length(2, 2))
    report_type: str = field(default="SI", validator=_of_length(2, 2))
    header: tuple[Segment, ...] = field(default=(), converter=_segments)
    quantity_qualifier: str = field(default="33", validator=_of_length(2, 2))
    unit: str = field(default="EA", validator=_of_length(2, 2))
    element: str = "*"
    segment: str = "~"
    component: str = ">"
    repetition: str = "^"
    line_break: str = field(default="", validator=checks.one_of("", "\n", "\r\n"))
    encoding: str = field(default="ascii", validator=checks.one_of("ascii", "latin-1", "utf-8"))
    replacement: str | None = field(default=None, validator=checks.optional(checks.any_text))
    timezone: tzinfo = field(default=UTC, validator=checks.instance_of(tzinfo))
    acknowledged_within: timedelta | None = field(
        default=timedelta(days=1), validator=checks.optional(checks.instance_of(timedelta))
    )

    def __attrs_post_init__(self) -> None:
        self._check_delimiters()
        self._check_facilities()
        self._check_items()
        for where, written in self._texts():
            if problem := unwritable(written, self):
                raise SettingsError(
                    f"The partner profile's {where} {written!r} cannot be written: {problem[1]}",
                    code=problem[0],
                    remedy="Correct the text, or choose other delimiters or another encoding.",
                )

    @property
    def delimiters(self) -> str:
        """Every character that no text may hold."""
        used = self.element + self.segment + self.component
        return used + self.repetition if self.version == "005010" else used

    @property
    def names_locations(self) -> bool:
        """Whether a document tells quantities by warehouse."""
        return self.warehouses != "total"

    def name_of(self, facility: Facility) -> str:
        """Give a facility's name as it is written, its delimiters replaced."""
        if self.replacement is None:
            return facility.name
        return "".join(self.replacement if one in self.delimiters else one for one in facility.name)

    def _check_delimiters(self) -> None:
        given = (self.element, self.segment, self.component, self.repetition)
        for one in given:
            if type(one) is not str:
                raise WrongTypeError(f"A delimiter is one character, not {checks.shown(one)}")
            if len(one) != 1 or one.isalnum() or one in " -." or not one.isascii():
                raise InvalidValueError(
                    f"A delimiter is one ASCII character that is no letter, digit, space, dot or hyphen, "
                    f"not {one!r}"
                )
        if len(set(given)) != len(given):
            raise SettingsError(
                f"Two delimiters are the same: {' '.join(map(repr, given))}",
                code="delimiters_alike",
                remedy="Choose four different characters.",
            )

    def _check_facilities(self) -> None:
        if self.names_locations and not self.facilities:
            raise SettingsError(
                f"The style {self.warehouses!r} tells warehouses, and no facilities are given",
                code="no_facilities",
                remedy="Give facilities={location: the partner's code}.",
            )
        for place in self.facilities:
            if not place.isprintable():
                raise InvalidValueError(f"A location's name holds a control character: {place!r}")
        codes = [facility.code for facility in self.facilities.values()]
        if len(set(codes)) != len(codes):
            raise SettingsError(
                f"Two locations have one facility code: {', '.join(sorted(codes))}",
                code="facility_named_twice",
                remedy="Let the cart's location_map send both warehouses to one location; they are added up.",
            )

    def _check_items(self) -> None:
        names = [name for _, name in (_pair(one) for one in self.item_codes)]
        if not names:
            raise SettingsError("item_codes is empty", code="no_item_codes", remedy="Name at least one code.")
        if LISTING_SKU not in names and self.skip_without not in names:
            raise SettingsError(
                "An item could be without any code",
                code="item_without_code",
                remedy="Let item_codes name LISTING_SKU, or a code that skip_without requires.",
            )

    def _texts(self) -> Iterator[tuple[str, str]]:
        for party in (self.sender, self.receiver):
            yield from (("party", one) for one in (party.id, party.qualifier, party.group_code or ""))
        for facility in self.facilities.values():
            yield "facility code", facility.code
            yield "facility name", self.name_of(facility)
        for segment in (*self.header, self.discontinued_segment, *self.item_codes):
            yield from (("segment text", one) for one in segment)
        for one in (self.facility_qualifier, self.facility_entity, self.loop_id, self.loop_reference):
            yield "setting", one
        for one in (self.purpose, self.report_type, self.quantity_qualifier, self.unit):
            yield "setting", one


def _pair(given: tuple[str, ...]) -> tuple[str, str]:
    if len(given) != 2 or not all(type(one) is str and one for one in given):  # noqa: PLR2004  a pair
        raise WrongTypeError(f"item_codes holds (qualifier, name of a code) pairs, not {checks.shown(given)}")
    return given[0], given[1]


def unwritable(text: str, profile: PartnerProfile) -> tuple[str, str] | None:
    """Say why a text cannot be an element, as a code and a sentence; None when it can.

    X12 knows no way to escape a delimiter. Source: X12.6, application control structure.
    """
    if type(text) is not str:
        return "no_text", f"it is no text, but {checks.shown(text)}"
    for one in profile.delimiters:
        if one in text:
            return "delimiter_in_text", f"it holds {one!r}, which is a delimiter"
    if not text.isprintable():
        strange = next(one for one in text if not one.isprintable())
        return "not_printable", f"it holds the control character {strange!r}"
    try:
        text.encode(profile.encoding)
    except UnicodeEncodeError as error:
        return "not_encodable", f"{text[error.start]!r} is not in {profile.encoding}"
    return None
