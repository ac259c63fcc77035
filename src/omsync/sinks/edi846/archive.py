"""A folder that remembers what a partner was told: control numbers, documents, and what came of them.

    numbers.json    the last control numbers; written before a document is
    archive/        every document by its control number, and what became of it
    pending/        what waits for its acknowledgement
    outbox/         documents for your transport to take
    inbox/          acknowledgements that your transport brings
    received/       acknowledgements that were read
    told.json       what the partner was told, as far as it is settled
    unsaid.json     answers that were read, and that no run has said yet

A document leaves by one rename from ``pending`` to ``outbox``, after it was written down: while its text
still lies in ``pending``, it never left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from attrs import evolve, frozen

from omsync.errors import DecodeError, SettingsError
from omsync.serial import from_json, to_json
from omsync.sinks.edi846.answers import Unsaid
from omsync.sinks.edi846.document import Numbers
from omsync.sinks.edi846.records import (
    TAKEN,
    SentDocument,
    Told,
    document_from_json,
    document_to_json,
    told_from_json,
    told_to_json,
)
from omsync.textfiles.durable import held, replace_file

__all__ = ["Archive"]

T = TypeVar("T")

_FOLDERS = ("archive", "pending", "outbox", "inbox", "received")
_LAST_NUMBER = 999_999_999
_NINE_DIGITS = 9 * "[0-9]"


@frozen(kw_only=True)
class _Counters:
    partnership: str
    owner: str = ""
    document: int = 0
    set_number: int = 0


@frozen(kw_only=True)
class Archive:
    """The folder of one partnership.

    Args:
        folder: Where; its parent must exist.
        partnership: Who writes to whom, and whether it is a test; a folder keeps to one.
        owner: Whose quantities are told; the first document that has one gives the folder to it.
        first_number: The lowest control number to use, for a partner who knows you from elsewhere.
    """

    folder: Path
    partnership: str
    owner: str = ""
    first_number: int = 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other writers out; make the folders, and clear up after a crash.

        Raises:
            SettingsError: The folder belongs to another partnership, or to another owner.
        """
        self.folder.mkdir(exist_ok=True)
        for name in _FOLDERS:
            (self.folder / name).mkdir(exist_ok=True)
        with held(self.folder / "numbers.json"):
            self._check_whose_it_is()
            self._clear_up()
            yield

    def told(self) -> Told:
        """Give what the partner was last told and did not refuse."""
        told = self._settled()
        for document in self.pending():
            for one in document.sets:
                if one.status in {"awaiting", *TAKEN}:
                    told.take(one)
        return told

    def take_numbers(self, sets: int) -> Numbers:
        """Take control numbers, durably: whatever happens next, they are never given again.

        Raises:
            SettingsError: The numbers are used up.
        """
        counters = self._counters()
        document = max(counters.document, self.first_number - 1) + 1
        last_set = counters.set_number + sets
        if max(document, last_set) > _LAST_NUMBER:
            raise SettingsError(
                f"The control numbers of {self.partnership} are used up",
                code="control_numbers_used_up",
                remedy="Agree on new numbers with the partner, and begin a new folder.",
            )
        taken = evolve(counters, document=document, set_number=last_set, owner=counters.owner or self.owner)
        self._write("numbers.json", to_json(taken))
        return Numbers(document=document, sets=tuple(range(counters.set_number + 1, last_set + 1)))

    def send(self, document: SentDocument, content: bytes) -> None:
        """Keep a document and let it go by the rename into the outbox; only then may it count as settled."""
        name = _file(document.number, "edi")
        replace_file(self.folder / "archive" / name, content)
        replace_file(self.folder / "pending" / name, content)
        self._write(f"pending/{_file(document.number, 'json')}", document_to_json(document))
        (self.folder / "pending" / name).replace(self.folder / "outbox" / name)
        if document.is_settled:
            # It has left, whatever happens now; what could not be written is made good by the next who comes.
            with suppress(OSError):
                self._settle(document)

    def pending(self) -> list[SentDocument]:
        """Give the documents that wait for an acknowledgement, oldest first."""
        paths = sorted((self.folder / "pending").glob(f"{_NINE_DIGITS}.json"))
        return [self._read(path, document_from_json) for path in paths]

    def document(self, number: int) -> SentDocument | None:
        """Give a document that was sent; None when there is none of this number."""
        for room in ("pending", "archive"):
            path = self.folder / room / _file(number, "json")
            if path.exists():
                return self._read(path, document_from_json)
        return None

    def note(self, document: SentDocument) -> None:
        """Keep what became of a document; one that is settled decides what the partner was told."""
        if document.is_settled:
            self._settle(document)
        else:
            self._write(f"pending/{_file(document.number, 'json')}", document_to_json(document))

    def inbox(self) -> list[Path]:
        """Give the files that the transport brought, by name."""
        files = (self.folder / "inbox").iterdir()
        return sorted(path for path in files if path.is_file() and not path.name.startswith("."))

    def put_away(self, path: Path) -> None:
        """Move an acknowledgement that was read to where it is kept."""
        target, again = self.folder / "received" / path.name, 1
        while target.exists():
            again += 1
            target = target.with_name(f"{path.stem}.{again}{path.suffix}")
        path.rename(target)

    def unsaid(self) -> Unsaid:
        """Give the answers that were read, and that no run has said yet."""
        path = self.folder / "unsaid.json"
        return self._read(path, lambda content: from_json(content, Unsaid)) if path.exists() else Unsaid()

    def keep_unsaid(self, unsaid: Unsaid) -> None:
        """Keep the answers that are still to be said."""
        if unsaid != self.unsaid():
            self._write("unsaid.json", to_json(unsaid))

    def _settle(self, document: SentDocument) -> None:
        # In this order a crash in between is made good by doing it all again.
        told = self._settled()
        for one in document.sets:
            if one.status in TAKEN:
                told.take(one)
            else:
                told.doubt(one)
        self._write("told.json", told_to_json(told))
        name = _file(document.number, "json")
        self._write(f"archive/{name}", document_to_json(document))
        (self.folder / "pending" / name).unlink(missing_ok=True)

    def _settled(self) -> Told:
        path = self.folder / "told.json"
        return self._read(path, told_from_json) if path.exists() else Told()

    def _clear_up(self) -> None:
        """Settle documents that a crash kept from leaving, whose numbers are spent, or from being settled."""
        for path in sorted((self.folder / "pending").glob(f"{_NINE_DIGITS}.edi")):
            document = self.document(int(path.stem))
            if document is not None:
                sets = [evolve(one, status="never_left") for one in document.sets]
                self._settle(evolve(document, sets=sets))
            path.unlink()
        for path in sorted((self.folder / "pending").glob(f"{_NINE_DIGITS}.json")):
            # Most wait for an answer, and to read all their rows each time would take long.
            if b'"awaiting"' not in path.read_bytes():
                self._settle(self._read(path, document_from_json))

    def _check_whose_it_is(self) -> None:
        known = self._counters()
        if known.partnership != self.partnership:
            raise SettingsError(
                f"The folder {self.folder.name!r} holds what was told by {known.partnership}, "
                f"not by {self.partnership}",
                code="other_partnership",
                remedy="Give each partner, and tests and production, a folder of its own.",
            )
        if known.owner not in {"", self.owner}:
            given = f"is of {self.owner!r}" if self.owner else "names no owner"
            raise SettingsError(
                f"The folder {self.folder.name!r} belongs to {known.owner!r}, and this sink {given}",
                code="other_owner",
                remedy="Give each merchant and each cart a folder of its own, or name the owner that it has.",
            )

    def _counters(self) -> _Counters:
        """Give the last numbers; documents that are there count too, should the file be lost or old."""
        path = self.folder / "numbers.json"
        counters = _Counters(partnership=self.partnership)
        if path.exists():
            counters = self._read(path, lambda content: from_json(content, _Counters))
        newest = max((self.folder / "archive").glob(f"{_NINE_DIGITS}.edi"), default=None)
        if newest is None or int(newest.stem) <= counters.document:
            return counters
        content = newest.read_bytes()
        starts = re.findall(rb"ST%b846%b(\d{9})" % (2 * (re.escape(content[3:4]),)), content)
        last_set = max([counters.set_number, *map(int, starts)])
        return evolve(counters, document=int(newest.stem), set_number=last_set)

    def _read(self, path: Path, understand: Callable[[bytes], T]) -> T:
        try:
            return understand(path.read_bytes())
        except (DecodeError, ValueError) as error:
            raise SettingsError(
                f"The file {path.name!r} in {self.folder.name!r} is not what omsync writes: {error}",
                code="broken_archive",
                remedy="Bring it back from a backup; nothing was sent.",
            ) from error

    def _write(self, name: str, text: str) -> None:
        replace_file(self.folder / name, text.encode())


def _file(number: int, suffix: str) -> str:
    return f"{number:09d}.{suffix}"
