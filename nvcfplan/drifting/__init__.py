"""What has drifted from what we left: sorted into findings, remembered, and told of once."""

from __future__ import annotations

from nvcfplan.drifting.acknowledgements import (
    LEAST_PREFIX,
    acknowledge,
    acknowledged_like,
    hexadecimal,
    standing_like,
    unacknowledge,
)
from nvcfplan.drifting.classify import Sight, classify, compare_options
from nvcfplan.drifting.findings import Drift, Finding, FindingClass, Oversubscription
from nvcfplan.drifting.needs import LOOKED_AT, DriftNeeds
from nvcfplan.drifting.notices import (
    Notice,
    Whereabouts,
    attempted,
    correspondence_with,
    delivered,
    next_attempt,
    notice_of,
    undelivered,
)
from nvcfplan.drifting.recollection import Recollection, Standing, let_expire, recollect
from nvcfplan.drifting.remedies import Repair, Unfixed, find_repair
from nvcfplan.drifting.rota import Rota, Turn

__all__ = [
    "LEAST_PREFIX",
    "LOOKED_AT",
    "Drift",
    "DriftNeeds",
    "Finding",
    "FindingClass",
    "Notice",
    "Oversubscription",
    "Recollection",
    "Repair",
    "Rota",
    "Sight",
    "Standing",
    "Turn",
    "Unfixed",
    "Whereabouts",
    "acknowledge",
    "acknowledged_like",
    "attempted",
    "classify",
    "compare_options",
    "correspondence_with",
    "delivered",
    "find_repair",
    "hexadecimal",
    "let_expire",
    "next_attempt",
    "notice_of",
    "recollect",
    "standing_like",
    "unacknowledge",
    "undelivered",
]
