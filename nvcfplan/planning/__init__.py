"""From differences to an ordered plan whose every intermediate state fits."""

from __future__ import annotations

from nvcfplan.planning.alternatives import (
    MOST_OF_A_KIND,
    TRIES,
    TRIES_OF_MORE,
    Tried,
    find_alternatives,
)
from nvcfplan.planning.assembly import (
    assemble,
    components,
    point_of_no_return,
    topological,
)
from nvcfplan.planning.bounds import (
    least_lenders,
)
from nvcfplan.planning.committing import (
    behind_barrier,
)
from nvcfplan.planning.concessions import (
    KEEP_TRIES,
    LOWER_JOBS,
    Settled,
    settle,
)
from nvcfplan.planning.context import (
    Context,
    current_of,
    owner,
)
from nvcfplan.planning.covering import (
    ROUNDS,
    Arrangement,
    Ask,
    Rank,
    arrange,
)
from nvcfplan.planning.demand import (
    find_demand,
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
    sharing_step,
    undeploy_step,
    update_step,
)
from nvcfplan.planning.exhaustive import (
    UNTOUCHED,
    Answer,
    Price,
    Searched,
    State,
    search_all,
)
from nvcfplan.planning.expansion import (
    expand,
)
from nvcfplan.planning.explaining import (
    MOST_STARTS,
    Floor,
    find_circle,
    find_floor,
)
from nvcfplan.planning.fingerprints import (
    ROWS,
    SECRETS,
    image_of,
    inventory_row,
    inventory_rows,
    pre_images,
    returning_in,
    sharing_of,
    standing_of,
)
from nvcfplan.planning.funding import (
    Funding,
    fund,
)
from nvcfplan.planning.gaps import (
    expected_gap,
    judge_gap,
    within_downtime,
)
from nvcfplan.planning.inplace import (
    metadata,
    set_secrets,
    updates,
)
from nvcfplan.planning.landings import (
    asked_by,
    find_landings,
    grown_by,
)
from nvcfplan.planning.lending import (
    CASCADE_LIMIT,
    LOOK_AHEAD,
    Lending,
    Loan,
    Offer,
    find_loan,
)
from nvcfplan.planning.lowering import (
    lower_for_a_while,
)
from nvcfplan.planning.needed import (
    ApplyNeeds,
    ApplyOutlook,
    Ids,
    PlanNeeds,
    PlanOutlook,
)
from nvcfplan.planning.numbers import (
    Job,
    Move,
    Piece,
    Problem,
    Units,
    Way,
    binding_resources,
    end_excess,
    state_problem,
)
from nvcfplan.planning.parts import (
    Draft,
    Part,
    Work,
    draft_of,
    settling,
    undeploying,
    with_steps,
)
from nvcfplan.planning.planner import (
    Inputs,
    PlanOptions,
    find_differences,
    find_involved,
    plan_stack,
)
from nvcfplan.planning.raising import (
    with_more,
)
from nvcfplan.planning.refunding import (
    find_lost_units,
    recharge,
)
from nvcfplan.planning.reserve import (
    NOTHING,
    Entry,
    Reserve,
)
from nvcfplan.planning.scheduler import (
    Chosen,
    Schedule,
    schedule,
)
from nvcfplan.planning.search import (
    EXACT_JOBS,
    INSISTENCE,
    MOVE_LIMIT,
    PRUNING_TRIES,
    PRUNINGS,
    RESTARTS,
    STATE_LIMIT,
    STATES_AT_ONCE,
    Cost,
    Effort,
    Failure,
    Result,
    Solution,
    Ways,
    solve,
)
from nvcfplan.planning.sharing import (
    with_sharing,
)
from nvcfplan.planning.simulation import (
    Conduct,
    Found,
    Priority,
    Stuck,
    simulate,
)
from nvcfplan.planning.sizes import (
    Size,
    SizedDraft,
    SizedWork,
    end_of,
    size_works,
    worst_of,
)
from nvcfplan.planning.staleness import (
    Freshness,
    check_freshness,
    find_moved,
    involved_in,
)
from nvcfplan.planning.strategies import (
    restrict,
    tighten,
)
from nvcfplan.planning.timing import (
    makespan,
)
from nvcfplan.planning.verdicts import (
    MOST_NAMES,
    find_shortages,
    judge_capacity,
)
from nvcfplan.planning.works import (
    LENDS_ROOM,
    Loans,
    find_loans,
    find_works,
)

