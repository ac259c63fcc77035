"""What a partner answers: 997 and 999 acknowledgements, and TA1, read from an interchange. Pure.

Source: X12 transaction sets 997 and 999 (AK1, AK2, AK5 or IK5, AK9), interchange segment TA1.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, field, frozen

from omsync import checks
from omsync.errors import DecodeError

__all__ = ["Interchange", "Verdict", "read_interchanges"]

_ISA_LENGTH = 106
_STATES = {"A": "accepted", "E": "accepted_with_errors", "P": "partly"}
"""By the code of AK5, AK9 and TA1; every other code (R, M, W, X) is a rejection."""


@frozen(kw_only=True)
class Verdict:
    """What an acknowledgement says about one group (or interchange) of ours, or one of its sets.

    Args:
        document: Our control number.
        set_number: Our transaction set; None: the verdict is about all that is not named singly.
        status: ``"accepted"``, ``"accepted_with_errors"``, ``"rejected"``, or ``"partly"`` for a group of
            which only some sets were accepted.
        notes: The segments that say why, their elements separated by spaces.
    """

    document: int = field(validator=checks.whole(minimum=0))
    set_number: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))
    status: str = field(validator=checks.one_of("accepted", "accepted_with_errors", "rejected", "partly"))
    notes: tuple[str, ...] = field(default=(), converter=checks.as_tuple)


@frozen(kw_only=True)
class Interchange:
    """One interchange as it was received.

    Args:
        sender: Who wrote it (ISA06).
        receiver: To whom (ISA08).
        usage: ``"T"`` for a test, ``"P"`` for production (ISA15).
        verdicts: What it says about inventory documents; nothing when it is about other things.
        others: The kinds of its transaction sets that are no acknowledgements, such as ``"824"``.
        arrival: Whether a TA1 in it says only that an interchange of ours arrived whole.
    """

    sender: str
    receiver: str
    usage: str = ""
    verdicts: tuple[Verdict, ...] = field(converter=checks.as_tuple)
    others: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    arrival: bool = False


def read_interchanges(text: str) -> tuple[Interchange, ...]:
    """Read all interchanges of a file, each with the delimiters that its own ISA declares.

    Raises:
        DecodeError: It is no X12, it is cut off, or its own counts and numbers contradict each other.
    """
    found: list[Interchange] = []
    rest = text.lstrip()
    while rest or not found:
        segments, rest = _first_interchange(rest)
        found.append(_read(segments))
    return tuple(found)


def _first_interchange(text: str) -> tuple[list[list[str]], str]:
    if not text.startswith("ISA") or len(text) < _ISA_LENGTH:
        raise _broken("it does not begin with a whole ISA segment")
    element, end = text[3], text[_ISA_LENGTH - 1]
    segments: list[list[str]] = []
    position = 0
    while True:
        stop = text.find(end, position)
        if stop < 0:
            raise _broken("it has no IEA, so it may be cut off")
        segments.append(text[position:stop].strip("\r\n").split(element))
        position = stop + 1
        if segments[-1][0] == "IEA":
            return segments, text[position:].lstrip()


def _read(segments: list[list[str]]) -> Interchange:
    isa, iea = segments[0], segments[-1]
    if len(isa) != 17 or _element(iea, 2) != isa[13]:  # noqa: PLR2004  ISA and its 16 elements
        raise _broken(f"its ISA and IEA do not fit each other ({' '.join(iea)})")
    verdicts = [*_technical(segments)]
    others: list[str] = []
    for transaction in _transaction_sets(segments):
        kind = _element(transaction[0], 1)
        if kind in {"997", "999"}:
            verdicts += _functional(transaction)
        else:
            others.append(kind)
    return Interchange(
        sender=isa[6].strip(),
        receiver=isa[8].strip(),
        usage=isa[15].strip(),
        verdicts=verdicts,
        others=others,
        arrival=any(segment[0] == "TA1" and _arrived(segment) for segment in segments),
    )


def _technical(segments: list[list[str]]) -> Iterator[Verdict]:
    """Read TA1: only a rejection says something about the sets."""
    for segment in segments:
        if segment[0] == "TA1" and not _arrived(segment):
            yield Verdict(
                document=_number(segment, 1),
                status="rejected",
                notes=(" ".join(segment),),
            )


def _arrived(ta1: list[str]) -> bool:
    return _element(ta1, 4) in {"A", "E"}


def _transaction_sets(segments: list[list[str]]) -> Iterator[list[list[str]]]:
    begin: int | None = None
    for index, segment in enumerate(segments):
        if segment[0] == "ST":
            begin = index
        elif segment[0] == "SE" and begin is not None:
            transaction = segments[begin : index + 1]
            if _number(segment, 1) != len(transaction) or _element(segment, 2) != _element(transaction[0], 2):
                raise _broken(
                    f"a transaction set of {len(transaction)} segments ends with {' '.join(segment)}"
                )
            yield transaction
            begin = None
    if begin is not None:
        raise _broken("a transaction set has no SE")


def _functional(transaction: list[list[str]]) -> Iterator[Verdict]:
    document: int | None = None
    one: Verdict | None = None
    sets: list[Verdict] = []
    for segment in transaction:
        match segment[0]:
            case "AK1":
                ours = _element(segment, 1) == "IB"
                document = _number(segment, 2) if ours else None
            case "AK2" if document is not None:
                one = Verdict(document=document, set_number=_number(segment, 2), status="rejected")
            case "AK3" | "AK4" | "IK3" | "IK4" if one is not None:
                one = evolve(one, notes=(*one.notes, " ".join(segment)))
            case "AK5" | "IK5" if one is not None:
                notes = (*one.notes, " ".join(segment)) if len(segment) > 2 else one.notes  # noqa: PLR2004  codes
                status = _STATES.get(_element(segment, 1), "rejected")
                sets.append(evolve(one, status=status, notes=notes))
                one = None
            case "AK9" if document is not None:
                yield from _judged(document, segment, sets)
                document, sets = None, []
            case _:
                pass
    if document is not None:
        raise _broken(f"the acknowledgement of group {document} has no AK9")


def _judged(document: int, ak9: list[str], sets: list[Verdict]) -> Iterator[Verdict]:
    status = _STATES.get(_element(ak9, 1), "rejected")
    notes = () if status == "accepted" else (" ".join(ak9),)
    for one in sets:
        # A set of a group that was refused as a whole was not taken, whatever is said of it alone.
        yield evolve(one, status="rejected", notes=(*one.notes, *notes)) if status == "rejected" else one
    yield Verdict(document=document, status=status, notes=notes)


def _element(segment: list[str], number: int) -> str:
    return segment[number].strip() if len(segment) > number else ""


def _number(segment: list[str], number: int) -> int:
    text = _element(segment, number)
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004  digits of a control number
        raise _broken(f"a control number is wanted in {' '.join(segment)}")
    return int(text)


def _broken(why: str) -> DecodeError:
    return DecodeError(
        f"The acknowledgement cannot be read: {why}",
        code="broken_acknowledgement",
        remedy="If it is still being delivered, it is whole next time; else ask the partner for it again.",
    )
