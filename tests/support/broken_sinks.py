"""Sinks that are wrong on purpose, for every check of the sink kit at least one.

Every mistake here is one that somebody made, or could make on a busy day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from attrs import evolve
from market import PASSWORD, PLACES, GoesByTwoNames, Key, RefusesWhole, Stall

from omsync.errors import LostAnswerError, RefusedError, ThrottledError, UnauthorizedError
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.sinks.writing import accepted, refused


class AsksBeforeItKnows(Stall):
    """Learns what it can do by calling the cart."""

    @property
    def capabilities(self) -> SinkCapabilities:
        rows = 6 if self.password == PASSWORD else 1
        return SinkCapabilities(destination="the market", locations="optional", max_rows=rows)


class ChangesItsMind(Stall):
    """Says something else each time."""

    times = 0

    @property
    def capabilities(self) -> SinkCapabilities:
        self.times += 1
        return SinkCapabilities(destination=f"the market, call {self.times}")


class ShowsItsPassword(Stall):
    """Has the repr that a dataclass would have."""

    def __repr__(self) -> str:
        return f"Stall(password={self.password!r})"


class EchoesThePassword(Stall):
    """Quotes the credentials that were refused."""

    def enter(self) -> None:
        if self.password != PASSWORD:
            raise UnauthorizedError(f"{self.password!r} is wrong")


class SubtractsOrders(Stall):
    """Says that it gives units on hand, and gives available ones."""

    def listing(self, key: Key) -> CartListing:
        listing = super().listing(key)
        return CartListing(
            listing_sku=key[0],
            location_id=key[1],
            quantity=(listing.quantity or 0) - (listing.allocated or 0),
            allocated=listing.allocated,
        )


class HidesAListing(Stall):
    """Stops before the end of the list."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return [one for one in super().read(listing_skus) if one.listing_sku != "JUG"]


class GivesRowsTwice(Stall):
    """Joins tables, and gives one row for each match."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return [*super().read(listing_skus), self.listing(("MUG", "A"))]


class GivesDictionaries(Stall):
    """Gives rows as the wire has them."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        rows: list[Any] = list(super().read(listing_skus))
        return [*rows, Loose(listing_sku="MUG", location_id="C")]


class Loose:
    """Looks like a listing from afar."""

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)


class TakesAbsenceForZero(Stall):
    """Answers for listings that are not there."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        rows = list(super().read(listing_skus))
        found = {one.listing_sku for one in rows}
        return rows + [CartListing(listing_sku=sku, quantity=0) for sku in listing_skus if sku not in found]


class FindsNothingBesideTheUnknown(Stall):
    """Finds no listing where one of those asked for is unknown, as a look-up by id may."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        rows = list(super().read(listing_skus))
        return rows if set(listing_skus) <= {one.listing_sku for one in rows} else []


class ListsWhatIsAsked(Stall):
    """Promises all listings and gives those asked for."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return [one for one in super().read(listing_skus) if one.listing_sku in listing_skus]


class ListsMore(Stall):
    """Promises only those asked for and gives the first page of all."""

    said: ClassVar[Mapping[str, Any]] = {"lists_all": False}

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return [self.listing(key) for key in self.market.shelf] if listing_skus else []


class StumblesOverNothing(Stall):
    """Takes no SKUs for no filter, though it does not list all."""

    said: ClassVar[Mapping[str, Any]] = {"lists_all": False}

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return super().read(listing_skus or ["MUG"])


class ForgetsOrders(Stall):
    """Keeps units on hand and does not say what its orders hold."""

    def listing(self, key: Key) -> CartListing:
        return CartListing(listing_sku=key[0], location_id=key[1], quantity=self.market.shelf[key])


class NamesNoPlace(GoesByTwoNames):
    """Says that a row is the same as one that is not there."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return [one for one in super().read(listing_skus) if one.location_id != "A"]


