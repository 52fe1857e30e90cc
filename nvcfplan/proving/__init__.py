"""Re-checks a plan from its own value, without the planner's code."""

from __future__ import annotations

from nvcfplan.proving.bounds import (
    bound_faults,
    certain_minimum,
    final_bounds,
)
from nvcfplan.proving.certificate import (
    check_funding,
    check_order,
    unproved_resources,
)
from nvcfplan.proving.charges import (
    PLACELESS,
    check_charges,
)
from nvcfplan.proving.ends import (
    CALLS,
    check_ends,
)
from nvcfplan.proving.evidence import (
    BOUNCE,
    NEW,
    OLD,
    Ancestry,
    Case,
    Evidence,
    Seen,
    TaskT,
    ancestry,
    gather,
    version_of,
)
from nvcfplan.proving.faults import (
    broken_end,
    broken_funding,
    broken_order,
)
from nvcfplan.proving.flows import (
    missing_units,
)
from nvcfplan.proving.landings import (
    LARGEST_BATCH,
    check_landings,
)
from nvcfplan.proving.lifecycles import (
    check_lifecycles,
)
from nvcfplan.proving.lowering import (
    check_lowering,
)
from nvcfplan.proving.proof import (
    QUESTIONS,
    prove,
)
from nvcfplan.proving.quotas import (
    check_quotas,
)
from nvcfplan.proving.retiring import (
    check_retiring,
)
from nvcfplan.proving.retreat import (
    check_retreat,
)
from nvcfplan.proving.serving import (
    check_gaps,
    check_serving,
)
from nvcfplan.proving.succession import (
    check_dependencies,
    check_succession,
)
from nvcfplan.proving.wanted import (
    CONFIG_FIELDS,
    is_config_wanted,
    is_metadata_wanted,
    is_placed_as_wanted,
    is_specification_wanted,
)

__all__ = [
    "BOUNCE",
    "CALLS",
    "CONFIG_FIELDS",
    "LARGEST_BATCH",
    "NEW",
    "OLD",
    "PLACELESS",
    "QUESTIONS",
    "Ancestry",
    "Case",
    "Evidence",
    "Seen",
    "TaskT",
    "ancestry",
    "bound_faults",
    "broken_end",
    "broken_funding",
    "broken_order",
    "certain_minimum",
    "check_charges",
    "check_dependencies",
    "check_ends",
    "check_funding",
    "check_gaps",
    "check_landings",
    "check_lifecycles",
    "check_lowering",
    "check_order",
    "check_quotas",
    "check_retiring",
    "check_retreat",
    "check_serving",
    "check_succession",
    "final_bounds",
    "gather",
    "is_config_wanted",
    "is_metadata_wanted",
    "is_placed_as_wanted",
    "is_specification_wanted",
    "missing_units",
    "prove",
    "unproved_resources",
    "version_of",
]
