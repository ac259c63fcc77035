"""The two sets of columns that a cart file may have: what a person reads, or that with where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.exchange import QuantityChange
from omsync.http.clock import Clock, SystemClock
from omsync.textfiles.tables import CellError

__all__ = ["AUDITED", "PLAIN", "Audit", "Key", "Row", "row_of", "semantics", "version"]

Key = tuple[str, str | None]
"""A listing SKU and a location."""

PLAIN = ("listing_sku", "location", "quantity")
AUDITED = ("run_id", "as_of", "sku", "location", "quantity", "semantics", "source", "version")

SEMANTICS = "sellable"
"""What the quantities mean: what may be sold, which is what omsync sends to a file."""

VERSION = 1
"""Of the audit columns; it grows when their meaning changes."""


@frozen(kw_only=True)
class Stamp:
    """Where a row's quantity came from.

    Args:
        run_id: The run that last changed it; empty when it was pushed outside a run.
        as_of: When that was.
        source: What the quantities were worked out from.
    """

    run_id: str = field(validator=checks.any_text)
    as_of: datetime = field(converter=checks.to_utc, validator=checks.moment)
    source: str = field(validator=checks.text)


@frozen
class Row:
    """A quantity, and its stamp if the file keeps them."""

    quantity: int
    stamp: Stamp | None = None

    def values(self, key: Key) -> Mapping[str, Any]:
        """Give the row's values by column, in the order of the columns."""
        sku, location = key
        if self.stamp is None:
            return {"listing_sku": sku, "location": location, "quantity": self.quantity}
        return {
            "run_id": self.stamp.run_id,
            "as_of": self.stamp.as_of.isoformat().replace("+00:00", "Z"),
            "sku": sku,
            "location": location,
            "quantity": self.quantity,
            "semantics": SEMANTICS,
            "source": self.stamp.source,
            "version": VERSION,
        }


@frozen(kw_only=True)
class Audit:
    """Keep with each row where its quantity came from.

    The columns are run_id, as_of (UTC), sku, location, quantity, semantics (always ``"sellable"``: what may
    be sold), source and version (of these columns). A row keeps the run and the time that last changed it.

    Args:
        source: What the quantities are worked out from, such as ``"extensiv acme"``.
        clock: Tells the time.
    """

    source: str = field(validator=checks.text)
    clock: Clock = field(factory=SystemClock, repr=False, eq=False)

    def stamp(self, change: QuantityChange, now: datetime) -> Stamp:
        """Stamp a row that is about to change; whole seconds are enough."""
        # A run's rows have the key "run:listing:location", those that go out again ":1" after it; what pushes
        # by itself may have any other, or none.
        run_id, _, _ = change.key.partition(f":{change.listing_sku}:{change.location_id or ''}")
        return Stamp(run_id=run_id, as_of=now.replace(microsecond=0), source=self.source)


def row_of(values: Mapping[str, Any]) -> tuple[Key, Row]:
    """Turn the values of one of the two sets of columns into a row."""
    if "run_id" not in values:
        return (values["listing_sku"], values["location"]), Row(values["quantity"])
    stamp = Stamp(run_id=values["run_id"], as_of=values["as_of"], source=values["source"])
    return (values["sku"], values["location"]), Row(values["quantity"], stamp)


def semantics(text: str) -> str:
    """Take the one meaning that a cart file has."""
    if text != SEMANTICS:
        raise CellError(f"must be {SEMANTICS!r}, since the file holds what may be sold, not {text!r}")
    return text


def version(number: int) -> int:
    """Take the one version that there is."""
    if number != VERSION:
        raise CellError(f"must be {VERSION}, the version that this omsync writes, not {number!r}")
    return number
