"""Two pictures of one merchant's stock, side by side: every difference named, nothing changed. Pure.

``snapshots`` compares two readings, ``carts`` what omsync would show with what a cart shows; ``places`` finds
the warehouses that are one, ``bundles`` makes bundles' figures comparable, ``findings`` holds the result.
"""

from omsync.comparison.carts import compare_with_cart
from omsync.comparison.findings import KINDS, Comparison, Difference
from omsync.comparison.snapshots import compare_snapshots

__all__ = ["KINDS", "Comparison", "Difference", "compare_snapshots", "compare_with_cart"]
