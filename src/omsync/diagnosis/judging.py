"""The whole check list, from evidence to answers."""

from __future__ import annotations

from omsync.diagnosis import carts, order_manager
from omsync.diagnosis.evidence import Evidence
from omsync.diagnosis.verdict import Diagnosis

__all__ = ["judged"]


def judged(evidence: Evidence) -> Diagnosis:
    """Answer the check list: the order manager first, then the cart. Pure.

    Source: the questions that the vendor's support asks when inventory is wrong.
    """
    return Diagnosis(
        merchant=evidence.merchant.name,
        cart=evidence.cart.name,
        destination=evidence.capabilities.destination,
        at=evidence.now,
        checks=(*order_manager.questions(evidence), *carts.questions(evidence)),
    )