__all__ = [
    "ACTIVE_EXPECTED_SECONDS",
    "ACTIVE_LIMIT_SECONDS",
    "CASCADE_LIMIT",
    "EXACT_JOBS",
    "EXPECTED_SECONDS",
    "FREE",
    "INSISTENCE",
    "KEEP_TRIES",
    "LENDS_ROOM",
    "LOOK_AHEAD",
    "LOWER_JOBS",
    "MOST_NAMES",
    "MOST_OF_A_KIND",
    "MOST_STARTS",
    "MOVE_LIMIT",
    "NOTHING",
    "NOTHING_TO_UNDO",
    "PRUNINGS",
    "PRUNING_TRIES",
    "RELEASE_EXPECTED_SECONDS",
    "RELEASE_LIMIT_SECONDS",
    "REQUEST_LIMIT_SECONDS",
    "RESTARTS",
    "ROUNDS",
    "ROWS",
    "SECRETS",
    "STATES_AT_ONCE",
    "STATE_LIMIT",
    "TRIES",
    "TRIES_OF_MORE",
    "UNTOUCHED",
    "Answer",
    "ApplyNeeds",
    "ApplyOutlook",
    "Arrangement",
    "Ask",
    "Chosen",
    "Conduct",
    "Context",
    "Cost",
    "Draft",
    "Effort",
    "Entry",
    "Failure",
    "Floor",
    "Found",
    "Freshness",
    "Funding",
    "Ids",
    "Inputs",
    "Job",
    "Lending",
    "Loan",
    "Loans",
    "Move",
    "Offer",
    "Part",
    "Piece",
    "PlanNeeds",
    "PlanOptions",
    "PlanOutlook",
    "Price",
    "Priority",
    "Problem",
    "Rank",
    "Reserve",
    "Result",
    "Schedule",
    "Searched",
    "Settled",
    "Size",
    "SizedDraft",
    "SizedWork",
    "Solution",
    "State",
    "Stuck",
    "Tried",
    "Units",
    "Uses",
    "Waits",
    "Way",
    "Ways",
    "Work",
    "arrange",
    "asked_by",
    "assemble",
    "await_active_step",
    "await_released_step",
    "behind_barrier",
    "binding_resources",
    "check_freshness",
    "components",
    "create_step",
    "current_of",
    "delete_step",
    "dependencies",
    "deploy_step",
    "draft_of",
    "end_excess",
    "end_of",
    "expand",
    "expected_gap",
    "find_alternatives",
    "find_circle",
    "find_demand",
    "find_differences",
    "find_floor",
    "find_involved",
    "find_landings",
    "find_loan",
    "find_loans",
    "find_lost_units",
    "find_moved",
    "find_shortages",
    "find_works",
    "fund",
    "grown_by",
    "image_of",
    "inventory_row",
    "inventory_rows",
    "involved_in",
    "judge_capacity",
    "judge_gap",
    "least_lenders",
    "lower_for_a_while",
    "makespan",
    "metadata",
    "metadata_step",
    "owner",
    "plan_stack",
    "point_of_no_return",
    "pre_images",
    "recharge",
    "restrict",
    "returning_in",
    "schedule",
    "search_all",
    "secrets_step",
    "set_secrets",
    "settle",
    "settling",
    "sharing_of",
    "sharing_step",
    "simulate",
    "size_works",
    "solve",
    "standing_of",
    "state_problem",
    "tighten",
    "topological",
    "undeploy_step",
    "undeploying",
    "update_step",
    "updates",
    "with_more",
    "with_sharing",
    "with_steps",
    "within_downtime",
    "worst_of",
]
