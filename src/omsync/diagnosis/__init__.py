"""What is wrong and what to do: the support check list, the catalogue's audit, both modes side by side. Pure.

``likeness`` tells codes that look alike; ``evidence`` is what a diagnosis is made from, ``order_manager`` and
``carts`` ask the questions, ``verdict`` holds the answers; ``catalogue`` and ``modes`` need no cart at all.
"""

from omsync.diagnosis.catalogue import Audit, Finding, audit
from omsync.diagnosis.evidence import Evidence
from omsync.diagnosis.judging import judged
from omsync.diagnosis.modes import ModeLine, ModesCompared, compare_modes
from omsync.diagnosis.verdict import Check, Diagnosis

__all__ = [
    "Audit",
    "Check",
    "Diagnosis",
    "Evidence",
    "Finding",
    "ModeLine",
    "ModesCompared",
    "audit",
    "compare_modes",
    "judged",
]
