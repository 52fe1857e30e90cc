"""What holds in every world, whatever is asked of it and in whatever order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.emulator.failures import BROKEN, UNSERVED
from nvcfplan.emulator.faults import objection
from nvcfplan.emulator.rules import (
    Fault,
    FaultBody,
    Happening,
    Landing,
    LoadRule,
    QuotaRule,
    ScheduleRule,
    TrafficRule,
    Trouble,
    When,
    WorldFile,
)
from nvcfplan.emulator.serving import Emulator
from tests.budget import examples
from tests.emulator.account import Account, Answer, Deployable, Json, cluster, spec, world

T = TypeVar("T")
Act = Callable[[Account, list[Deployable]], None]

TYPES = ("LAB.H100_1x", "LAB.H100_2x", "LAB.H100_4x")


def one_of(made: list[Deployable], index: int) -> Deployable | None:
    return made[index % len(made)] if made else None


def create(account: Account, made: list[Deployable]) -> None:
    answer = account.call(
        "POST",
        "/v2/nvcf/functions",
        {"name": "f", "inferenceUrl": "/", "helmChart": "u", "helmChartServiceName": "s"},
    )
    if answer.status == 200:
        made.append(Deployable(str(answer.function["id"]), str(answer.function["versionId"])))


def on_version(method: str, suffix: str, index: int) -> Act:
    def act(account: Account, made: list[Deployable]) -> None:
        if target := one_of(made, index):
            path = target.path if suffix == "version" else target.deployment + suffix
            account.call(method, path)

    return act


def deploy(index: int, counts: list[tuple[int, int, int]], backend: bool) -> Act:
    def act(account: Account, made: list[Deployable]) -> None:
        if target := one_of(made, index):
            extra = {"backend": "lab"} if backend else {}
            entries = [
                {**spec(least, least + more, instance_type=TYPES[kind]), **extra}
                for least, more, kind in counts
                if least + more
            ]
            account.post(target, *entries)

    return act


def patch(index: int, least: int, most: int) -> Act:
    def act(account: Account, made: list[Deployable]) -> None:
        target = one_of(made, index)
        if target and account.get(target.deployment).status == 200:
            for kind in account.specification_ids(target):
                account.patch(target, kind, minInstances=least, maxInstances=most)

    return act


def tenant(word: str, name: str, gpus: int) -> Act:
    def act(account: Account, _: list[Deployable]) -> None:
        body = {"cluster": name, "gpu": "H100", "gpus": gpus}
        account.call("POST", f"/emulator/{word}", body)

    return act


def load(index: int, running: int, depth: int) -> Act:
    def act(account: Account, made: list[Deployable]) -> None:
        if target := one_of(made, index):
            account.call("POST", "/emulator/load", {"version": target.version, "running": running})
            account.call("POST", "/emulator/queue", {"version": target.version, "depth": depth})

    return act


def wait(seconds: int) -> Act:
    def act(account: Account, _: list[Deployable]) -> None:
        account.emulator.advance(seconds)

    return act


numbers = st.integers(0, 9)
act: st.SearchStrategy[Act] = st.one_of(
    st.just(create),
    st.builds(
        deploy,
        numbers,
        st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), min_size=1, max_size=2),
        st.booleans(),
    ),
    st.builds(patch, numbers, numbers, numbers),
    st.builds(on_version, st.just("DELETE"), st.sampled_from(["", "?graceful=true"]), numbers),
    st.builds(on_version, st.just("DELETE"), st.just("version"), numbers),
    st.builds(
        tenant,
        st.sampled_from(["grab", "give-back"]),
        st.sampled_from(["lab-1", "lab-2"]),
        st.integers(1, 6),
    ),
    st.builds(load, numbers, numbers, st.integers(0, 200)),
    st.builds(wait, st.sampled_from([1, 30, 60, 61, 300, 1800, 4000, 700_000])),
)

names = st.sampled_from(["lab-1", "lab-2"])
moments = st.sampled_from([0.0, 30.0, 60.0, 700.0, 2000.0])


def optional(values: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.one_of(st.none(), values)


dooms: st.SearchStrategy[Fault] = st.one_of(
    st.builds(
        Fault,
        kind=st.just(Trouble.CAPACITY_ASYNC),
        route=st.sampled_from(["deploy", "update-specification"]),
        nth=st.integers(1, 2),
        failure=optional(st.sampled_from(sorted(UNSERVED))),
        is_silent=st.booleans(),
        instances=optional(st.integers(1, 3)),
        every=st.booleans(),
    ),
    st.builds(
        Fault,
        kind=st.just(Trouble.BREAK),
        route=st.sampled_from(["deploy", "update-specification"]),
        instance_type=optional(st.sampled_from(TYPES)),
        failure=optional(st.sampled_from(sorted(BROKEN))),
        seconds=optional(moments),
        instances=optional(st.integers(1, 3)),
        every=st.booleans(),
    ),
)
"""What befalls instances: whoever deletes the version is rid of it."""

entries: st.SearchStrategy[ScheduleRule] = st.builds(
    lambda what, at, length, repeats, **fields: ScheduleRule(
        what=what,
        at=at,
        lasts=length,
        every=None if repeats is None else (length or 0.0) + 500.0,
        times=repeats,
        gpu="H100",
        **fields,
    ),
    st.sampled_from(Happening),
    moments,
    optional(st.sampled_from([60.0, 400.0, 3000.0])),
    optional(st.integers(1, 3)),
    cluster=names,
    gpus=optional(st.integers(1, 9)),
    status=st.sampled_from(["READY", "CORDON", "DELETED", "CORDON_AND_DRAIN"]),
    instances=optional(st.integers(1, 3)),
    failure=optional(st.sampled_from(sorted(BROKEN))),
)

traffic: st.SearchStrategy[TrafficRule] = st.builds(
    TrafficRule,
    function=st.just("f"),
    running=numbers,
    load=st.lists(st.builds(LoadRule, at=moments, running=numbers), max_size=2).map(
        lambda load: tuple(sorted(load, key=lambda one: one.at))
    ),
    idle_after=optional(moments),
    queue_depth=numbers,
)


def worlds(faults: st.SearchStrategy[Fault]) -> st.SearchStrategy[WorldFile]:
    return st.builds(
        replace,
        rules,
        faults=st.lists(faults, max_size=3).map(tuple),
        schedule=st.lists(entries, max_size=3).map(tuple),
        traffic=st.lists(traffic, max_size=1).map(tuple),
        inventory_cache=st.sampled_from([0.0, 900.0]),
        heartbeat=st.sampled_from([0.0, 300.0]),
        stuck_instead_of_error=st.booleans(),
    )


def stories(length: int) -> st.SearchStrategy[list[Act]]:
    """Of an account with two functions."""
    return st.lists(act, max_size=length).map(lambda acts: [create, create, *acts])


rules: st.SearchStrategy[WorldFile] = st.builds(
    lambda landing, seed, batch, boot, lag, tick: world(
        cluster("lab-1"),
        cluster("lab-2", capacity=5),
        landing=landing,
        seed=seed,
        batch_size=batch,
        boot_time=boot,
        release_lag=lag,
        tick=tick,
        function_limit=4,
        quotas=(QuotaRule(gpu="H100", names=("lab-2",), limit=20),),
    ),
    st.sampled_from(Landing),
    st.integers(0, 3),
    st.sampled_from([1, 3, 10]),
    st.sampled_from([0.0, 45.0, 120.0]),
    st.sampled_from([0.0, 300.0]),
    st.sampled_from([0.0, 0.1, 60.0]),
)


CAPACITY = {"lab-1": 8, "lab-2": 5}


class Watched(Account):
    """Every call is answered by us and not by a mistake of ours, and time goes on."""

    def call(
        self, method: str, path: str, body: object = None, *, raw: bytes | None = None
    ) -> Answer:
        before = self.emulator.clock.monotonic()
        answer = super().call(method, path, body, raw=raw)
        assert b"Internal error" not in answer.body, (method, path, answer.body)
        assert self.emulator.clock.monotonic() >= before
        self.check()
        return answer

    def check(self) -> None:
        """No GPU is held twice; of what is there, all is held by somebody or free."""
        left = self.left()
        assert all(gpus >= 0 for gpus in left.values()), left

    def left(self) -> dict[str, int]:
        """What nobody holds, counted one by one."""
        snapshot = self.emulator.snapshot()
        instances = cast("dict[str, Json]", snapshot["instances"])
        held = [*instances.values(), *cast("list[Json]", snapshot["holdings"])]
        left = dict(CAPACITY)
        for one in held:
            left[str(one["cluster"])] -= cast("int", one["gpus"])
        return left


def watched(rules: WorldFile) -> Watched:
    return Watched(Emulator.open(None, rules))


@settings(max_examples=examples(600))
@given(worlds(dooms), stories(20))
def test_no_pool_is_ever_over_allocated_and_everything_comes_to_rest(
    rules: WorldFile, acts: list[Act]
) -> None:
    account, made = watched(rules), list[Deployable]()
    for act in acts:
        act(account, made)
    for target in made:
        assert account.call("DELETE", target.path).status in (204, 404)
    account.emulator.advance(700_000)
    after = account.emulator.snapshot()
    assert (after["versions"], after["instances"], after["requests"]) == ({}, {}, {})
    if after["down_since"] is None and not rules.heartbeat:
        assert {name: account.free(name) for name in CAPACITY} == account.left()


def fault_of_any_kind(kind: Trouble, route: str, when: When, body: FaultBody) -> Fault:
    return Fault(
        kind=kind,
        route=route,
        when=when,
        body=body,
        seconds=45.0,
        cluster="lab-1",
        gpu="H100",
        status=503,
        count=2,
    )


CALLED = (
    "any",
    "create-function",
    "delete-version",
    "deploy",
    "read-deployment",
    "undeploy",
    "update-specification",
)
"""What the acts call."""

anything: st.SearchStrategy[Fault] = st.builds(
    fault_of_any_kind,
    st.sampled_from([one for one in Trouble if one is not Trouble.KILL]),
    st.sampled_from(CALLED),
    st.sampled_from(When),
    st.sampled_from(FaultBody),
).filter(lambda fault: objection(fault) is None)


@settings(max_examples=examples(600))
@given(worlds(st.one_of(dooms, anything)), stories(20))
def test_whatever_befalls_a_request_the_account_stays_whole(
    rules: WorldFile, acts: list[Act]
) -> None:
    account, made = watched(rules), list[Deployable]()
    for act in acts:
        with suppress(KeyError, TypeError, ValueError):  # of a spoilt answer
            act(account, made)
        account.emulator.advance(100)
        account.check()


@settings(max_examples=examples(200))
@given(worlds(dooms), stories(15))
def test_world_in_a_file_lives_as_one_in_memory(rules: WorldFile, acts: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "world.db"
        memory, made, kept = Account.of(rules), list[Deployable](), list[Deployable]()
        for act in acts:
            act(memory, made)
            account = Account(Emulator.open(path, rules))
            act(account, kept)
            assert account.emulator.snapshot() == memory.emulator.snapshot()
            account.emulator.close()
        account = Account(Emulator.open(path, rules))
        assert account.emulator.events() == memory.emulator.events()
        assert account.emulator.ledger() == memory.emulator.ledger()
        account.emulator.close()


@settings(max_examples=examples(200))
@given(
    worlds(dooms),
    stories(15),
    st.lists(st.integers(1, 4000), min_size=1, max_size=12),
)
def test_waiting_in_steps_is_as_waiting_at_once(
    rules: WorldFile, acts: list[Act], steps: list[int]
) -> None:
    one, two = Account.of(rules), Account.of(rules)
    for account in (one, two):
        made: list[Deployable] = []
        for act in acts:
            act(account, made)
    for step in steps:
        one.emulator.advance(step)
    two.emulator.advance(sum(steps))
    assert one.emulator.snapshot() == two.emulator.snapshot()
    assert one.emulator.events() == two.emulator.events()
