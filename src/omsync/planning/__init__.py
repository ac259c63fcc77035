"""Planning: desired against shown gives a plan, and a plan gives the rows to push. Pure.

A plan is data. A dry run is a plan that nobody pushed.
"""

from omsync.planning.accepted import accepted_figures, overdue_figures
from omsync.planning.approvals import Approval, ApprovedRow, approved_rows
from omsync.planning.compare import make_plan
from omsync.planning.guards import CartHistory, ReadFigures, guard, read_figures
from omsync.planning.plan import KnownRow, PlanLine, SyncPlan
from omsync.planning.pushing import batches, changes_of
from omsync.planning.refresh import refresh

__all__ = [
    "Approval",
    "ApprovedRow",
    "CartHistory",
    "KnownRow",
    "PlanLine",
    "ReadFigures",
    "SyncPlan",
    "accepted_figures",
    "approved_rows",
    "batches",
    "changes_of",
    "guard",
    "make_plan",
    "overdue_figures",
    "read_figures",
    "refresh",
]
