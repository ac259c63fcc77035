"""Extensiv Order Manager, formerly Skubana: read by warehouse or by sales channel."""

from omsync.sources.extensiv.estimate import ReadEstimate, estimate_from_snapshot, estimate_read
from omsync.sources.extensiv.orders import ExtensivOrders
from omsync.sources.extensiv.source import ExtensivOrderManager

__all__ = [
    "ExtensivOrderManager",
    "ExtensivOrders",
    "ReadEstimate",
    "estimate_from_snapshot",
    "estimate_read",
]
