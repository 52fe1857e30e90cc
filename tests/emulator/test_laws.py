"""What holds in every world, whatever is asked of it and in whatever order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.emulator.rules import Landing, QuotaRule, WorldFile
from nvcfplan.emulator.serving import Emulator
from tests.budget import examples
from tests.emulator.account import Account, Deployable, cluster, spec, world

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
acts: st.SearchStrategy[Act] = st.one_of(
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


@settings(max_examples=examples(400))
@given(rules, st.lists(acts, max_size=25))
def test_no_pool_is_ever_over_allocated_and_everything_comes_to_rest(
    rules: WorldFile, acts: list[Act]
) -> None:
    account, made = Account.of(rules), list[Deployable]()
    for act in acts:
        act(account, made)
        assert 0 <= account.free("lab-1") <= 8
        assert 0 <= account.free("lab-2") <= 5
    for target in made:
        account.call("DELETE", target.path)
    account.emulator.advance(700_000)
    left = account.emulator.snapshot()
    assert (left["versions"], left["instances"], left["requests"]) == ({}, {}, {})
    ours = {"lab-1": 8, "lab-2": 5}
    for one in left["holdings"]:  # type: ignore[attr-defined] # JSON
        ours[one["cluster"]] -= one["gpus"]
    assert {name: account.free(name) for name in ours} == ours


@settings(max_examples=examples(200))
@given(rules, st.lists(acts, max_size=15))
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
    rules,
    st.lists(acts, max_size=15),
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
