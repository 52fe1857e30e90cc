"""A run is cut at every record, within records, and around every request; then it is set right."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import pytest

from nvcfplan.applying import Append, Call, PlanTaken, Result, RunOutcome
from nvcfplan.documents import encode_record
from nvcfplan.model import (
    DesiredFunction,
    DesiredSpecification,
    Downtime,
    FunctionConfig,
    GpuSpecification,
    PoolId,
    SecretOrigin,
    SecretReference,
    UpdateOrder,
    UpdatePolicy,
)
from nvcfplan.plans import Infeasible
from nvcfplan.workflows.journals import read_journal
from tests.chaos.account import Besieged
from tests.chaos.applier import Applier
from tests.chaos.flight import Flight
from tests.chaos.scene import SCOPE, Manners, Recalling, Scene
from tests.chaos.simulation import carry_out, is_open
from tests.chaos.storing import Disk, at_once
from tests.chaos.weather import Killed, Weather
from tests.chaos.worlds import GPU, Functions

STRIDE: Final = 1 if os.environ.get("NVCFPLAN_TORTURE") else 11
"""Every cut under torture; else every eleventh, from another first one for each action."""


class Cutting(Flight):
    """Dies at the given moment. Five stand around each record and request: before it, within it
    (a record only), and after it.
    """

    moments = 0
    dies_at: int | None = None

    def _append(self, effect: Append) -> Result:
        self._moment()
        self.moments += 1
        if self.moments == self.dies_at:
            record = encode_record(effect.record)
            self.scene.disk.tear(self._holding.run, record, 0.5)
            raise Killed
        answer = super()._append(effect)
        self._moment()
        return answer

    def _call(self, call: Call) -> Result:
        self._moment()
        answer = super()._call(call)
        self._moment()
        return answer

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.dies_at:
            raise Killed


@dataclass(frozen=True, slots=True)
class Action:
    """From one stack to another. `is_down`: somebody has undeployed the function before."""

    before: Functions
    after: Functions
    is_down: bool = False


def function(
    *,
    image: str = "1",
    low: int = 1,
    cluster: str = "a",
    tag: str = "one",
    token: str = "TOKEN_1",
    party: str = "nca-1",
    update: UpdatePolicy | None = None,
) -> DesiredFunction:
    row = GpuSpecification(
        key="main",
        gpu=GPU,
        instance_type=f"{GPU}_1x",
        min_instances=low,
        max_instances=4,
        max_request_concurrency=1,
        clusters=(cluster,),
    )
    config = FunctionConfig(
        name="chat", inference_url="/v1", container_image=f"app:{image}", tags=(tag,)
    )
    return DesiredFunction(
        key="chat",
        config=config,
        managed=(
            "authorized_parties", "container_image", "deployment", "inference_url", "name",
            "secrets", "tags",
        ),
        specifications=(DesiredSpecification(specification=row, managed=_FIELDS),),
        secrets=(SecretReference("TOKEN", SecretOrigin.ENV, token),),
        authorized_parties=(party,),
        update=update or UpdatePolicy(),
    )  # fmt: skip


_FIELDS: Final = ("clusters", "gpu", "instance_type", "max_instances", "min_instances")
_KEEP: Final = replace(function(), key="keep", config=replace(function().config, name="keep"))
_STOPS: Final = UpdatePolicy(order=UpdateOrder.DELETE_FIRST, downtime=Downtime.ALLOWED)


def _action(
    before: DesiredFunction | None, after: DesiredFunction | None, *, is_down: bool = False
) -> Action:
    """Beside one that nothing is done to."""
    return Action(
        {"keep": _KEEP, **({"chat": before} if before else {})},
        {"keep": _KEEP, **({"chat": after} if after else {})},
        is_down,
    )


ACTIONS: Final = {
    "create": _action(None, function()),
    "update": _action(function(), function(low=2)),
    "lower": _action(function(low=2), function()),
    "replace": _action(function(), function(image="2")),
    "replace, delete first": _action(function(update=_STOPS), function(image="2", update=_STOPS)),
    "move": _action(function(update=_STOPS), function(cluster="b", update=_STOPS)),
    "deploy again": _action(function(), function(), is_down=True),
    "metadata": _action(function(), function(tag="two")),
    "secrets": _action(function(), function(token="TOKEN_2")),
    "sharing": _action(function(), function(party="nca-2")),
    "delete": _action(function(), None),
    "everything": _action(
        function(), function(image="2", low=2, tag="two", token="TOKEN_2", party="nca-2")
    ),
}
FOR_GOOD: Final = frozenset({"delete", "secrets"})
"""Past the one call that cannot be undone there is no way back."""


def staged(action: Action) -> Scene:
    """The stack as it was, applied in peace."""
    random = Random(1)
    account = Besieged(capacity={PoolId("a", GPU): 12, PoolId("b", GPU): 12})
    scene = Scene(
        random, account, Disk(), Weather(random, frozenset()), Manners(), Recalling(reads=True)
    )
    _settle(scene, Applier(scene, "first"), action.before)
    if action.is_down:
        for function_id, version in account.deployed():
            if account.functions[function_id][version].config.name == "chat":
                account.undeploy(function_id, version)
        account.advance_to(account.now + 600)
    return scene


def _settle(scene: Scene, applier: Applier, stack: Functions) -> None:
    carry_out(scene, [applier.apply(stack)])
    assert applier.outcome is RunOutcome.APPLIED, scene.story


def cut(scene: Scene, stack: Functions | None, at: int | None) -> tuple[Scene, int]:
    """A copy in which the run (None: the rollback of the last one) has died at that moment, and how
    many moments it had.
    """
    copied, launched = copy.deepcopy(scene), list[Cutting]()

    def launch(*place: object) -> Flight:
        flight = Cutting(*place)  # type: ignore[arg-type]  # as `Flight`
        flight.dies_at = at
        launched.append(flight)
        return flight

    applier = Applier(copied, "one", launch=launch)
    errand = applier.recover("rollback") if stack is None else applier.apply(stack)
    carry_out(copied, [errand])
    return copied, launched[0].moments


def recovered(scene: Scene, way: str) -> RunOutcome | None:
    applier = Applier(scene, way)
    carry_out(scene, [applier.recover(way)])
    return applier.outcome


def picture(scene: Scene) -> dict[str, list[str]]:
    """Of all there is, without the ids, by name: those hang on how often something was tried."""
    found: dict[str, list[str]] = {}
    for key, shown in scene.account.picture().items():
        name = next(
            one.config.name
            for function_id, versions in scene.account.functions.items()
            for version, one in versions.items()
            if f"{function_id}/{version}" == key
        )
        found.setdefault(name, []).append(repr(shown))
    return {name: sorted(some) for name, some in sorted(found.items())}


def has_plan(scene: Scene) -> bool:
    """Of the second run."""
    _, *later = sorted(scene.disk.journals)
    records = [at_once(read_journal(SCOPE, scene.disk, run)).records for run in later]
    return any(isinstance(one, PlanTaken) for some in records for one in some)


def moments(name: str, count: int) -> range:
    return range(1 + list(ACTIONS).index(name) % STRIDE, count + 1, STRIDE)


def is_settled(scene: Scene, stack: Functions) -> bool:
    """Nothing is open, nothing was deleted by force, and there is nothing to do for the stack."""
    found = Applier(scene, "looks").look(stack)
    assert not isinstance(found, Infeasible)
    assert not is_open(scene)
    assert scene.account.forced == []
    return found.steps == ()


@pytest.mark.parametrize("name", ACTIONS)
def test_a_run_that_is_cut_anywhere_is_resumed_to_what_was_planned(name: str) -> None:
    action = ACTIONS[name]
    scene = staged(action)
    whole, count = cut(scene, action.after, None)
    assert count > 6
    for at in moments(name, count):
        died, _ = cut(scene, action.after, at)
        has_begun = has_plan(died)
        recovered(died, "resume")
        assert picture(died) == picture(whole if has_begun else scene), at
        assert is_settled(died, action.after) is has_begun, at


@pytest.mark.parametrize("name", ACTIONS)
def test_a_run_that_is_cut_anywhere_can_be_undone_instead(name: str) -> None:
    action = ACTIONS[name]
    scene = staged(action)
    whole, count = cut(scene, action.after, None)
    for at in moments(name, count):
        died, _ = cut(scene, action.after, at)
        if not has_plan(died):
            continue
        outcome = recovered(died, "rollback")
        if name in FOR_GOOD and outcome is not RunOutcome.ROLLED_BACK:
            recovered(died, "resume")
            assert picture(died) == picture(whole), at
            continue
        assert outcome in (RunOutcome.ROLLED_BACK, RunOutcome.FAILED)
        assert picture(died) == picture(scene), at
        assert is_settled(died, action.before) is not action.is_down, at


@pytest.mark.parametrize("name", sorted(ACTIONS.keys() - FOR_GOOD))
def test_a_rollback_that_is_cut_anywhere_is_gone_on_with(name: str) -> None:
    action = ACTIONS[name]
    scene = staged(action)
    whole, _ = cut(scene, action.after, None)
    _, count = cut(whole, None, None)
    for at in moments(name, count):
        for way in ("resume", "rollback"):
            died, _ = cut(whole, None, at)
            if not is_open(died):
                continue
            assert recovered(died, way) in (RunOutcome.ROLLED_BACK, RunOutcome.APPLIED)
            is_back = picture(died) == picture(scene)
            # Cut before its plan stood in the journal, it had not begun: resumed, it stays.
            assert is_back or (way == "resume" and picture(died) == picture(whole)), at
