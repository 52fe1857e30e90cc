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
    QuotaUnit,
    TenantRule,
    WorldFile,
)
from nvcfplan.emulator.serving import Emulator, Service
from nvcfplan.model import Owner, ownership_tags
from tests.emulator.account import Account, Deployable, Json, rows
from tests.planning.builders import COUNTS, ENVIRONMENT, STACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.ordering.fleets import Fleet, Function, Place

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
        quotas=tuple(
            QuotaRule(gpu=GPU, names=one.names, limit=one.limit, unit=QuotaUnit(one.unit.value))
            for one in fleet.quotas
        ),
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
    before = [place for one in fleet.functions for place in one.before]
    return all(
        sum(cap.counts(one.pools, one.highest, one.gpus) for one in before) <= cap.limit
        for cap in fleet.quotas
    )


def populate(emulator: Emulator, fleet: Fleet) -> Mapping[str, Deployable]:
    """What the fleet runs before, by key, each on the first of its pools."""
    account = Account(emulator)
    made: dict[str, Deployable] = {}
    for one in fleet.functions:
        if one.before:
            made[one.key] = account.create(one.key, **_config(one, "app:1"))
            _deploy_at_home(account, made[one.key], one.before)
    emulator.advance(LONG)
    for one in fleet.functions:
        if any(place.runs > place.instances for place in one.before):
            _patch(account, made[one.key], one.before, [place.runs for place in one.before])
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
    entries = [_entry(place) for place in one.after]
    if one.after and old is None:
        account.post(account.create(one.key, **_config(one, _image(one))), *entries)
    elif one.after and old is not None and one.is_replaced:
        new = account.create_version(old, one.key, **_config(one, _image(one)))
        account.post(new, *entries)
        account.emulator.advance(LONG)
        account.call("DELETE", old.deployment)
    elif one.after and old is not None:
        was = {place.key: place.instances for place in one.before}
        _patch(account, old, one.after, [was[place.key] for place in one.after])
    elif old is not None:
        account.call("DELETE", old.deployment)


def _deploy_at_home(account: Account, made: Deployable, places: Sequence[Place]) -> None:
    """Each on the first of its pools: everywhere else is full meanwhile."""
    emulator = account.emulator
    home = {place.home for place in places}
    reach = {name for place in places for name in place.pools}
    others = {name: _free(account, name) for name in reach - home}
    for name, gpus in others.items():
        if gpus:
            emulator.grab(name, GPU, gpus)
    account.deploy(made, *(_entry(place) | {"minInstances": place.runs} for place in places))
    for name, gpus in others.items():
        if gpus:
            emulator.give_back(name, GPU, gpus)


def _free(account: Account, cluster: str) -> int:
    return account.free(cluster, GPU)


def _patch(account: Account, made: Deployable, places: Sequence[Place], was: Sequence[int]) -> None:
    """Every row gets the bounds of the place that it is of; rows come in any order, and of those
    that are placed alike their minimum so far tells which is which.
    """
    deployment = account.get(made.deployment).deployment
    left = list(rows(deployment, "deploymentSpecifications"))
    for place, least in zip(places, was, strict=True):
        entry = _entry(place)
        row = next(one for one in left if _is_of(one, entry | {"minInstances": least}))
        left.remove(row)
        path = f"/v2/nvcf/deployments/{deployment['deploymentId']}/gpu-specifications"
        bounds = {name: entry[name] for name in ("minInstances", "maxInstances")}
        account.call("PATCH", f"{path}/{row['gpuSpecificationId']}", bounds)


def _is_of(row: Json, entry: Json) -> bool:
    return all(
        (row.get(name) or None) == (entry.get(name) or None)
        for name in ("instanceType", "backend", "clusters", "minInstances")
    )


def _entry(place: Place) -> Json:
    wanted = place.specification()
    where: Json = (
        {"backend": wanted.backend} if wanted.backend else {"clusters": list(wanted.clusters)}
    )
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
