"""Which sales channels acknowledge is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omsync.errors import SettingsError
from omsync.model import SalesChannel

__all__ = ["wanted_channels"]


def wanted_channels(
    channels: Sequence[SalesChannel], names: Iterable[str] | None, types: frozenset[str]
) -> tuple[SalesChannel, ...]:
    """Choose the channels to read: those named by id or exact name, or all active ones of the types.

    Raises:
        SettingsError: A name fits none or several, or fits a channel that acknowledge does not serve; or
            there is no channel to read. Lists the choices.
    """
    served = [channel for channel in channels if channel.kind in types or not channel.kind]
    choices = "; ".join(f"{channel.name!r} (id {channel.id}, {channel.kind})" for channel in channels)
    choices = f"This account has: {choices or 'no sales channels'}."
    if names is None:
        active = tuple(channel for channel in served if channel.active)
        if not active:
            raise SettingsError(
                f"No active sales channel is of a type that acknowledge serves ({', '.join(sorted(types))})",
                code="no_channel",
                remedy=f"Create a channel of type CUSTOM in Order Manager. {choices}",
            )
        return active
    found: dict[str, SalesChannel] = {}
    for name in names:
        fits = [channel for channel in channels if channel.id == name] or [
            channel for channel in channels if channel.name == name
        ]
        if len(fits) != 1:
            what = "is not known" if not fits else "is the name of several channels"
            raise SettingsError(
                f"The sales channel {name!r} {what}",
                code="unknown_channel" if not fits else "ambiguous_channel",
                remedy=f"Give a channel's id or exact name. {choices}",
            )
        if fits[0] not in served:
            raise SettingsError(
                f"The sales channel {name!r} is of type {fits[0].kind}, "
                f"and acknowledge serves {', '.join(sorted(types))}",
                code="channel_not_served",
                remedy="Choose another, or add the type to acknowledge_types if it is served after all. "
                f"{choices}",
            )
        found[fits[0].id] = fits[0]
    return tuple(found.values())
