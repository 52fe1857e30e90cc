"""What a healthy account does by itself, or what changes nothing, is never called drift."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest

from nvcfplan.adapters.nvcf.requests import deploy
from nvcfplan.applying import RunOutcome
from nvcfplan.emulator.rules import LoadRule, TrafficRule, WorldFile
from nvcfplan.model import Fallback, FunctionId, VersionId
from nvcfplan.plans import Plan
from nvcfplan.reports import LookOutcome
from tests import rehearsal
from tests.budget import examples
from tests.convergence.documents import ENVIRONMENT, KEYS, stack_of, with_ladders
from tests.convergence.places import PATIENT, literals_of, read, telemetries_of, world
from tests.emulator.account import Account as Api
from tests.fakes import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvcfplan.model import DesiredSpecification, Stack

FLEETS = 10_000
ROUNDS = 20
"""Fleets out of one stack: the account goes on living between them."""
SHARDS = 2
LEAST_QUIRKS: Final = 3
Row = dict[str, object]


class Life:
    """What goes on in an account of five functions or more that nobody edits."""

    def __init__(self, where: rehearsal.Account, stack: Stack, throw: random.Random) -> None:
        self.where = where
        self.ladders = [one for one in stack.functions if one.on_no_capacity.rungs]
        self.on_rung: set[str] = set()
        self.api = Api(where.emulator)
        self.throw = throw

    def versions(self) -> list[Row]:
        found = self.api.call("GET", "/v2/nvcf/functions").json["functions"]
        assert isinstance(found, list)
        return found

    def scale(self) -> bool:
        """Callers come and go; the autoscaler follows, within its bounds."""
        before = self._instances()
        self.where.emulator.advance(self.throw.randint(60, 900))
        return self._instances() != before

    def shuffle_tags(self) -> bool:
        version = self.throw.choice(self.versions())
        tags = version.get("tags")
        if not isinstance(tags, list) or len(tags) < 2:
            return False
        start = self.throw.randrange(1, len(tags))
        mixed = [*tags[start:], *tags[:start]]
        path = f"/v2/nvcf/metadata/functions/{_path(version)}"
        return self.api.call("PUT", path, {"tags": mixed}).status == 200

    def deploy_again(self) -> bool:
        """The same version with the same specifications, in another order."""
        active = [one for one in self.versions() if one["status"] == "ACTIVE"]
        if not active:
            return False
        path = f"/v2/nvcf/deployments/functions/{_path(self.throw.choice(active))}"
        found = self.api.call("GET", path)
        rows = found.deployment["deploymentSpecifications"]
        assert isinstance(rows, list)
        entries = [_entry(row) for row in reversed(rows)]
        assert self.api.call("DELETE", path).status == 200
        self.where.emulator.advance(300)
        again = self.api.call("POST", path, {"deploymentSpecifications": entries})
        assert again.status == 200, again.body
        self.where.emulator.advance(300)
        return True

    def take_rung(self) -> bool:
        """As a run of ours does that found no capacity: it is left on its rung, or climbs back."""
        if not self.ladders:
            return False
        function = self.throw.choice(self.ladders)
        stays = self.throw.random() < 0.75
        if (function.key in self.on_rung) is stays:
            return stays
        rung = function.on_no_capacity.rungs[0]
        assert isinstance(rung, Fallback)
        self._deploy(function.key, (rung if stays else function).specifications)
        (self.on_rung.add if stays else self.on_rung.discard)(function.key)
        return stays

    def _deploy(self, key: str, some: Sequence[DesiredSpecification]) -> None:
        tag = f"nvcfplan:key={key}"
        (version,) = (one for one in self.versions() if tag in _tags(one))
        ids = FunctionId(str(version["id"])), VersionId(str(version["versionId"]))
        path = f"/v2/nvcf/deployments/functions/{_path(version)}"
        assert self.api.call("DELETE", path).status == 200
        self.where.emulator.advance(300)
        asked = deploy(*ids, [one.specification for one in some])
        again = self.api.call("POST", path, dict(asked.body or {}))
        assert again.status == 200, again.body
        self.where.emulator.advance(300)

    def write_the_same(self) -> bool:
        """A PUT of what is there already: the service mints times anew."""
        version = self.throw.choice(self.versions())
        body = {name: version[name] for name in ("tags", "rateLimit") if version.get(name)}
        path = f"/v2/nvcf/metadata/functions/{_path(version)}"
        return self.api.call("PUT", path, body).status == 200

    def default(self) -> bool:
        """The service fills in what the stack leaves out; what the stack says is all there is."""
        return any("health" in one for one in self.versions())

    def _instances(self) -> int:
        return sum(
            len(found)
            for one in self.versions()
            if isinstance(found := self._read(one).get("activeInstances"), list)
        )

    def _read(self, version: Row) -> Row:
        return self.api.call("GET", f"/v2/nvcf/functions/{_path(version)}").function


QUIRKS: Final[dict[str, Callable[[Life], bool]]] = {
    "active autoscaler": Life.scale,
    "reordered lists": Life.shuffle_tags,
    "redeployed alike": Life.deploy_again,
    "rung taken": Life.take_rung,
    "written again": Life.write_the_same,
    "server defaults": Life.default,
}
"""By name; each tells whether it came to anything."""


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_healthy_fleet_has_no_finding(shard: int) -> None:
    seen: Counter[str] = Counter()
    with TemporaryDirectory() as directory:
        for seed in range(shard, examples(FLEETS) // ROUNDS, SHARDS):
            with rehearsal.account(_busy(seed), MemoryStore()) as where:
                where.environment |= ENVIRONMENT
                plain = stack_of(seed, telemetries_of(where), least=5, most=6)
                document = with_ladders(plain, seed)
                stack = read(document, Path(directory)).stack
                _apply(where, stack)
                seen += _lived(where, stack, seed)
    fleets = seen.pop("fleets")
    for quirk in QUIRKS:
        assert seen[quirk] > 0.2 * fleets, (quirk, fleets, seen)


def _busy(seed: int) -> WorldFile:
    throw = random.Random(f"traffic {seed}")
    traffic = tuple(
        TrafficRule(
            function=key,
            running=throw.randint(0, 4),
            load=tuple(
                LoadRule(at=float(at), running=throw.randint(0, 6))
                for at in range(60, 9_000, throw.randint(300, 900))
            ),
        )
        for key in KEYS
    )
    return replace(world(), traffic=traffic, boot_time=30, release_lag=60)


def _apply(where: rehearsal.Account, stack: Stack) -> None:
    where.literals = literals_of(stack)
    plan = where.plan_stack(stack)
    assert isinstance(plan, Plan)
    assert where.apply(plan, PATIENT).outcome is RunOutcome.APPLIED


def _lived(where: rehearsal.Account, stack: Stack, seed: int) -> Counter[str]:
    throw = random.Random(f"life {seed}")
    life, seen = Life(where, stack, throw), Counter[str]()
    for number in range(ROUNDS):
        came: list[str] = []
        for name in throw.sample(sorted(QUIRKS), len(QUIRKS)):
            if len(came) < LEAST_QUIRKS and QUIRKS[name](life):
                came.append(name)
        assert len(came) == LEAST_QUIRKS, (seed, number, came)
        seen.update(came)
        report = where.drift(stack)
        assert report.drifted == (), (seed, number, report.drifted)
        assert report.outcome in (LookOutcome.IN_STEP, LookOutcome.NOT_CHECKED)
        seen["fleets"] += 1
    return seen


def _tags(version: Row) -> list[str]:
    found = version.get("tags")
    assert isinstance(found, list)
    return found


def _path(version: Row) -> str:
    return f"{version['id']}/versions/{version['versionId']}"


def _entry(row: Row) -> Row:
    minted = {"gpuSpecificationId", "instances"}
    return {name: value for name, value in row.items() if name not in minted}
