"""What is called proved holds wherever things land; and what can be proved is called so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Verdict
from nvcfplan.plans import Infeasible, Plan
from tests.budget import examples
from tests.ordering.every_state import Unserved, carry_out
from tests.ordering.rich import rich_fleet
from tests.planning.builders import account, cluster, plan, running, specification, wanted

if TYPE_CHECKING:
    from nvcfplan.model import DesiredFunction, GpuSpecification
    from tests.ordering.fleets import Fleet


def at_risk(result: Plan | Infeasible) -> set[str]:
    """Addresses of what is not certain of room."""
    assert isinstance(result, Plan)
    return {
        one.subject.address if one.subject else ""
        for one in result.diagnostics
        if one.verdict is Verdict.AT_RISK
    }


def is_served(fleet: Fleet, made: Plan, tries: int) -> bool:
    try:
        for seed in range(tries):
            carry_out(fleet, made, seed)
    except Unserved:
        return False
    return True


def test_a_proved_plan_finds_room_in_every_order_wherever_things_land() -> None:
    proved = served = risky = failed = 0
    for seed in range(examples(2_000)):
        fleet = rich_fleet(seed)
        made = fleet.plan()
        if not isinstance(made, Plan) or not made.steps:
            continue
        if at_risk(made):
            risky += 1
            failed += not is_served(fleet, made, 12)
        else:
            proved += 1
            served += is_served(fleet, made, 6)
    assert served == proved
    assert proved > risky / 4
    assert failed, "nothing that is called at risk fails: the measure would find nothing"


def choosing(low: int, *clusters: str, gpus: int = 1) -> GpuSpecification:
    return specification(low=low, gpus=gpus, clusters=clusters)


def two(a: int, b: int, *functions: DesiredFunction) -> Plan | Infeasible:
    return plan(functions, account(cluster("a", gpus=a), cluster("b", gpus=b)))


def test_one_pool_that_keeps_everything_is_enough() -> None:
    """y may land on a, which is too small for both; b has room for it whatever happens."""
    made = two(4, 8, wanted("x", choosing(1, "a")), wanted("y", choosing(4, "a", "b")))
    assert at_risk(made) == {"function.x"}


def test_who_names_one_cluster_is_not_certain_while_others_may_take_it() -> None:
    x, y = wanted("x", choosing(4, "a")), wanted("y", choosing(4, "a", "b"))
    assert at_risk(two(4, 4, x, y)) == {"function.x"}


def test_pinning_the_one_that_chooses_proves_the_plan() -> None:
    x, pinned = wanted("x", choosing(4, "a")), wanted("y", choosing(4, "b"))
    assert at_risk(two(4, 4, x, pinned)) == set()


def test_room_that_cannot_be_blocked_in_both_pools_is_enough() -> None:
    either = [wanted(key, choosing(3, "a", "b")) for key in ("x", "y")]
    assert at_risk(two(4, 4, *either)) == set()


def test_whole_batches_may_be_blocked_in_every_pool() -> None:
    """Two of 3 on either pool may leave 1 and 1: no room for another 2, though 2 are free."""
    some = [wanted("x", choosing(3, "a", "b")), wanted("y", choosing(3, "a", "b"))]
    made = two(4, 4, *some, wanted("z", choosing(2, "a", "b")))
    assert at_risk(made) != set()


def test_a_backend_needs_room_in_every_cluster_that_may_be_picked() -> None:
    grouped = wanted("x", specification(low=4, backend="g"))

    def made(free: int) -> Plan | Infeasible:
        small = cluster("b", gpus=8, free=free, group="g")
        return plan([grouped], account(cluster("a", group="g"), small))

    assert at_risk(made(8)) == set()
    assert at_risk(made(2)) == {"function.x"}
    assert at_risk(made(0)) == set(), "a full cluster is never picked"


def test_room_is_made_in_one_of_the_pools_only() -> None:
    """Both pools are full; one leaver is waited for, not both."""
    live = [running(wanted(key, choosing(2, key))) for key in ("a", "b")]
    full = account(cluster("a", gpus=2, free=0), cluster("b", gpus=2, free=0))
    made = plan([wanted("here", choosing(2, "a", "b"))], full, live)
    assert at_risk(made) == set()
    assert isinstance(made, Plan)
    (deploy,) = (one for one in made.steps if one.id.startswith("deploy:"))
    assert len({one.step for one in deploy.depends_on if "await-released" in one.step}) == 1
