"""What must be so once all is over: nothing orphaned, nothing twice, nothing lost or stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import has_errors
from nvcfplan.model import Wait, owner_of, user_tags
from nvcfplan.plans import Action, Infeasible
from nvcfplan.workflows.journals import last_journal
from nvcfplan.workflows.reading import stored_state
from tests.chaos.account import FOREIGN
from tests.chaos.applier import Applier
from tests.chaos.scene import SCOPE, Scene
from tests.chaos.storing import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.model import (
        DesiredFunction,
        DesiredSpecification,
        LiveFunction,
        LiveVersion,
        State,
    )
    from tests.chaos.worlds import Functions


def judge(scene: Scene, stack: Functions, *, is_feasible: bool) -> Iterator[str]:
    """What is not so. Of a stack that does not fit only that nothing is lost or left open."""
    journal = at_once(last_journal(SCOPE, scene.disk))
    if journal is not None and journal.is_open:
        yield "the run is stuck: its journal is open"
    state = at_once(stored_state(SCOPE, scene.disk)).state
    if state is None:
        yield "there is no state"
        return
    live = [one for one in scene.account.live() if one.id != FOREIGN]
    yield from _orphans(state, live)
    if scene.account.forced:
        yield f"deleted while deployed: {scene.account.forced}"
    if not _is_untouched(scene):
        yield "somebody else's function was touched"
    if is_feasible:
        yield from _unsettled(scene, stack)
        for key, desired in sorted(stack.items()):
            yield from _of_function(desired, [one for one in live if _key(one) == key])


def _orphans(state: State, live: list[LiveFunction]) -> Iterator[str]:
    known = {one.function_id for one in state.functions}
    for one in live:
        if one.id not in known:
            yield f"function {one.id} ({_key(one)}) is an orphan"
    for function in known - {one.id for one in live}:
        yield f"function {function} is remembered and not there"


def _unsettled(scene: Scene, stack: Functions) -> Iterator[str]:
    again = Applier(scene, "checks").look(stack)
    plan = again.plan if isinstance(again, Infeasible) else again
    if isinstance(again, Infeasible) or has_errors(plan.diagnostics):
        yield f"no plan any more: {sorted(one.code for one in plan.diagnostics)}"
    changed = [f"{one.address}: {one.reason}" for one in plan.changes if _is_change(one.action)]
    if changed or plan.steps:
        yield f"a plan after all is applied is not empty: {changed}"


def _is_change(action: Action) -> bool:
    return action is not Action.NO_OP


def _of_function(desired: DesiredFunction, found: list[LiveFunction]) -> Iterator[str]:
    key = desired.key
    if len(found) != 1:
        yield f"{key} is there {len(found)} times"
        return
    (function,) = found
    deployed = [one for one in function.versions if one.deployment is not None]
    if len(deployed) != 1:
        yield f"{key} has {len(deployed)} versions deployed"
        return
    if len(function.versions) - 1 > desired.update.keep_versions:
        yield f"{key} keeps {len(function.versions) - 1} versions"
    yield from _lost_updates(desired, deployed[0], function)


def _lost_updates(
    desired: DesiredFunction, version: LiveVersion, function: LiveFunction
) -> Iterator[str]:
    key, config = desired.key, version.config
    if config.container_image != desired.config.container_image:
        yield f"{key} runs {config.container_image}"
    if "tags" in desired.managed and user_tags(config.tags) != desired.config.tags:
        yield f"{key} is tagged {user_tags(config.tags)}"
    if "secrets" in desired.managed and version.secret_names != _names(desired):
        yield f"{key} has the secrets {version.secret_names}"
    sharing = function.sharing.parties if function.sharing else ()
    if "authorized_parties" in desired.managed and sharing != desired.authorized_parties:
        yield f"{key} is shared with {sharing}"
    rows = version.deployment.specifications if version.deployment else ()
    placed = sorted(
        (one.specification.clusters, one.specification.instance_type,
         one.specification.min_instances, one.specification.max_instances)
        for one in rows
    )  # fmt: skip
    wanted = [_placement(one) for one in _acceptable(desired)]
    if placed not in wanted:
        yield f"{key} is placed {placed}, not as any of {wanted}"


def _acceptable(desired: DesiredFunction) -> Iterator[tuple[DesiredSpecification, ...]]:
    """The base, or a rung: one that was taken on purpose is no difference."""
    yield desired.specifications
    for rung in desired.on_no_capacity.rungs:
        if not isinstance(rung, Wait):
            yield rung.specifications


def _placement(wanted: tuple[DesiredSpecification, ...]) -> list[tuple[object, ...]]:
    return sorted(
        (one.clusters, one.instance_type, one.min_instances, one.max_instances)
        for one in (row.specification for row in wanted)
    )


def _names(desired: DesiredFunction) -> tuple[str, ...]:
    return tuple(one.name for one in desired.secrets)


def _key(function: LiveFunction) -> str | None:
    owners = [owner_of(one.config.tags) for one in function.versions]
    return next((one.key for one in owners if one is not None), None)


def _is_untouched(scene: Scene) -> bool:
    versions = scene.account.functions.get(FOREIGN, {})
    return [one.row for one in versions.values()] == [None] and all(
        one.config.container_image == "other:1" for one in versions.values()
    )