class NamesDisagree(GoesByTwoNames):
    """Shows two numbers for one place."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        for one in super().read(listing_skus):
            same = one.same_as is not None
            yield CartListing(
                listing_sku=one.listing_sku,
                location_id=one.location_id,
                quantity=99 if same else one.quantity,
                allocated=one.allocated,
                state=one.state,
                same_as=one.same_as,
            )


class MakesLevelsWhileReading(Stall):
    """Gets a level, or creates it with 0."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        for sku in listing_skus:
            self.market.shelf.setdefault((sku, "A"), 0)
        return super().read(listing_skus)


class TakesAllForListed(Stall):
    """Never looks whether a quantity means anything."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        for one in super().read(listing_skus):
            yield CartListing(
                listing_sku=one.listing_sku,
                location_id=one.location_id,
                quantity=one.quantity,
                allocated=one.allocated,
            )


class SaysNothingOfGoodRows(Stall):
    """Answers for refused rows only, as some batch calls do."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return [one for one in super().answers(changes) if one.status != "accepted"]


class AnswersForThePlaceItMeant(Stall):
    """Answers under the cart's own name of a location, not the row's."""

    def write(self, change: QuantityChange) -> PushResult:
        super().write(change)
        return PushResult(listing_sku=change.listing_sku, location_id="id-1", status="accepted")


class AnswersInDictionaries(Stall):
    """Gives results as the wire has them."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        results: list[Any] = [
            Loose(listing_sku=one.listing_sku, location_id=one.location_id)
            for one in super().answers(changes)
        ]
        return results


class DropsZero(Stall):
    """Takes 0 for nothing to do."""

    def write(self, change: QuantityChange) -> PushResult:
        return super().write(change) if change.quantity else accepted(change)


class CutsTo32Bits(Stall):
    """Promises any number, and keeps what its column holds."""

    said: ClassVar[Mapping[str, Any]] = {"max_quantity": None}

    def write(self, change: QuantityChange) -> PushResult:
        result = super().write(change)
        key = (change.listing_sku, change.location_id)
        self.market.shelf[key] = min(self.market.shelf[key], 2**31 - 1)
        return result


class EchoesTheRequest(Stall):
    """Echoes what it was told, though the cart rounds to boxes of ten."""

    def write(self, change: QuantityChange) -> PushResult:
        result = super().write(change)
        key = (change.listing_sku, change.location_id)
        self.market.shelf[key] -= self.market.shelf[key] % 10
        return result


class ReadsFromACopy(Stall):
    """Reads a search index that nobody refreshes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.copy = dict(self.market.shelf)

    def listing(self, key: Key) -> CartListing:
        return CartListing(
            listing_sku=key[0],
            location_id=key[1],
            quantity=self.copy[key],
            allocated=self.market.held.get(key, 0),
        )


class SendsDifferences(Stall):
    """Works out a difference and adds it."""

    said: ClassVar[Mapping[str, Any]] = {"compare_and_set": "blind"}

    def write(self, change: QuantityChange) -> PushResult:
        key = (change.listing_sku, change.location_id)
        self.market.shelf[key] += change.quantity - (change.shown or 0)
        return accepted(change)


class SendsTheWholeListing(Stall):
    """Replaces a listing with all its locations."""

    def write(self, change: QuantityChange) -> PushResult:
        for place in PLACES:
            if (change.listing_sku, place) in self.market.shelf and change.location_id in PLACES:
                self.market.shelf[change.listing_sku, place] = change.quantity
        return super().write(change)


