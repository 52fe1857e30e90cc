"""Where specifications may land, what is limited, and what each step takes and gives."""

from __future__ import annotations

from nvcfplan.capacity.charges import (
    deploy_charges,
    growth_charges,
    release_charges,
    shrink_charges,
)
from nvcfplan.capacity.holdings import (
    ASKS_FOR_MORE,
    Family,
    Held,
    Pending,
    Row,
    account_pools,
    families_of,
    held_by,
    pool_of,
    row_of,
)
from nvcfplan.capacity.limits import (
    VERSION_LIMIT,
    Involved,
    Limits,
    bounded_units,
    counts_inside,
    find_limits,
    held_units,
    pool_resource_id,
    quota_name,
    quota_pools,
)
from nvcfplan.capacity.placements import (
    WORST_FIRST,
    Placement,
    contains,
    find_instance_type,
    matches_targeting,
    place,
)

__all__ = [
    "ASKS_FOR_MORE",
    "VERSION_LIMIT",
    "WORST_FIRST",
    "Family",
    "Held",
    "Involved",
    "Limits",
    "Pending",
    "Placement",
    "Row",
    "account_pools",
    "bounded_units",
    "contains",
    "counts_inside",
    "deploy_charges",
    "families_of",
    "find_instance_type",
    "find_limits",
    "growth_charges",
    "held_by",
    "held_units",
    "matches_targeting",
    "place",
    "pool_of",
    "pool_resource_id",
    "quota_name",
    "quota_pools",
    "release_charges",
    "row_of",
    "shrink_charges",
]
