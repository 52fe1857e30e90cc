"""From differences to an ordered plan whose every intermediate state fits."""

from __future__ import annotations

from nvcfplan.planning.assembly import (
    assemble,
    components,
    point_of_no_return,
    topological,
)
from nvcfplan.planning.context import (
    Context,
    current_of,
    owner,
)
from nvcfplan.planning.dependencies import (
    Uses,
    dependencies,
)
from nvcfplan.planning.drafts import (
    ACTIVE_EXPECTED_SECONDS,
    ACTIVE_LIMIT_SECONDS,
    EXPECTED_SECONDS,
    FREE,
    NOTHING_TO_UNDO,
    RELEASE_EXPECTED_SECONDS,
    RELEASE_LIMIT_SECONDS,
    REQUEST_LIMIT_SECONDS,
    Waits,
    await_active_step,
    await_released_step,
    create_step,
    delete_step,
    deploy_step,
    metadata_step,
    secrets_step,
    undeploy_step,
    update_step,
)
from nvcfplan.planning.expansion import (
    expand,
)
from nvcfplan.planning.fingerprints import (
    ALIKE,
    ROWS,
    STANDING,
    image_of,
    inventory_row,
    inventory_rows,
    pre_images,
    standing_of,
)
from nvcfplan.planning.inplace import (
    metadata,
    set_secrets,
    updates,
)
from nvcfplan.planning.needed import (
    ApplyNeeds,
    ApplyOutlook,
    Ids,
    PlanNeeds,
    PlanOutlook,
)
from nvcfplan.planning.parts import (
    Draft,
    Part,
    draft_of,
    with_steps,
)
from nvcfplan.planning.planner import (
    Inputs,
    PlanOptions,
    find_differences,
    find_involved,
    find_works,
    plan_stack,
)
from nvcfplan.planning.refunding import (
    find_lost_units,
    recharge,
)
from nvcfplan.planning.scheduler import (
    Chosen,
    Lot,
    Lots,
    Missing,
    Schedule,
    Taken,
    Work,
    schedule,
    take,
)
from nvcfplan.planning.staleness import (
    Freshness,
    check_freshness,
    involved_in,
)
from nvcfplan.planning.verdicts import (
    find_shortages,
    judge_capacity,
)

__all__ = [
    "ACTIVE_EXPECTED_SECONDS",
    "ACTIVE_LIMIT_SECONDS",
    "ALIKE",
    "EXPECTED_SECONDS",
    "FREE",
    "NOTHING_TO_UNDO",
    "RELEASE_EXPECTED_SECONDS",
    "RELEASE_LIMIT_SECONDS",
    "REQUEST_LIMIT_SECONDS",
    "ROWS",
    "STANDING",
    "ApplyNeeds",
    "ApplyOutlook",
    "Chosen",
    "Context",
    "Draft",
    "Freshness",
    "Ids",
    "Inputs",
    "Lot",
    "Lots",
    "Missing",
    "Part",
    "PlanNeeds",
    "PlanOptions",
    "PlanOutlook",
    "Schedule",
    "Taken",
    "Uses",
    "Waits",
    "Work",
    "assemble",
    "await_active_step",
    "await_released_step",
    "check_freshness",
    "components",
    "create_step",
    "current_of",
    "delete_step",
    "dependencies",
    "deploy_step",
    "draft_of",
    "expand",
    "find_differences",
    "find_involved",
    "find_lost_units",
    "find_shortages",
    "find_works",
    "image_of",
    "inventory_row",
    "inventory_rows",
    "involved_in",
    "judge_capacity",
    "metadata",
    "metadata_step",
    "owner",
    "plan_stack",
    "point_of_no_return",
    "pre_images",
    "recharge",
    "schedule",
    "secrets_step",
    "set_secrets",
    "standing_of",
    "take",
    "topological",
    "undeploy_step",
    "update_step",
    "updates",
    "with_steps",
]
