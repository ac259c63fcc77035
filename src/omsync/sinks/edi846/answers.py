"""A partner's verdicts tied to the documents that they are about. Pure, but for looking documents up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from omsync import checks
from omsync.sinks.edi846.acknowledgement import Verdict
from omsync.sinks.edi846.records import SentDocument

__all__ = ["Answer", "Unsaid", "settled", "tie"]


@frozen(kw_only=True)
class Answer:
    """What a file of the inbox said about one document, or why it could not be used.

    Args:
        file: Its name.
        document: The document's control number; 0 where it names none.
        set_numbers: The transaction sets that it settled.
        status: ``"accepted"``, ``"accepted_with_errors"``, ``"rejected"`` or ``"partly"``; ``"unknown"``: of
            no document that was sent; ``"unreadable"`` or ``"misdirected"``: the file stays where it is.
        notes: Why.
    """

    file: str
    document: int = 0
    set_numbers: tuple[int, ...] = field(default=(), converter=checks.as_tuple)
    status: str
    notes: tuple[str, ...] = field(default=(), converter=checks.as_tuple)

    @property
    def is_stuck(self) -> bool:
        """Whether the file stays in the inbox, and so will be read again."""
        return self.status in {"unreadable", "misdirected"}

    def __str__(self) -> str:
        what = f"document {self.document:09d}" if self.document else "no document"
        why = f": {'; '.join(self.notes)}" if self.notes else ""
        return f"{self.file}: {what}, {self.status}{why}"


@frozen(kw_only=True)
class Unsaid:
    """Answers that are still to be said in the report of a run, since their files were put away.

    Args:
        answers: All of them, oldest first.
        in_plans: How many of these a plan has said by now; the next push says them for good.
    """

    answers: tuple[Answer, ...] = field(default=(), converter=checks.as_tuple)
    in_plans: int = field(default=0, validator=checks.whole(minimum=0))

    def and_also(self, answers: Sequence[Answer]) -> Unsaid:
        """Add what is more than plain acceptance; a file read again after a crash adds nothing."""
        known = {_words(one) for one in self.answers}
        new = [one for one in answers if one.status != "accepted" and _words(one) not in known]
        return evolve(self, answers=(*self.answers, *new))

    def said(self) -> Unsaid:
        """Leave those that plans have said."""
        return Unsaid(answers=self.answers[self.in_plans :])


def _words(answer: Answer) -> Answer:
    return evolve(answer, set_numbers=())


def tie(
    file: str, verdicts: Sequence[Verdict], find: Callable[[int], SentDocument | None], now: datetime
) -> Iterator[tuple[Answer, SentDocument | None]]:
    """Give an answer for every document that the verdicts name, and the document as it is by now.

    Args:
        file: Where the verdicts are from.
        verdicts: What it said.
        find: Gives a document by its control number.
        now: When that was learned.
    """
    if not verdicts:
        yield Answer(file=file, status="unknown", notes=("it speaks of no inventory document",)), None
    for number in dict.fromkeys(verdict.document for verdict in verdicts):
        about = [verdict for verdict in verdicts if verdict.document == number]
        sent = find(number)
        if sent is None:
            yield Answer(file=file, document=number, status="unknown", notes=("it was never sent",)), None
            continue
        judged = sent
        for verdict in about:
            judged = _judged(judged, verdict, {one.set_number for one in about}, now)
        answer = Answer(
            file=file,
            document=number,
            set_numbers=[new.number for old, new in zip(sent.sets, judged.sets, strict=True) if new != old],
            status=about[-1].status,
            notes=dict.fromkeys(note for verdict in about for note in verdict.notes),
        )
        yield answer, judged


def settled(
    document: SentDocument, sets: Collection[int | None], status: str, notes: Sequence[str], now: datetime
) -> SentDocument:
    """Note what became of some of a document's transaction sets."""
    return evolve(
        document,
        sets=[
            evolve(one, status=status, settled_at=now, notes=notes) if one.number in sets else one
            for one in document.sets
        ],
    )


def _judged(
    document: SentDocument, verdict: Verdict, named: Collection[int | None], now: datetime
) -> SentDocument:
    if verdict.set_number is not None:
        return settled(document, {verdict.set_number}, verdict.status, verdict.notes, now)
    if verdict.status == "partly":
        return document
    rest = {one.number for one in document.sets}.difference(named)
    return settled(document, rest, verdict.status, verdict.notes, now)
