"""What a partner answers: acknowledgements read from whatever delimiters they declare."""

from __future__ import annotations

import pytest
from edi846_partner import acknowledgement, envelope

from omsync.errors import DecodeError
from omsync.sinks.edi846 import Verdict, read_interchanges


def verdicts(text: str) -> list[tuple[int, int | None, str]]:
    return [
        (one.document, one.set_number, one.status)
        for received in read_interchanges(text)
        for one in received.verdicts
    ]


def test_an_acknowledgement_is_read_set_by_set_and_as_a_whole() -> None:
    text = envelope(acknowledgement(12, {34: "A", 35: "E", 36: "R"}, "P"))

    (received,) = read_interchanges(text)
    assert (received.sender, received.receiver) == ("BIGBOX", "ACME")
    assert verdicts(text) == [
        (12, 34, "accepted"),
        (12, 35, "accepted_with_errors"),
        (12, 36, "rejected"),
        (12, None, "partly"),
    ]
    assert received.verdicts[-1] == Verdict(document=12, status="partly", notes=("AK9 P 3 3 2",))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("A", "accepted"),
        ("E", "accepted_with_errors"),
        ("R", "rejected"),
        ("M", "rejected"),
        ("X", "rejected"),
    ],
)
def test_a_group_alone_may_be_answered_for(code: str, status: str) -> None:
    assert verdicts(envelope(acknowledgement(12, {}, code))) == [(12, None, status)]


def test_a_set_of_a_group_that_was_refused_was_not_taken() -> None:
    assert verdicts(envelope(acknowledgement(12, {34: "A"}, "R"))) == [
        (12, 34, "rejected"),
        (12, None, "rejected"),
    ]


def test_why_a_set_was_refused_is_kept_in_the_partner_s_words() -> None:
    segments = acknowledgement(12, {34: "R*5"}, "R", because="AK3*LIN*7**8")

    (one, _) = read_interchanges(envelope(segments))[0].verdicts
    assert one.notes == ("AK3 LIN 7  8", "AK5 R 5", "AK9 R 1 1 0")


def test_an_implementation_acknowledgement_is_read_like_a_functional_one() -> None:
    assert verdicts(envelope(acknowledgement(12, {34: "R"}, "R", kind="999")))[0] == (12, 34, "rejected")


def test_a_rejected_interchange_is_a_rejection_of_all_its_sets_and_an_accepted_one_says_nothing() -> None:
    rejected = envelope(["TA1*000000012*260302*0805*R*024"])

    (one,) = read_interchanges(rejected)[0].verdicts
    assert (one.document, one.status, one.notes) == (
        12,
        "rejected",
        ("TA1 000000012 260302 0805 R 024",),
    )
    assert verdicts(envelope(["TA1*000000012*260302*0805*A*000"])) == []


def test_the_delimiters_are_those_of_its_own_header() -> None:
    text = envelope(acknowledgement(12, {34: "A"}))

    assert verdicts(text.replace("*", "|").replace("~", "\n")) == verdicts(text)
    assert verdicts(text.replace("~", "~\r\n")) == verdicts(text)


def test_a_file_may_hold_several_interchanges_each_with_its_own_delimiters() -> None:
    first, second = (envelope(acknowledgement(number, {34: "A"})) for number in (12, 13))

    assert [one[0] for one in verdicts(first + "\n" + second.replace("*", "|"))] == [12, 12, 13, 13]


def test_what_is_about_other_documents_is_passed_over() -> None:
    invoices = [one.replace("AK1*IB", "AK1*IN") for one in acknowledgement(12, {34: "R"}, "R")]
    order = ["GS*PO*B*A*20260302*0900*1*X*004010", "ST*850*0001", "BEG*00", "SE*3*0001", "GE*1*1"]

    assert verdicts(envelope(invoices)) == []
    assert verdicts(envelope(order)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "whole ISA"),
        ("hello", "whole ISA"),
        ("ISA*00*", "whole ISA"),
        (envelope(acknowledgement(12, {34: "A"}))[:-20], "no IEA"),
        (envelope(acknowledgement(12, {34: "A"})) + "rest", "whole ISA"),
        (envelope([]).replace("IEA*1*000000777", "IEA*1*000000778"), "ISA and IEA"),
        (envelope([]).replace("IEA*1*000000777", "IEA"), "ISA and IEA"),
        (envelope([]).replace("*U*", "*U-"), "ISA and IEA"),
        (envelope(acknowledgement(12, {34: "A"})).replace("SE*6*", "SE*7*"), "of 6 segments ends with SE 7"),
        (envelope(acknowledgement(12, {34: "A"})).replace("SE*6*0001", "SE*6*0002"), "ends with SE 6 0002"),
        (envelope(["ST*997*0001", "AK1*IB*12"]), "no SE"),
        (envelope(["ST*997*0001", "AK1*IB*12", "SE*3*0001"]), "no AK9"),
        (envelope(["ST*997*0001", "AK1*IB*twelve", "SE*3*0001"]), "in AK1 IB twelve"),
        (envelope(["ST*997*0001", "AK1*IB", "SE*3*0001"]), "in AK1 IB"),
        (envelope(["TA1*1234567890*260302*0805*R*024"]), "in TA1 1234567890"),
    ],
)
def test_what_is_cut_off_or_contradicts_itself_is_refused(text: str, says: str) -> None:
    with pytest.raises(DecodeError, match=says) as caught:
        read_interchanges(text)
    assert caught.value.code == "broken_acknowledgement"


def test_stray_segments_are_passed_over() -> None:
    body = ["SE*1*9", "ST*997*0001", "AK5*A", "AK3*LIN*1", "AK9*A*1*1*1", "AK2*846*000000034", "SE*6*0001"]

    assert verdicts(envelope(body)) == []