class TakesHalf(Stall):
    """Promises six rows and takes five."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return [
            self.write(row) if number < 5 else refused(row, "too_many", "too many rows")
            for number, row in enumerate(changes)
        ]


class RefusesWholeUnsaid(RefusesWhole):
    """Promises that rows stand alone, and refuses them together."""

    said: ClassVar[Mapping[str, Any]] = {"atomicity": "row"}


class WritesHalfAndRefuses(Stall):
    """Says that nothing was written, after it wrote."""

    said: ClassVar[Mapping[str, Any]] = {"atomicity": "call"}

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        results = super().answers(changes)
        if any(one.status == "rejected" for one in results):
            raise RefusedError("A row is unknown")
        return results


class StopsAtTheFirstBadRow(Stall):
    """Leaves out what comes after a row that was refused."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        results: list[PushResult] = []
        for change in changes:
            results.append(self.write(change))
            if results[-1].status == "rejected":
                return results
        return results


class AcceptsAnything(Stall):
    """Accepts rows that it drops."""

    def write(self, change: QuantityChange) -> PushResult:
        result = super().write(change)
        return accepted(change) if result.status == "rejected" else result


class IsSilentAboutUnknownRows(Stall):
    """Gives no answer for a row that the cart does not have."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return [one for one in super().answers(changes) if one.status != "rejected"]


class MakesPlaces(Stall):
    """Makes a location by writing to it, although nobody asked."""

    def may_make(self, key: Key) -> bool:
        return key[1] == "C"


class IgnoresCase(Stall):
    """Looks SKUs up in a database that ignores case, and writes what it finds."""

    def write(self, change: QuantityChange) -> PushResult:
        sku = change.listing_sku.upper()
        self.market.shelf[sku, change.location_id] = change.quantity
        return accepted(change, echo=change.quantity)


class ReadsWithoutCase(Stall):
    """Answers under the code that was asked for."""

    said: ClassVar[Mapping[str, Any]] = {"lists_all": False}

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        for sku in listing_skus:
            for listing in super().read([sku.upper()]):
                yield CartListing(listing_sku=sku, location_id=listing.location_id, quantity=0, allocated=0)


class SearchesForPatterns(Stall):
    """Hands codes to a search that knows wildcards."""

    said: ClassVar[Mapping[str, Any]] = {"lists_all": False}

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        found = [sku for sku, _ in self.market.shelf if any(fnmatchcase(sku, one) for one in listing_skus)]
        return super().read(found)


class SplitsAtCommas(Stall):
    """Asks for all codes in one text, with commas between."""

    said: ClassVar[Mapping[str, Any]] = {"lists_all": False}

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return super().read(",".join(listing_skus).split(","))


class WritesEachPart(Stall):
    """Takes a code with a comma for two."""

    def write(self, change: QuantityChange) -> PushResult:
        for sku in change.listing_sku.split(","):
            if (sku, change.location_id) in self.market.shelf:
                self.market.shelf[sku, change.location_id] = change.quantity
        return super().write(change)


class ReadsOnePage(Stall):
    """Asks for as many codes as fit in one call."""

    said: ClassVar[Mapping[str, Any]] = {"lists_all": False}

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return super().read(listing_skus[:100])


class MakesUpManyListings(Stall):
    """Answers for codes that it was asked for, though the cart does not have them."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        yield from super().read(listing_skus)
        if len(listing_skus) > 100:
            yield CartListing(listing_sku=listing_skus[0], quantity=0)


class MakesTooLongAnAddress(Stall):
    """Puts codes into an address, however long they are."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        if any(len(sku) > 2000 for sku in listing_skus):
            raise RefusedError("HTTP 414")
        return super().read(listing_skus)


class TrustsOldIds(Stall):
    """Writes by ids that it remembers, without a look whether they still mean the same listing."""

    memory: Any = None

    def remembering(self, memory: Any) -> TrustsOldIds:
        begun = type(self)(self.market, self.password, up=self.up, loses=self.loses)
        begun.memory = memory
        return begun

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        if self.memory is not None:
            self.memory.forget("ids")
            self.memory.remember("ids", self.market.ids)
        return super().read(listing_skus)

    def write(self, change: QuantityChange) -> PushResult:
        known = self.memory.recall("ids") if self.memory is not None else {}
        meant = known.get(change.listing_sku)
        skus = [sku for sku, one in self.market.ids.items() if one == meant] or [change.listing_sku]
        super().write(evolve(change, listing_sku=skus[0], shown=None))
        return accepted(change)


class ReadsOldNames(TrustsOldIds):
    """Reads by ids that it remembers, and gives what it finds under the old names."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        known = self.memory.recall("ids") if self.memory is not None else {}
        names = {one: sku for sku, one in known.items()}
        rows = list(super().read(listing_skus))
        self.memory and known and self.memory.remember("ids", known)
        for row in rows:
            yield evolve(
                row, listing_sku=names.get(self.market.ids.get(row.listing_sku, ""), row.listing_sku)
            )

    def write(self, change: QuantityChange) -> PushResult:
        return Stall.write(self, change)


