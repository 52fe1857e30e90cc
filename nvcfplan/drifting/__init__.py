"""What has drifted from what we left: sorted into findings, each with a stable fingerprint."""

from __future__ import annotations

from nvcfplan.drifting.classify import Sight, classify
from nvcfplan.drifting.findings import Drift, Finding, FindingClass, Oversubscription
from nvcfplan.drifting.needs import DriftNeeds
from nvcfplan.drifting.remedies import Repair, Unfixed, find_repair

__all__ = [
    "Drift",
    "DriftNeeds",
    "Finding",
    "FindingClass",
    "Oversubscription",
    "Repair",
    "Sight",
    "Unfixed",
    "classify",
    "find_repair",
]
