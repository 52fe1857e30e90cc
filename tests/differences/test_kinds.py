"""A function that changes its kind, what the service derives for one, and twin places."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nvcfplan.differences import assign
from nvcfplan.model import MODEL_SERVER, Artifact, FunctionConfig, Json
from nvcfplan.plans import Action
from tests.differences.test_differences import compare, with_config, with_version
from tests.planning.builders import running, specification, wanted

if TYPE_CHECKING:
    from nvcfplan.model import DesiredFunction

CHART = "https://helm.example/charts/chat-0.1.0.tgz"
MODELS = (Artifact(name="llama", version="1", uri="/v2/org/demo/models/llama"),)


def charted() -> DesiredFunction:
    one = with_config(wanted("chat", specification()), helm_chart=CHART)
    one = with_config(one, helm_chart_service_name="entry")
    config = replace(one.config, container_image=None)
    managed = tuple(name for name in one.managed if name != "container_image")
    return replace(one, config=config, managed=managed)


def made_of(desired: DesiredFunction, **live: object) -> FunctionConfig:
    """The configuration of its next version, where the live one has these fields."""
    (version,) = running(wanted("chat", specification())).versions
    config = replace(version.config, **live)  # type: ignore[arg-type]  # names are checked by replace
    found = compare(desired, with_version(running(wanted("chat", specification())), config=config))
    assert found.config is not None
    return found.config


def test_nothing_of_a_container_is_carried_to_a_chart() -> None:
    made = made_of(charted(), container_args="--fast")
    assert (made.container_image, made.container_args, made.helm_chart) == (None, None, CHART)


def test_nothing_of_a_chart_is_carried_to_a_container() -> None:
    contained = wanted("chat", specification(), image="app:2")
    made = made_of(
        contained, container_image=None, helm_chart=CHART, helm_chart_service_name="entry"
    )
    assert (made.helm_chart, made.helm_chart_service_name) == (None, None)


def test_values_of_a_chart_are_not_sent_for_a_container() -> None:
    contained = wanted("chat", specification(), image="app:2")
    live = running(wanted("chat", specification()))
    (version,) = live.versions
    assert version.deployment is not None
    (row,) = version.deployment.specifications
    row = replace(row, specification=replace(row.specification, configuration=Json('{"a":1}')))
    deployment = replace(version.deployment, specifications=(row,))
    found = compare(contained, with_version(live, deployment=deployment))
    assert [one.configuration for one in found.specifications] == [None]


def alone(**fields: object) -> DesiredFunction:
    """Models without an image."""
    one = with_config(wanted("chat", specification()), models=MODELS, **fields)
    config = replace(one.config, container_image=None)
    managed = tuple(name for name in one.managed if name != "container_image")
    return replace(one, config=config, managed=managed)


def test_the_server_of_models_that_come_alone_is_no_difference() -> None:
    empty = alone(container_args=None)
    served = replace(empty.config, container_args=f"{MODEL_SERVER} --more")
    live = with_version(running(empty), config=replace(served, tags=tags_of(empty)))
    assert compare(empty, live).change.action is Action.NO_OP
    said = alone(container_args=f"{MODEL_SERVER} --more")
    assert compare(said, live).change.action is Action.NO_OP


def test_the_server_of_models_is_not_carried_to_an_image_that_joins_them() -> None:
    joined = wanted("chat", specification(), image="app:2")
    served = {"container_image": None, "models": MODELS, "container_args": MODEL_SERVER}
    assert made_of(joined, **served).container_args is None


def tags_of(function: DesiredFunction) -> tuple[str, ...]:
    (version,) = running(function).versions
    return version.config.tags


def test_of_two_placed_alike_each_takes_the_one_that_it_is() -> None:
    """`a` says nothing of its concurrency; so the one that `b` asks for must be left to it."""
    a, b = specification("a"), replace(specification("b"), max_request_concurrency=8)
    both = wanted("chat", a, b)
    loose, exact = both.specifications
    managed = tuple(sorted({*exact.managed, "max_request_concurrency"}))
    both = replace(both, specifications=(loose, replace(exact, managed=managed)))
    for busy in ("g-x", "g-y"):
        live = running(wanted("chat", specification("x"), specification("y")))
        (version,) = live.versions
        assert version.deployment is not None
        rows = tuple(
            replace(row, specification=replace(row.specification, max_request_concurrency=8))
            if row.id == busy
            else row
            for row in version.deployment.specifications
        )
        deployment = replace(version.deployment, specifications=rows)
        found = compare(both, with_version(live, deployment=deployment))
        assert found.change.action is Action.NO_OP


COSTS = st.dictionaries(
    st.sampled_from("abcd"), st.dictionaries(st.sampled_from("wxyz"), st.integers(0, 5))
)


@given(COSTS)
def test_as_many_as_can_take_something_and_together_at_least_cost(
    costs: dict[str, dict[str, int]],
) -> None:
    found = assign(costs)
    assert len(set(found.values())) == len(found)
    total = sum(costs[one][what] for one, what in found.items())
    assert (-len(found), total) == min(every(costs))


def every(costs: dict[str, dict[str, int]]) -> list[tuple[int, int]]:
    """Of every pairing there is, how many (below zero) and at which cost."""
    some = sorted(costs)
    tried = []
    for order in permutations((*"wxyz", *"----"), len(some)):
        pairs = [(o, w) for o, w in zip(some, order, strict=True) if w in costs[o]]
        tried.append((-len(pairs), sum(costs[one][what] for one, what in pairs)))
    return tried