class TrustsItsRead(TrustsOldIds):
    """Knows nothing from earlier runs, and writes by the ids of this one, whatever they mean by now."""

    def remembering(self, memory: Any) -> TrustsOldIds:
        if memory is not None:
            memory.forget("ids")
        return super().remembering(memory)


class CallsItWritten(TrustsItsRead):
    """Notices that an id has another name by now, writes nothing, and says that it has."""

    def write(self, change: QuantityChange) -> PushResult:
        known = self.memory.recall("ids").get(change.listing_sku) if self.memory is not None else None
        if known not in {None, self.market.ids.get(change.listing_sku)}:
            return accepted(change)
        return Stall.write(self, change)


class KeepsToItsReadWhereANameIsGone(TrustsItsRead):
    """Looks names up before it writes; one that it does not find any longer it takes for slow."""

    def write(self, change: QuantityChange) -> PushResult:
        there = change.listing_sku in self.market.ids
        return Stall.write(self, change) if there else super().write(change)


class PushesAnyway(Stall):
    """Calls the cart with nothing."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        if not changes:
            raise RefusedError("Input data is empty")
        return super().answers(changes)


class AnswersForNothing(Stall):
    """Has a word for every push."""

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return super().answers(changes) or [PushResult(listing_sku="MUG", status="accepted")]


class CutsToItsLargest(Stall):
    """Sends the largest number that the cart takes."""

    def write(self, change: QuantityChange) -> PushResult:
        return super().write(evolve(change, quantity=min(change.quantity, 2**31 - 1)))


class LetsTheLastNameWin(GoesByTwoNames):
    """Writes to one place under either name."""

    said: ClassVar[Mapping[str, Any]] = {"compare_and_set": "blind"}

    def write(self, change: QuantityChange) -> PushResult:
        place = "A" if change.location_id == "Alpha" else change.location_id
        super().write(evolve(change, location_id=place))
        return accepted(change)


class RefusesBothAndWritesOne(LetsTheLastNameWin):
    """Says of rows that contradict each other that they are refused, after one was written."""

    def write(self, change: QuantityChange) -> PushResult:
        super().write(change)
        return refused(change, "contradiction", "two numbers for one place")


class PromisesToCompare(Stall):
    """Promises to compare before it sets."""

    def is_late(self, _: QuantityChange) -> bool:
        return False


class TakesASaleForItsWrite(Stall):
    """Finds the very quantity, and says that it has written it."""

    def write(self, change: QuantityChange) -> PushResult:
        return evolve(super().write(change), reason="")


class ComparesWithWhatIsWanted(Stall):
    """Compares versions, and lets a row through that shows what was wanted, as if it had not moved."""

    said: ClassVar[Mapping[str, Any]] = {"compare_and_set": "version"}

    def is_late(self, change: QuantityChange) -> bool:
        there = self.market.shelf.get((change.listing_sku, change.location_id))
        return there != change.quantity and super().is_late(change)


class PromisesToTellLater(Stall):
    """Hands a row in as a job, whatever it has moved to."""

    said: ClassVar[Mapping[str, Any]] = {"completion": "job"}

    def write(self, change: QuantityChange) -> PushResult:
        result = super().write(change)
        return evolve(result, status="pending") if result.status == "accepted" else result


class MakesNothing(Stall):
    """Promises to make listings."""

    said: ClassVar[Mapping[str, Any]] = {"creates_listings": True}

    def may_make(self, _: Key) -> bool:
        return False


class NeverGetsThere(Stall):
    """Caps quantities without saying so."""

    def write(self, change: QuantityChange) -> PushResult:
        super().write(change)
        key = (change.listing_sku, change.location_id)
        self.market.shelf[key] = min(self.market.shelf[key], 2)
        return accepted(change)


class TakesALoginPageForAnEmptyCart(Stall):
    """Reads nothing where it is not let in."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return super().read(listing_skus) if self.password == PASSWORD and self.up else []


