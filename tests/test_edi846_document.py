"""The text of an 846 document, as an independent X12 reader understands it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from edi846_partner import quantities, segments
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync.errors import InvalidValueError, OmsyncError, SettingsError, WrongTypeError
from omsync.sinks.edi846 import LISTING_SKU, Facility, PartnerProfile, Party
from omsync.sinks.edi846.document import Item, Numbers, interchange, split_into_sets
from omsync.sinks.edi846.profile import STYLES, unwritable

NOW = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
PLACES = {"EAST": Facility(code="0001", name="Reno"), "WEST": Facility(code="0002")}


def profile(**given: Any) -> PartnerProfile:
    fields: dict[str, Any] = {
        "sender": Party(id="ACME"),
        "receiver": Party(id="BIGBOX", qualifier="12", group_code="BBX"),
        "usage": "test",
        **given,
    }
    if fields.get("warehouses", "total") != "total":
        fields.setdefault("facilities", PLACES)
    return PartnerProfile(**fields)


def item(sku: str, quantities: dict[str | None, int], **more: Any) -> Item:
    given: dict[str, Any] = {"codes": (("SK", sku),), **more}
    return Item(listing_sku=sku, quantities=tuple(quantities.items()), **given)


def written(partner: PartnerProfile, *items: Item, document: int = 12) -> str:
    sets = split_into_sets(items, partner)
    numbers = Numbers(document=document, sets=tuple(range(34, 34 + len(sets))))
    return interchange(sets, partner, numbers, NOW)


def body(text: str) -> list[str]:
    return ["*".join(segment) for segment in segments(text)][3:-3]


def test_a_total_is_one_line_and_one_quantity_for_each_item() -> None:
    text = written(profile(), item("MUG", {None: 7}), item("SPOON", {None: 0}))

    assert text == (
        "ISA*00*          *00*          *ZZ*ACME           *12*BIGBOX         "
        "*260302*0805*U*00401*000000012*0*T*>~"
        "GS*IB*ACME*BBX*20260302*0805*12*X*004010~"
        "ST*846*000000034~"
        "BIA*00*SI*000000034*20260302*0805~"
        "LIN*1*SK*MUG~QTY*33*7*EA~"
        "LIN*2*SK*SPOON~QTY*33*0*EA~"
        "CTT*2~SE*8*000000034~GE*1*12~IEA*1*000000012~"
    )
    assert quantities(segments(text)) == {("MUG", None): 7, ("SPOON", None): 0}


def test_release_5010_names_itself_and_its_repetition_separator() -> None:
    isa, gs = segments(written(profile(version="005010", usage="production"), item("MUG", {None: 7})))[:2]

    assert (isa[11], isa[12], isa[15]) == ("^", "00501", "P")
    assert gs[8] == "005010"


def test_sdq_has_at_most_ten_pairs_a_segment_and_the_total_before_them() -> None:
    places = {f"W{n:02d}": Facility(code=f"F{n:02d}") for n in range(23)}
    text = written(
        profile(warehouses="sdq", facilities=places),
        item("MUG", {place: n for n, place in enumerate(places)}),
    )

    lines = body(text)
    assert lines[2] == "QTY*33*253*EA"
    assert [line.count("*") for line in lines if line.startswith("SDQ")] == [22, 22, 8]
    assert lines[3].startswith("SDQ*EA*92*F00*0*F01*1*")
    assert quantities(segments(text))["MUG", "F22"] == 22


def test_loops_enclose_each_warehouse_or_all_of_them() -> None:
    mug = item("MUG", {"EAST": 3, "WEST": 4})

    assert body(written(profile(warehouses="loops"), mug))[1:-1] == [
        "LIN*1*SK*MUG",
        "QTY*33*7*EA",
        *("LS*REF", "REF*WS*0001", "QTY*33*3*EA", "LE*REF"),
        *("LS*REF", "REF*WS*0002", "QTY*33*4*EA", "LE*REF"),
    ]
    assert body(written(profile(warehouses="loops", loop_bounds="all", loop_id="0100"), mug))[3:-1] == [
        "LS*0100",
        *("REF*WS*0001", "QTY*33*3*EA", "REF*WS*0002", "QTY*33*4*EA"),
        "LE*0100",
    ]


def test_a_line_for_each_warehouse_names_it_after_or_before_the_quantity() -> None:
    mug = item("MUG", {"EAST": 3, "WEST": 4})

    assert body(written(profile(warehouses="n1_lin"), mug))[1:] == [
        *("LIN*1*SK*MUG", "QTY*33*3*EA", "N1*WH*Reno*92*0001"),
        *("LIN*2*SK*MUG", "QTY*33*4*EA", "N1*WH**92*0002"),
        "CTT*2",
    ]
    before = profile(warehouses="n1_lin", n1_before_quantity=True)
    assert body(written(before, mug))[1:4] == ["LIN*1*SK*MUG", "N1*WH*Reno*92*0001", "QTY*33*3*EA"]


def test_a_set_for_each_warehouse_has_its_own_number_and_only_the_items_there() -> None:
    text = written(
        profile(warehouses="set_per_warehouse"),
        item("MUG", {"EAST": 3, "WEST": 4}),
        item("SPOON", {"WEST": 5}),
    )

    read = segments(text)
    assert [segment[2] for segment in read if segment[0] == "ST"] == ["000000034", "000000035"]
    assert quantities(read) == {("MUG", "0001"): 3, ("MUG", "0002"): 4, ("SPOON", "0002"): 5}


def test_an_item_may_have_several_codes_and_be_marked_as_discontinued() -> None:
    mug = item("MUG", {None: 7}, codes=(("SK", "MUG"), ("UP", "012345678905")), discontinued=True)

    assert body(written(profile(), mug))[1:3] == ["LIN*1*SK*MUG*UP*012345678905", "PID*F****DISCONTINUED"]
    dated = profile(discontinued_segment=("DTM", "036", "{date}"))
    assert body(written(dated, mug))[2] == "DTM*036*20260302"


def test_further_header_segments_come_after_the_beginning() -> None:
    partner = profile(header=[("REF", "IA", "V-77"), ("N1", "VN", "Acme, Inc.", "", "")])

    assert body(written(partner, item("MUG", {None: 7})))[:3] == [
        "BIA*00*SI*000000034*20260302*0805",
        "REF*IA*V-77",
        "N1*VN*Acme, Inc.",
    ]


def test_the_partner_s_clock_tells_the_date() -> None:
    there = profile(timezone=timezone(timedelta(hours=-9)))

    assert written(there, item("MUG", {None: 7})).startswith("ISA") is True
    assert body(written(there, item("MUG", {None: 7})))[0].endswith("*20260301*2305")


def test_segments_may_stand_on_lines_of_their_own() -> None:
    text = written(profile(line_break="\r\n"), item("MUG", {None: 7}))

    assert text.count("~\r\n") == text.count("~")
    assert quantities(segments(text)) == {("MUG", None): 7}


SKUS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S"), exclude_characters="*~>^|\n"))


@settings(deadline=None)
@given(
    st.dictionaries(
        SKUS.map(lambda sku: f"S{sku}"[:48]),
        st.dictionaries(st.sampled_from([f"W{n}" for n in range(12)]), st.integers(0, 10**9), min_size=1),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(STYLES),
    st.sampled_from(["004010", "005010"]),
    st.sampled_from(["each", "all"]),
    st.sampled_from(["*", "|"]),
)
def test_an_independent_reader_finds_no_fault_and_the_same_quantities(
    stock: dict[str, dict[str, int]], style: str, version: str, bounds: str, element: str
) -> None:
    facilities = {f"W{n}": f"F{n}" for n in range(12)}
    partner = profile(
        warehouses=style, facilities=facilities, version=version, loop_bounds=bounds, element=element
    )
    total = style == "total"
    items = [
        item(sku, {None: sum(places.values())} if total else dict(sorted(places.items())))
        for sku, places in stock.items()
    ]

    told = quantities(segments(written(partner, *items)))

    by_place = {(sku, facilities[place]): n for sku, places in stock.items() for place, n in places.items()}
    totals = {(sku, None): sum(places.values()) for sku, places in stock.items()}
    expected = {
        "total": totals,
        "sdq": totals | by_place,
        "loops": totals | by_place,
        "n1_lin": by_place,
        "set_per_warehouse": by_place,
    }
    assert told == expected[style]


# The profile.


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"element": "**"}, InvalidValueError, "one ASCII character"),
        ({"element": "A"}, InvalidValueError, "one ASCII character"),
        ({"segment": "-"}, InvalidValueError, "one ASCII character"),
        ({"component": "\u00a7"}, InvalidValueError, "one ASCII character"),
        ({"segment": 5}, WrongTypeError, "not 5"),
        ({"segment": "*"}, SettingsError, "Two delimiters are the same"),
        ({"repetition": ">"}, SettingsError, "Two delimiters are the same"),
        ({"warehouses": "sdq", "facilities": {}}, SettingsError, "no facilities are given"),
        ({"warehouses": "sdq", "facilities": {"A": "01", "B": "01"}}, SettingsError, "one facility code"),
        ({"facilities": {"A": "1"}}, InvalidValueError, "2 to 30 characters"),
        ({"facilities": {"A": 5}}, WrongTypeError, "Facility"),
        ({"facilities": {"A\tB": "01"}}, InvalidValueError, "control character"),
        ({"facilities": {"A": "01*2"}}, SettingsError, "which is a delimiter"),
        (
            {"facilities": {"A": Facility(code="01", name="Reno~1")}},
            SettingsError,
            "'Reno~1' cannot be written",
        ),
        ({"header": [("REF", "IA", "7\n7")]}, SettingsError, "control character"),
        ({"header": [("REF", "IA", 7)]}, SettingsError, "it is no text"),
        ({"header": ["REF"]}, WrongTypeError, "bare text"),
        ({"report_type": "S~"}, SettingsError, "delimiter"),
        ({"loop_id": "R*F"}, SettingsError, "delimiter"),
        ({"item_codes": []}, SettingsError, "item_codes is empty"),
        ({"item_codes": [("SK",)]}, WrongTypeError, "pairs"),
        ({"item_codes": [("BP", "buyer")]}, SettingsError, "without any code"),
        ({"sender": Party(id="\u00c4CME")}, SettingsError, "not in ascii"),
        ({"usage": "T"}, InvalidValueError, "usage"),
        ({"acknowledged_within": 5}, WrongTypeError, "timedelta"),
    ],
)
def test_a_profile_that_cannot_be_written_is_refused_by_name(
    given: dict[str, Any], error: type[OmsyncError], says: str
) -> None:
    with pytest.raises(error, match=says):
        profile(**given)


def test_ids_have_the_length_of_their_elements() -> None:
    for wrong in ("A", "A" * 16, " ACME"):
        with pytest.raises(InvalidValueError, match="2 to 15 characters"):
            Party(id=wrong)


def test_a_facility_s_name_may_have_its_delimiters_replaced_but_no_code_is_ever_changed() -> None:
    facilities = {"A": Facility(code="01", name="Reno*East~1")}
    partner = profile(warehouses="n1_lin", facilities=facilities, replacement=" ")

    assert body(written(partner, item("MUG", {"A": 1})))[3] == "N1*WH*Reno East 1*92*01"


def test_an_item_needs_no_listing_sku_where_another_code_is_required() -> None:
    assert profile(item_codes=[("BP", "buyer")], skip_without="buyer").item_codes == (("BP", "buyer"),)
    assert profile(item_codes=[("BP", LISTING_SKU)]).item_codes == (("BP", LISTING_SKU),)


def test_the_repetition_separator_is_a_delimiter_only_where_the_release_has_it() -> None:
    assert unwritable("A^B", profile()) is None
    assert unwritable("A^B", profile(version="005010")) == (
        "delimiter_in_text",
        "it holds '^', which is a delimiter",
    )


def test_what_an_encoding_does_not_have_is_named() -> None:
    assert unwritable("Gr\u00f6\u00dfe", profile()) == ("not_encodable", "'\u00f6' is not in ascii")
    assert unwritable("Gr\u00f6\u00dfe", profile(encoding="latin-1")) is None
    assert unwritable("\u4e2d", attrs.evolve(profile(), encoding="utf-8")) is None
