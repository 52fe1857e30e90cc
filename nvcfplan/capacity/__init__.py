"""Where specifications may land, what is limited, and what each step takes and gives."""

from __future__ import annotations

from nvcfplan.capacity.charges import (
    deploy_charges,
    growth_charges,
    release_charges,
    shrink_charges,
)
from nvcfplan.capacity.counting import (
    Index,
    bounded_units,
    counts_inside,
    held_units,
    index_of,
    placed_units,
)
from nvcfplan.capacity.covers import (
    Covers,
    covers_of,
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
)
from nvcfplan.capacity.limits import (
    VERSION_LIMIT,
    Involved,
    Limits,
    find_limits,
    pool_resource_id,
)
from nvcfplan.capacity.placements import (
    WORST_FIRST,
    Atlas,
    Placement,
    Targeting,
    atlas_of,
    contains,
    find_instance_type,
    matches_targeting,
    place,
    targeting_of,
)
from nvcfplan.capacity.pools import (
    BATCH,
    Ground,
    blocked_units,
    inner_resources,
    pool_resources,
    room_resources,
    survey,
)
from nvcfplan.capacity.quotas import (
    quota_name,
    quota_pools,
    quota_resources,
)
from nvcfplan.capacity.unions import (
    KEPT_LIMIT,
    UNION_LIMIT,
    Pools,
    find_unions,
)

__all__ = [
    "ASKS_FOR_MORE",
    "BATCH",
    "KEPT_LIMIT",
    "UNION_LIMIT",
    "VERSION_LIMIT",
    "WORST_FIRST",
    "Atlas",
    "Covers",
    "Family",
    "Ground",
    "Held",
    "Index",
    "Involved",
    "Limits",
    "Pending",
    "Placement",
    "Pools",
    "Row",
    "Targeting",
    "account_pools",
    "atlas_of",
    "blocked_units",
    "bounded_units",
    "contains",
    "counts_inside",
    "covers_of",
    "deploy_charges",
    "families_of",
    "find_instance_type",
    "find_limits",
    "find_unions",
    "growth_charges",
    "held_by",
    "held_units",
    "index_of",
    "inner_resources",
    "matches_targeting",
    "place",
    "placed_units",
    "pool_of",
    "pool_resource_id",
    "pool_resources",
    "quota_name",
    "quota_pools",
    "quota_resources",
    "release_charges",
    "room_resources",
    "shrink_charges",
    "survey",
    "targeting_of",
]
