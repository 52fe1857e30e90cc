"""A plan that says too little, or something else, of where it may land is not proved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nvcfplan.model import PoolId
from nvcfplan.plans import Bound, Placed, Plan
from nvcfplan.proving import prove
from tests.planning.builders import account, cluster, feasible, plan, specification, wanted

Bend = Callable[[Placed], Placed]


def roomy() -> Plan:
    """6 on either of two pools of 4: certain only by the room that both leave together."""
    functions = [wanted(key, specification(low=3, clusters=("a", "b"))) for key in ("x", "y")]
    return feasible(plan(functions, account(cluster("a", gpus=4), cluster("b", gpus=4))))


def grouped() -> Plan:
    chat = wanted("chat", specification(low=4, backend="g"))
    return feasible(plan([chat], account(cluster("a", group="g"), cluster("b", group="g"))))


def placed(made: Plan, bend: Bend) -> Plan:
    return replace(made, placements=tuple(bend(one) for one in made.placements))


@pytest.mark.parametrize(
    ("made", "bend", "words"),
    [
        (grouped, lambda one: replace(one, is_pinned=False), "as if the service chose otherwise"),
        (roomy, lambda one: replace(one, is_pinned=True), "as if the service chose otherwise"),
        (roomy, lambda one: replace(one, pools=(PoolId("c", "H100"),)), "does not ask to be"),
        (roomy, lambda one: replace(one, units=2), "places 2 GPUs for main"),
        (
            grouped,
            lambda one: replace(one, pools=one.pools[:1]),
            "may need 0 there",
        ),
        (roomy, lambda one: replace(one, specification="other"), "takes nothing"),
    ],
)
def test_another_landing_than_charged_is_refused(
    made: Callable[[], Plan], bend: Bend, words: str
) -> None:
    assert prove(made()) == ()
    found = prove(placed(made(), bend))
    assert any(words in one.summary for one in found), [one.summary for one in found]


def test_a_plan_that_keeps_its_landings_to_itself_is_refused() -> None:
    found = prove(replace(roomy(), placements=()))
    assert any("does not say where they may land" in one.summary for one in found)


def test_room_that_whole_batches_could_block_is_not_room() -> None:
    """The same bound with nothing kept back for what is left over in each pool."""
    made = roomy()
    greedy = tuple(
        replace(one, headroom=0) if one.id.startswith("room:") else one for one in made.resources
    )
    found = prove(replace(made, resources=greedy))
    assert any("may find no room" in one.summary for one in found)


def test_a_landing_that_nothing_makes_certain_is_refused_unless_it_is_said() -> None:
    functions = [
        wanted("x", specification(low=4, clusters=("a",))),
        wanted("y", specification(low=4, clusters=("a", "b"))),
    ]
    made = feasible(plan(functions, account(cluster("a", gpus=4), cluster("b", gpus=4))))
    assert any(one.bound is Bound.SUFFICIENT for one in made.resources)
    assert prove(made) == ()
    found = prove(replace(made, diagnostics=()))
    assert [one.summary for one in found] == [
        "step deploy:function.x@new may find no room for main, and the plan does not say so"
    ]