class CallsItRefused(Stall):
    """Raises the same for wrong credentials as for wrong rows."""

    def enter(self) -> None:
        if self.password != PASSWORD:
            raise RefusedError("HTTP 401")
        super().enter()


class LetsAnybodyWrite(Stall):
    """Looks at credentials only when it reads."""

    def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        return self.answers(changes)


class CallsSilenceARefusal(Stall):
    """Rejects rows whose answer was lost."""

    def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        try:
            return super().push(changes)
        except LostAnswerError as error:
            return [refused(row, "timeout", error.message) for row in changes]


class RaisesRefusedForSilence(Stall):
    """Says that nothing was written when it does not know."""

    def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        try:
            return super().push(changes)
        except LostAnswerError as error:
            raise RefusedError(error.message) from error


class SaysNothingWasSent(Stall):
    """Takes a time-out for a call too many."""

    def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        try:
            return super().push(changes)
        except LostAnswerError as error:
            raise ThrottledError(error.message) from error


class SkipsWhatItLost(Stall):
    """Says of the rows behind the one whose answer was lost that they were not sent."""

    def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        try:
            return super().push(changes)
        except LostAnswerError as error:
            first, *others = changes
            return [
                refused(first, "answer_unknown", error.message, status="pending"),
                *(refused(one, "not_sent", error.message, status="skipped") for one in others),
            ]


class Stumbles(Stall):
    """Has a mistake of its own."""

    def read(self, _: Sequence[str]) -> Iterable[CartListing]:
        raise KeyError(PASSWORD)


class TakesAPlaceForForbidden(Stall):
    """Takes the 403 of a place that it does not have for wrong credentials."""

    def write(self, change: QuantityChange) -> PushResult:
        if change.location_id not in self.market.places:
            raise UnauthorizedError("HTTP 403")
        return super().write(change)


