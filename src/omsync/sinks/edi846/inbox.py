"""Reading what a partner answered, so that nothing of it is lost before a person has seen it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from omsync.errors import DecodeError
from omsync.sinks.edi846.acknowledgement import read_interchanges
from omsync.sinks.edi846.answers import Answer, tie
from omsync.sinks.edi846.archive import Archive
from omsync.sinks.edi846.profile import PartnerProfile

__all__ = ["take_answers"]

log = logging.getLogger("omsync")


def take_answers(archive: Archive, profile: PartnerProfile, now: datetime) -> tuple[Answer, ...]:
    """Read the inbox, tie every answer to its document, and put the files away.

    What a person should know of a file is kept before the file is put away, until a run has said it.
    """
    taken: list[Answer] = []
    for path in archive.inbox():
        answers = list(_answers_of(path, archive, profile, now))
        for one in answers:
            log.log(logging.INFO if one.status == "accepted" else logging.WARNING, "%s", one)
        if not any(one.is_stuck for one in answers):
            archive.keep_unsaid(archive.unsaid().and_also(answers))
            archive.put_away(path)
        taken += answers
    return tuple(taken)


def _answers_of(path: Path, archive: Archive, profile: PartnerProfile, now: datetime) -> Iterator[Answer]:
    try:
        received = read_interchanges(path.read_bytes().decode("latin-1"))
    except DecodeError as error:
        yield Answer(file=path.name, status="unreadable", notes=[error.message])
        return
    us, partner = profile.sender.id, profile.receiver.id
    for one in received:
        if (one.sender, one.receiver) != (partner, us):
            notes = [f"it goes from {one.sender!r} to {one.receiver!r}"]
            yield Answer(file=path.name, status="misdirected", notes=notes)
            return
        # Tests count their documents anew, so their answers name numbers that production has too.
        if one.usage == "T" and profile.usage == "production":
            yield Answer(file=path.name, status="misdirected", notes=["it answers a test"])
            return
    verdicts = [verdict for one in received for verdict in one.verdicts]
    others = sorted({kind for one in received for kind in one.others})
    if others:
        notes = [f"it holds the transaction set {', '.join(others)}, which is for you to read"]
        yield Answer(file=path.name, status="unknown", notes=notes)
    if verdicts or not (others or any(one.arrival for one in received)):
        for answer, document in tie(path.name, verdicts, archive.document, now):
            if document is not None:
                archive.note(document)
            yield answer
