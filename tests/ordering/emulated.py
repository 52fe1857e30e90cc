"""Fleets that run in an emulated account, and who rolls them out by name, one after the other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    Landing,
    QuotaRule,
    TenantRule,
    WorldFile,
)
from nvcfplan.emulator.serving import Emulator, Service
from nvcfplan.model import Owner, ownership_tags
from tests.emulator.account import Account, Answer, Deployable, Json
from tests.planning.builders import COUNTS, ENVIRONMENT, STACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.ordering.instances import Fleet, Function, Place

GPU = "H100"
TAKEN = "taken"
"""A cluster that another tenant fills."""
LONG = 3_600.0
"""Seconds after which all that was begun has come to its end."""


def world_of(fleet: Fleet, seed: int) -> WorldFile:
    """Adversarial landing, late release, and each instance boots at its own pace.

    In one of three a cluster of the group is in the hands of another tenant.
    """
    throw = random.Random(seed)
    capacity = {**fleet.capacity, **({TAKEN: 8} if throw.random() < 1 / 3 else {})}
    return WorldFile(
        clusters=tuple(_cluster(name, gpus) for name, gpus in capacity.items()),
        groups=tuple(
            GroupRule(name=name, nca_id=WorldFile().nca_id) for name in (*capacity, "all")
        ),
        tenants=tuple(
            TenantRule(tenant="other", cluster=name, gpu=GPU, gpus=gpus)
            for name, gpus in capacity.items()
            if name == TAKEN
        ),
        quotas=tuple(QuotaRule(gpu=GPU, names=names, limit=limit) for names, limit in fleet.quotas),
        landing=Landing.ADVERSARIAL,
        seed=seed,
        batch_size=10,
        boot_time=30.0,
        boot_spread=throw.choice((60.0, 600.0, 1_200.0)),
        release_lag=throw.choice((60.0, 300.0, 350.0)),
    )


def _cluster(name: str, gpus: int) -> ClusterRule:
    types = tuple(InstanceTypeRule(name=f"type_{n}x", gpu_count=n) for n in COUNTS)
    pool = GpuRule(name=GPU, capacity=gpus, instance_types=types)
    return ClusterRule(name=name, groups=(name, "all"), region="here", provider="GCP", gpus=(pool,))


def has_place_to_start(fleet: Fleet) -> bool:
    """Where the sum of maxima is over a quota, what runs before could not be deployed again."""
    before = [one.before for one in fleet.functions if one.before is not None]
    return all(
        sum(
            one.specification().max_instances * one.gpus
            for one in before
            if not set(fleet.capacity if one.is_backend else one.pools).isdisjoint(names)
        )
        <= limit
        for names, limit in fleet.quotas
    )


def populate(emulator: Emulator, fleet: Fleet) -> Mapping[str, Deployable]:
    """What the fleet runs before, by key, each on the first of its pools."""
    account = Account(emulator)
    made: dict[str, Deployable] = {}
    for one in fleet.functions:
        if one.before is not None:
            made[one.key] = account.create(one.key, **_config(one, "app:1"))
            _deploy_at_home(account, made[one.key], one, one.before)
    emulator.advance(LONG)
    for one in fleet.functions:
        if one.before is not None and one.runs > one.before.instances:
            _patch(account, made[one.key], one.before)
    emulator.advance(LONG)
    assert all(entry.outcome is Service.AT_ONCE for entry in emulator.ledger())
    return made


def rolls_by_name(emulator: Emulator, fleet: Fleet, made: Mapping[str, Deployable]) -> bool:
    """Create-first, one function after the other, each waited for; whether all found room at once.

    Who knows neither inventory nor quota does it so.
    """
    account = Account(emulator)
    for one in sorted(fleet.functions, key=lambda one: one.key):
        _roll(account, one, made.get(one.key))
        emulator.advance(2 * LONG)
        if any(entry.outcome is not Service.AT_ONCE for entry in emulator.ledger()):
            return False
    return True


def _roll(account: Account, one: Function, old: Deployable | None) -> None:
    if one.after is not None and old is None:
        account.post(account.create(one.key, **_config(one, _image(one))), _entry(one.after))
    elif one.after is not None and old is not None and one.is_replaced:
        new = account.create_version(old, one.key, **_config(one, _image(one)))
        account.post(new, _entry(one.after))
        account.emulator.advance(LONG)
        account.call("DELETE", old.deployment)
    elif one.after is not None and old is not None:
        _patch(account, old, one.after)
    elif old is not None:
        account.call("DELETE", old.deployment)


def _deploy_at_home(account: Account, made: Deployable, one: Function, place: Place) -> None:
    """Everywhere else is full meanwhile."""
    emulator = account.emulator
    others = {name: _free(account, name) for name in _reach(account, place) - {place.pools[0]}}
    for name, gpus in others.items():
        if gpus:
            emulator.grab(name, GPU, gpus)
    account.deploy(made, _entry(place) | {"minInstances": one.runs})
    for name, gpus in others.items():
        if gpus:
            emulator.give_back(name, GPU, gpus)


def _reach(account: Account, place: Place) -> set[str]:
    if place.is_backend:
        return {one.name for one in account.emulator.worldfile.clusters}
    return set(place.pools)


def _free(account: Account, cluster: str) -> int:
    return account.free(cluster, GPU)


def _patch(account: Account, made: Deployable, place: Place) -> Answer:
    entry = _entry(place)
    return account.patch(
        made,
        str(entry["instanceType"]),
        minInstances=entry["minInstances"],
        maxInstances=entry["maxInstances"],
    )


def _entry(place: Place) -> Json:
    wanted = place.specification()
    where: Json = {"backend": wanted.backend} if wanted.backend else {"clusters": wanted.clusters}
    return {
        "gpu": wanted.gpu,
        "instanceType": wanted.instance_type,
        "minInstances": wanted.min_instances,
        "maxInstances": wanted.max_instances,
        **where,
    }


def _config(one: Function, image: str) -> Json:
    tags = list(ownership_tags(Owner(STACK, ENVIRONMENT, one.key)))
    return {"inferenceUrl": "/v1", "containerImage": image, "tags": tags}


def _image(one: Function) -> str:
    return "app:2" if one.bumps else "app:1"
