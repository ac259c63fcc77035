"""The cart that is a trading partner: it is sent 846 documents, and shows what it was told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.checks import counted
from omsync.errors import InvalidValueError, UnreachableError
from omsync.http.clock import Clock, SystemClock
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.sinks.edi846.answers import Answer, Unsaid, settled
from omsync.sinks.edi846.archive import Archive
from omsync.sinks.edi846.document import interchange, split_into_sets
from omsync.sinks.edi846.inbox import take_answers
from omsync.sinks.edi846.profile import PartnerProfile
from omsync.sinks.edi846.records import Key, SentDocument, SentSet
from omsync.sinks.edi846.repeating import Selection, notice_of_old_codes, select
from omsync.sinks.edi846.rows import Assortment, key_of, result_of

__all__ = ["Edi846"]


@frozen(kw_only=True)
class Edi846:
    """A partner that takes X12 846 inventory advice.

    Args:
        profile: How the partner wants its documents.
        folder: Where control numbers, documents and acknowledgements are kept; one for each partner, and
            another for tests. Its parent must exist.
        owner: Whose quantities these are, such as ``"acme / bigbox"``. The first document gives the folder to
            its owner, and no other can use it from then on, nor a sink that names none. Needed where several
            merchants or carts have one sender and receiver, since nothing else tells them apart.
        codes: By listing SKU, further codes by the names that the profile's ``item_codes`` use; ``codes_of``
            gathers them from a snapshot. A whole document repeats an item that is not in them, or lost the
            one that the profile wants, under those that it was last told by.
        discontinued: Listing SKUs that are marked as discontinued.
        retired: Listing SKUs that are never sent again, not even repeated.
        first_number: The first control number, for a partner who had documents from another system.
        clock: Tells the time.
    """

    profile: PartnerProfile = field(validator=checks.instance_of(PartnerProfile))
    folder: Path = field(converter=Path)
    owner: str = field(default="", validator=checks.any_text)
    codes: Mapping[str, Mapping[str, str]] = field(factory=dict, converter=checks.as_mapping)
    discontinued: frozenset[str] = field(default=frozenset(), converter=checks.as_names)
    retired: frozenset[str] = field(default=frozenset(), converter=checks.as_names)
    first_number: int = field(default=1, validator=checks.whole(minimum=1, maximum=999_999_999))
    clock: Clock = field(factory=SystemClock)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What a partner can do: it shows what it was told, and answers later or never."""
        return SinkCapabilities(
            destination=f"edi 846 {self._partnership}" + (f", of {self.owner}" if self.owner else ""),
            contents=self.profile.contents,
            lists_all=True,
            creates_listings=True,
            locations="required" if self.profile.names_locations else "none",
            max_rows=None,
            atomicity="row",
            completion="eventual",
            max_quantity=self._assortment.largest,
        )

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:  # noqa: ARG002  the archive lists all
        """Give what the partner was last told and did not refuse, after its answers in the inbox.

        Raises:
            SettingsError: The folder belongs to another partner or owner, or was damaged.
            UnreachableError: The folder cannot be used.
        """
        with self._archive() as archive:
            take_answers(archive, self.profile, self.clock.now())
            return [
                CartListing(listing_sku=sku, location_id=place, quantity=quantity)
                for (sku, place), quantity in archive.told().quantities.items()
                if sku not in self.retired
            ]

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        """Write the rows as one document, keep it, and put it into the outbox; nothing is half there.

        A whole document holds a row that cannot go out as the partner was last told it, if it was.

        Raises:
            SettingsError: As for ``read``, or the control numbers are used up; nothing was sent.
            UnreachableError: The folder cannot be used; nothing was sent.
        """
        with self._archive() as archive:
            told, unsaid = archive.told(), archive.unsaid()
            selection = select(self._assortment, changes, told)
            self._make_items_whole(selection.rows, told.quantities)
            name, due_at = self._write(archive, selection) if selection.rows else ("", None)
            # The document has left, whatever happens now; what cannot be noted is said once more.
            with suppress(OSError):
                archive.keep_unsaid(unsaid.said())
        status, reason, message = "accepted", "", f"Told by document {name}."
        if due_at is not None:
            status, reason = "pending", "awaiting_acknowledgement"
            message = f"Told by document {name}; its acknowledgement is due by {due_at:%Y-%m-%d %H:%M}Z."
        return [
            selection.refused.get(key_of(row)) or result_of(row, status, reason, message, job=name)
            for row in changes
        ]

    def acknowledgements(self) -> tuple[Answer, ...]:
        """Read the inbox, tie every answer to the document it is about, and put the files away.

        What was rejected counts as never told, so the next push tells it again. Answers that a plan read and
        no run has said yet come first, unless they are plain acceptance.

        Raises:
            SettingsError: As for ``read``.
            UnreachableError: The folder cannot be used.
        """
        with self._archive() as archive:
            before = archive.unsaid().answers
            answers = take_answers(archive, self.profile, self.clock.now())
            archive.keep_unsaid(Unsaid())
            return (*before, *answers)

    def awaiting(self) -> tuple[SentDocument, ...]:
        """Give the documents whose acknowledgement has not come, oldest first."""
        with self._archive() as archive:
            return tuple(one for one in archive.pending() if not one.is_settled)

    def overdue(self, now: datetime) -> tuple[SentDocument, ...]:
        """Give the documents whose acknowledgement should be here by now, oldest first."""
        return tuple(one for one in self.awaiting() if one.due_at is not None and one.due_at < now)

    def document(self, number: int) -> SentDocument | None:
        """Give a document by its control number; None when there is none."""
        with self._archive() as archive:
            return archive.document(number)

    def settle(self, number: int, *, arrived: bool) -> SentDocument:
        """Say yourself what became of a document whose acknowledgement does not come.

        Args:
            number: Its control number.
            arrived: Whether the partner has it. If not, what it told is told again by the next push.

        Raises:
            InvalidValueError: There is no such document.
        """
        with self._archive() as archive:
            document = archive.document(number)
            if document is None:
                raise InvalidValueError(
                    f"No document {number:09d} was sent to {self.profile.receiver.id}",
                    code="unknown_document",
                    remedy="Look at awaiting() for those that wait.",
                )
            sets = [one.number for one in document.sets]
            status = "accepted" if arrived else "lost"
            judged = settled(document, sets, status, ["said by hand"], self.clock.now())
            archive.note(judged)
            return judged

    def cart_notices(self, now: datetime, /) -> list[Notice]:
        """Read the inbox and say what a report should: rejections, strange files, overdue answers, old codes.

        An answer is said by every plan until a push follows, so a dry run or a failure takes none away.
        """
        with self._archive() as archive:
            stuck = [one for one in take_answers(archive, self.profile, self.clock.now()) if one.is_stuck]
            unsaid = archive.unsaid()
            archive.keep_unsaid(evolve(unsaid, in_plans=len(unsaid.answers)))
            old_codes = None
            if self.profile.contents == "full" and self._assortment.further:
                old_codes = notice_of_old_codes(self._assortment, archive.told())
        notices = [
            Notice(reason=f"acknowledgement_{one.status}", message=str(one), entries=(one.file,))
            for one in (*unsaid.answers, *stuck)
        ]
        if old_codes is not None:
            notices.append(old_codes)
        late = self.overdue(now)
        if late:
            names = tuple(f"{one.number:09d}" for one in late)
            notices.append(
                Notice(
                    reason="acknowledgement_overdue",
                    message=f"{counted(len(late), 'document')} without the acknowledgement that was due: "
                    f"{', '.join(names)}; ask the partner, then settle() them",
                    entries=names,
                )
            )
        return notices

    @property
    def _assortment(self) -> Assortment:
        return Assortment(
            profile=self.profile,
            codes=self.codes,
            discontinued=self.discontinued,
            retired=self.retired,
        )

    @property
    def _partnership(self) -> str:
        sender, receiver = self.profile.sender, self.profile.receiver
        return f"{sender.qualifier}/{sender.id} to {receiver.qualifier}/{receiver.id}, {self.profile.usage}"

    @contextmanager
    def _archive(self) -> Iterator[Archive]:
        archive = Archive(
            folder=self.folder,
            partnership=self._partnership,
            owner=self.owner,
            first_number=self.first_number,
        )
        try:
            with archive.held():
                yield archive
        except OSError as error:
            raise UnreachableError(
                f"The folder {self.folder.name!r} cannot be used: {error.strerror}",
                code="folder_not_usable",
                remedy="Check that its parent exists, that it may be written to and has room.",
            ) from error

    def _make_items_whole(self, rows: dict[Key, int], told: Mapping[Key, int | None]) -> None:
        """Add an item's other warehouses as last told, where its total would otherwise leave them out."""
        if self.profile.warehouses not in {"sdq", "loops"}:
            return
        items = {sku for sku, _ in rows}
        for (sku, place), quantity in told.items():
            if sku in items and quantity is not None and place in self.profile.facilities:
                rows.setdefault((sku, place), quantity)

    def _write(self, archive: Archive, selection: Selection) -> tuple[str, datetime | None]:
        """Write, keep and send a document; give its number and when its acknowledgement is due."""
        assortment = selection.assortment
        sets = split_into_sets(assortment.items(selection.rows), self.profile)
        numbers = archive.take_numbers(len(sets))
        now, within = self.clock.now(), self.profile.acknowledged_within
        document = SentDocument(
            number=numbers.document,
            sent_at=now,
            due_at=None if within is None else now + within,
            sets=[
                SentSet(
                    number=number,
                    rows=[(item.listing_sku, *pair) for item in items for pair in item.quantities],
                    codes=assortment.kept_codes(item.listing_sku for item in items),
                    status="assumed" if within is None else "awaiting",
                )
                for number, items in zip(numbers.sets, sets, strict=True)
            ],
        )
        text = interchange(sets, self.profile, numbers, now)
        archive.send(document, text.encode(self.profile.encoding))
        return f"{document.number:09d}", document.due_at
