"""What every source that speaks HTTP shares: a plain blocking ``read`` made from its steps."""

from __future__ import annotations

from abc import abstractmethod

from omsync.http.blocking import Runner
from omsync.http.steps import Steps
from omsync.model import InventorySnapshot
from omsync.ports import ReadRequest

__all__ = ["HttpSource"]


class HttpSource:
    """Gives ``read`` to a class that says its reading as steps; the shells run the steps themselves."""

    __slots__ = ()

    @abstractmethod
    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        """Say how to read, as steps for a blocking or an awaiting runner."""

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read everything, blocking, or raise: a read that did not finish gives no snapshot."""
        with Runner(deadline=request.deadline) as runner:
            return runner.run(self.read_steps(request))
