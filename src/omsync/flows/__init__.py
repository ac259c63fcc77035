"""What the shells do, written once as steps: read, decide, push, and note it in the ledger.

No decision about stock is made here; those are pure and live in ``allocation`` and ``planning``.
``omsync.sync`` runs these steps blocking, ``omsync.aio`` awaiting.
"""

from omsync.flows.arguments import Sink, Source, check_sink
from omsync.flows.carts import push_batch, read_cart, with_memory
from omsync.flows.deciding import plan_flow
from omsync.flows.many import AT_ONCE, sync_many_flow
from omsync.flows.pushing import push_flow
from omsync.flows.reading import read_flow
from omsync.flows.syncing import sync_flow

__all__ = [
    "AT_ONCE",
    "Sink",
    "Source",
    "check_sink",
    "plan_flow",
    "push_batch",
    "push_flow",
    "read_cart",
    "read_flow",
    "sync_flow",
    "sync_many_flow",
    "with_memory",
]