BROKEN: Sequence[tuple[str, type[Stall], str]] = (
    ("capabilities_are_known_beforehand", AsksBeforeItKnows, "with wrong credentials they are"),
    ("capabilities_are_known_beforehand", ChangesItsMind, "differ when asked a second time"),
    ("secrets_stay_out_of_sight", ShowsItsPassword, "a secret is in: repr, str"),
    ("secrets_stay_out_of_sight", EchoesThePassword, "a secret is in: error"),
    ("shows_the_true_figures", SubtractsOrders, "'CUP' at 'A' shows 3 and is read as 1"),
    ("shows_the_true_figures", HidesAListing, "not read, though the bench says"),
    ("shows_the_true_figures", NamesNoPlace, "'MUG' at 'A' shows 3 and was not read"),
    ("gives_each_row_once", GivesRowsTwice, "read more than once: 'MUG' at 'A'"),
    ("gives_each_row_once", GivesDictionaries, "read gives"),
    ("leaves_out_what_the_cart_has_not", TakesAbsenceForZero, "'NOTHING', which the cart does not have"),
    ("leaves_out_what_the_cart_has_not", FindsNothingBesideTheUnknown, "'MUG' is missing beside"),
    ("lists_all_or_only_what_was_asked", ListsWhatIsAsked, "it leaves out ['CUP', 'JUG']"),
    ("lists_all_or_only_what_was_asked", ListsMore, "it gives ['CUP', 'JUG', 'MUG', 'TEA, GREEN'] too"),
    ("reading_nothing_is_no_error", ListsWhatIsAsked, "nothing is listed"),
    ("reading_nothing_is_no_error", StumblesOverNothing, "asked for nothing, it gives 2 rows"),
    ("says_what_open_orders_hold", ForgetsOrders, "'MUG' at 'A' is read without"),
    ("names_of_one_place_agree", NamesNoPlace, "which was not read as a place of its own"),
    ("names_of_one_place_agree", NamesDisagree, "shows 99, and 'A', which it repeats, another"),
    ("reading_changes_nothing", MakesLevelsWhileReading, "'NOTHING' at 'A' goes from None to 0"),
    ("states_a_duplicate", TakesAllForListed, "'TWIN' is read as listed"),
    ("states_what_is_untracked", TakesAllForListed, "'POSTER' is read as listed"),
    ("states_what_is_unmanaged", TakesAllForListed, "'KIT' is read as listed"),
    ("answers_every_row_once", SaysNothingOfGoodRows, "results by row: {"),
    ("answers_every_row_once", AnswersForThePlaceItMeant, "at 'id-1'"),
    ("answers_every_row_once", AnswersInDictionaries, "push gives"),
    ("quantities_arrive_exactly", DropsZero, "instead of 0 for 'MUG' at 'A'"),
    ("quantities_arrive_exactly", CutsTo32Bits, "2147483647 instead of 2147483648"),
    ("echoes_what_the_cart_shows", EchoesTheRequest, "the echo is another number"),
    ("shows_what_was_pushed", ReadsFromACopy, "was told 4 and is read as 3"),
    ("pushing_again_is_harmless", SendsDifferences, "after the second push the cart shows 5"),
    ("leaves_other_rows_alone", SendsTheWholeListing, "'MUG' at 'B' goes from 3 to 4"),
    ("keeps_locations_apart", SendsTheWholeListing, "instead of"),
    ("takes_a_full_batch", TakesHalf, "(too_many: too many rows)"),
    ("an_unknown_listing_spares_the_others", RefusesWholeUnsaid, "though rows stand alone"),
    ("an_unknown_listing_spares_the_others", WritesHalfAndRefuses, "though the batch is refused,"),
    ("an_unknown_listing_spares_the_others", StopsAtTheFirstBadRow, "no result for 'CUP' at 'A'"),
    ("an_unknown_listing_spares_the_others", AcceptsAnything, "'NOTHING' at 'A', which the cart"),
    ("an_unknown_listing_spares_the_others", IsSilentAboutUnknownRows, "no result for 'NOTHING' at"),
    ("an_unknown_location_is_refused", MakesPlaces, "'MUG' at 'C' goes from None to 5"),
    ("an_unknown_location_is_refused", TakesAPlaceForForbidden, "UnauthorizedError: HTTP 403"),
    ("an_unknown_location_is_refused", AcceptsAnything, "'MUG' at 'C' is accepted"),
    ("codes_are_compared_exactly", IgnoresCase, "'CUP' at 'A' goes from 3 to 5"),
    ("codes_are_compared_exactly", ReadsWithoutCase, "asked for 'mug' and 11 more, it answers"),
    ("codes_are_no_patterns", SearchesForPatterns, "asked for 'MUG*', it answers"),
    ("codes_are_no_patterns", WritesEachPart, "by pushing 'MUG,CUP' at 'A', 'CUP' at 'A' goes"),
    ("strange_skus_are_taken_literally", SplitsAtCommas, "'TEA, GREEN' at 'A' shows 4 and is read as None"),
    ("strange_skus_are_taken_literally", SendsTheWholeListing, "'TEA, GREEN' at 'B' goes from 3 to 4"),
    ("a_thousand_unknown_codes_hide_nothing", ReadsOnePage, "'MUG' is missing beside 1,000 unknown"),
    ("a_thousand_unknown_codes_hide_nothing", MakesUpManyListings, "read, though the cart has them not"),
    ("a_very_long_code_is_not_there", MakesTooLongAnAddress, "RefusedError: HTTP 414"),
    ("a_very_long_code_is_not_there", AcceptsAnything, "is accepted"),
    ("a_renamed_listing_keeps_its_number", TrustsOldIds, "after listings changed names, 'CUP' at 'A' goes"),
    ("a_renamed_listing_keeps_its_number", ReadsOldNames, "renamed, 'MUG' at 'A' shows"),
    (
        "a_listing_renamed_during_a_run_keeps_its_number",
        TrustsItsRead,
        "after listings changed names, 'CUP' at 'A' goes",
    ),
    (
        "a_listing_renamed_during_a_run_keeps_its_number",
        CallsItWritten,
        "after listings changed names, 'MUG' at 'A' goes",
    ),
    (
        "a_listing_renamed_during_a_run_keeps_its_number",
        KeepsToItsReadWhereANameIsGone,
        "which nothing is called any longer, 'NOTHING-renamed' at 'A' goes",
    ),
    ("pushing_nothing_is_no_error", PushesAnyway, "RefusedError: Input data is empty"),
    ("pushing_nothing_is_no_error", AnswersForNothing, "a push of no rows gives"),
    ("a_quantity_too_large_is_never_cut", CutsToItsLargest, "is accepted and shows 2147483647"),
    ("one_place_takes_one_number", LetsTheLastNameWin, "'MUG' at 'Alpha' and 'A' is taken with [7, 8]"),
    ("one_place_takes_one_number", RefusesBothAndWritesOne, "told [], the cart shows {('MUG', 'A')"),
    ("leaves_alone_what_it_must_not_tell", AcceptsAnything, "'TWIN' at 'A' is accepted"),
    ("a_late_write_is_a_conflict", PromisesToCompare, "a late write of 'MUG' at 'A' is accepted"),
    (
        "a_sale_is_not_taken_for_the_write",
        TakesASaleForItsWrite,
        "by a sale, and is accepted: answer 'conflict', or 'accepted' with the reason ALREADY_SHOWN ('al",
    ),
    (
        "a_sale_is_not_taken_for_the_write",
        ComparesWithWhatIsWanted,
        "'MUG' at 'A' was read as 2 and was to show 1; it came to show 1 before the push, as by a sale, and",
    ),
    (
        "a_sale_is_not_taken_for_the_write",
        PromisesToTellLater,
        "is pending with the reason 'already_shown': answer 'conflict'",
    ),
    ("a_second_sync_has_nothing_to_do", NeverGetsThere, "after the first sync: "),
    ("a_second_sync_has_nothing_to_do", ReadsFromACopy, "after the second sync: "),
    ("creates_what_it_says", MakesNothing, "'NOTHING-1' at 'A' is rejected"),
    ("wrong_credentials_are_unauthorized", TakesALoginPageForAnEmptyCart, "read gives 0 rows"),
    ("wrong_credentials_are_unauthorized", CallsItRefused, "read raises RefusedError: HTTP 401"),
    ("wrong_credentials_are_unauthorized", LetsAnybodyWrite, "push gives ['accepted']"),
    ("an_unreachable_cart_is_no_empty_cart", TakesALoginPageForAnEmptyCart, "read gives 0 rows"),
    ("a_lost_answer_is_no_refusal", CallsSilenceARefusal, "'MUG' at 'A' is rejected"),
    ("a_lost_answer_is_no_refusal", RaisesRefusedForSilence, "raised as RefusedError (refused)"),
    ("a_lost_answer_is_no_refusal", SkipsWhatItLost, "'CUP' at 'A' is skipped, written"),
    ("a_lost_answer_is_no_refusal", SaysNothingWasSent, "ThrottledError says that nothing was sent"),
)
