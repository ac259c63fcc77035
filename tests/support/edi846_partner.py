"""A trading partner of the tests: reads 846 documents with an independent X12 reader, and answers them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from pyx12.x12file import X12Reader  # type: ignore[import-untyped]  # pyx12 carries no types

__all__ = ["acknowledgement", "answer", "envelope", "quantities", "segments", "take"]

Segments = list[list[str]]


def segments(text: str) -> Segments:
    """Read an interchange with pyx12, which checks the envelope, the counts and the control numbers."""
    reader = X12Reader(io.StringIO(text, newline=""))
    found: Segments = []
    for segment in reader:
        name = segment.get_seg_id() or ""
        found.append([name, *(segment.get_value(f"{name}{n:02d}") or "" for n in range(1, len(segment) + 1))])
    reader.cleanup()
    errors = reader.pop_errors()
    assert errors == [], errors
    return found


def quantities(read: Segments, *, at: int = 3) -> dict[tuple[str, str | None], int]:
    """Understand a document as a partner would: by (product code, facility), how many.

    Args:
        read: The segments.
        at: Which element of LIN is the product code.
    """
    told: dict[tuple[str, str | None], int] = {}
    header: str | None = None
    code, place = "", header
    for segment in read:
        match segment:
            case ["ST", *_]:
                header, code = None, ""
            case ["N1", _, _, _, facility] if not code:
                header = facility
            case ["N1", _, _, _, facility]:
                told[code, facility] = told.pop((code, None))
            case ["LIN", *_]:
                code, place = segment[at], header
            case ["QTY", _, number, *_]:
                assert (code, place) not in told
                told[code, place] = int(number)
            case ["SDQ", _, _, *pairs]:
                told |= {(code, pairs[i]): int(pairs[i + 1]) for i in range(0, len(pairs), 2)}
            case ["REF", "WS", facility]:
                place = facility
            case _:
                pass
    return told


def take(folder: Path) -> str:
    """Take the one document that lies in the outbox, as a transport does."""
    (path,) = (folder / "outbox").iterdir()
    text = path.read_bytes().decode()
    path.unlink()
    return text


def envelope(body: Iterable[str], *, sender: str = "BIGBOX", receiver: str = "ACME", end: str = "~") -> str:
    """Put segments into an interchange of the partner's."""
    isa = (
        f"ISA*00*          *00*          *ZZ*{sender:15}*ZZ*{receiver:15}*260302*0900*U*00401*000000777*0*P*>"
    )
    return end.join([isa, *body, "IEA*1*000000777", ""])


def acknowledgement(
    document: int, sets: Mapping[int, str], group: str = "A", *, kind: str = "997", because: str = ""
) -> list[str]:
    """Give the segments of a functional acknowledgement: by set number the code, and the group's code."""
    mark = "AK" if kind == "997" else "IK"
    inner = [f"AK1*IB*{document}"]
    for number, code in sets.items():
        inner.append(f"AK2*846*{number:09d}")
        inner += [because] if because and code != "A" else []
        inner.append(f"{mark}5*{code}")
    inner.append(f"AK9*{group}*{len(sets)}*{len(sets)}*{sum(code in 'AE' for code in sets.values())}")
    count = len(inner) + 2
    return [
        "GS*FA*BIGBOX*ACME*20260302*0900*777*X*004010",
        f"ST*{kind}*0001",
        *inner,
        f"SE*{count}*0001",
        "GE*1*777",
    ]


def answer(
    folder: Path, document: int, sets: Mapping[int, str], group: str = "A", *, name: str = "997.edi"
) -> None:
    """Put an acknowledgement into the inbox."""
    (folder / "inbox" / name).write_text(envelope(acknowledgement(document, sets, group)))
