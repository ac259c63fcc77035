"""Planning: desired against shown gives a plan, and a plan gives the rows to push. Pure.

A plan is data. A dry run is a plan that nobody pushed.
"""

from omsync.planning.compare import accepted_figures, make_plan, refresh
from omsync.planning.plan import KnownRow, PlanLine, SyncPlan
from omsync.planning.pushing import batches, changes_of

__all__ = [
    "KnownRow",
    "PlanLine",
    "SyncPlan",
    "accepted_figures",
    "batches",
    "changes_of",
    "make_plan",
    "refresh",
]
