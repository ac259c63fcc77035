"""Allocation: deciding the quantity that each listing is told. Pure, with no dependency but attrs.

The modules follow the order of the rules: ``locations`` chooses what counts, ``availability`` is rule 1,
``building`` and ``derivation`` are rules 2 and 3, ``rules`` are 4 to 10; ``catalogue`` and ``listings`` say
what can have a quantity, ``engine`` puts them together, ``explanation`` says why.
"""

from omsync.allocation.again import reallocate
from omsync.allocation.derivation import Derivation, LocationWork, Orders, Worked
from omsync.allocation.desk import Desk
from omsync.allocation.engine import allocate
from omsync.allocation.explanation import Explanation
from omsync.allocation.locations import LocationChoice
from omsync.allocation.reasons import Notice, Skip
from omsync.allocation.reference import allocate_by_reference
from omsync.allocation.result import Allocation
from omsync.allocation.rules import RuleStep
from omsync.allocation.workbench import ListingQuantity

__all__ = [
    "Allocation",
    "Derivation",
    "Desk",
    "Explanation",
    "ListingQuantity",
    "LocationChoice",
    "LocationWork",
    "Notice",
    "Orders",
    "RuleStep",
    "Skip",
    "Worked",
    "allocate",
    "allocate_by_reference",
    "reallocate",
]
