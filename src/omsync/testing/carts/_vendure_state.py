"""What the fake Vendure shop holds: variants, stock locations, channels, and who may come in."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

__all__ = ["DEFAULT", "PERMISSIONS", "Channel", "Grant", "Level", "Location", "State", "Variant"]

DEFAULT = "__default_channel__"
PERMISSIONS = frozenset(
    {"ReadCatalog", "UpdateCatalog", "DeleteCatalog", "ReadStockLocation", "UpdateGlobalSettings"}
)
"""Those that the fake asks for."""


@define
class Level:
    """Units of one variant at one stock location."""

    on_hand: int = 0
    allocated: int = 0


@define
class Variant:
    """A product variant; nothing keeps two of them from having one SKU."""

    id: str
    sku: str
    enabled: bool
    tracking: str
    levels: dict[str, Level] = field(factory=dict)


@define
class Location:
    """A stock location."""

    id: str
    name: str


@define
class Channel:
    """A channel, and the ids of what is seen in it; None for all there is, as in the default channel."""

    code: str
    token: str
    variants: set[str] | None = None
    locations: set[str] | None = None

    def shows(self, one: Variant | Location) -> bool:
        """Tell whether a variant or a stock location is seen here."""
        own = self.variants if isinstance(one, Variant) else self.locations
        return own is None or one.id in own


@define
class Grant:
    """Who somebody is, what they may do, and the tokens of the channels where; None for everywhere."""

    name: str
    permissions: frozenset[str] = PERMISSIONS
    channels: frozenset[str] | None = None

    def allows(self, needed: Iterable[str], channel: Channel) -> bool:
        """Tell whether one of the permissions is held in a channel; none needed: whoever is logged in."""
        here = self.channels is None or channel.token in self.channels
        return here and (not needed or not self.permissions.isdisjoint(needed))


class State:
    """Everything the shop holds."""

    def __init__(self) -> None:
        self.tracks_by_default = True
        self.variants: dict[str, Variant] = {}
        self.locations: dict[str, Location] = {}
        self.channels: list[Channel] = [Channel(DEFAULT, "default-token")]
        self.passwords: dict[str, tuple[str, Grant]] = {}
        self.keys: dict[str, Grant] = {}
        self.sessions: dict[str, Grant] = {}
        self._numbers = 0

    def number(self) -> int:
        """Give a number that was not given before."""
        self._numbers += 1
        return self._numbers

    def add_location(self, name: str) -> Location:
        """Add a stock location."""
        location = Location(str(len(self.locations) + 1), name)
        self.locations[location.id] = location
        return location

    def add_variant(self, sku: str, *, enabled: bool, tracking: str) -> Variant:
        """Add a variant; it has a level at every stock location that there is."""
        levels = {place: Level() for place in self.locations}
        variant = Variant(str(self.number()), sku, enabled, tracking, levels)
        self.variants[variant.id] = variant
        return variant

    def location(self, wanted: str | None) -> Location:
        """Find a stock location by name or id; the first one when left out."""
        for location in self.locations.values():
            if wanted is None or wanted in {location.id, location.name}:
                return location
        raise LookupError(f"there is no stock location {wanted!r}")

    def variant(self, wanted: str) -> Variant:
        """Find a variant by its SKU, or by its id where several share the SKU."""
        found = [one for one in self.variants.values() if one.sku == wanted]
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise LookupError(f"several variants have the SKU {wanted!r}; name one by its id: {ids}")
        if not found and wanted not in self.variants:
            raise LookupError(f"there is no variant {wanted!r}")
        return found[0] if found else self.variants[wanted]
