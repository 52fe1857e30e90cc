"""Who gets which GPUs: whole batches, landings, pins, late release, other tenants."""

from __future__ import annotations

import pytest

from nvcfplan.emulator.rules import Landing, TenantRule
from nvcfplan.emulator.serving import EmulatorError
from tests.emulator.account import Account, cluster, rows, spec, world


def test_minimum_is_taken_at_deploy_and_the_maximum_reserves_nothing() -> None:
    account = Account.of(world())
    account.deployed(spec(2, 8))
    assert account.free() == 6


def test_instance_types_of_one_gpu_share_its_pool() -> None:
    account = Account.of(world())
    account.deployed(spec(1, 1, instance_type="LAB.H100_4x"))
    account.deployed(spec(3, 3), name="second")
    assert account.free() == 1


def test_request_beyond_the_free_room_is_taken_and_fails_later() -> None:
    account = Account.of(world())
    target = account.create()
    assert account.deploy(target, spec(9, 9))["functionStatus"] == "DEPLOYING"
    assert account.free() == 8
    account.emulator.advance(29 * 60)
    assert account.status(target) == "DEPLOYING"
    account.emulator.advance(2 * 60)
    assert account.status(target) == "ERROR"
    shown = account.get(target.deployment).deployment
    (health,) = rows(shown, "healthInfo")
    assert health == {
        "icmsRequestId": "00000000-0000-0000-0000-000000000000",
        "gpu": "LAB.H100_1x",
        "backend": "ON-PREM",
        "instanceType": "LAB.H100_1x",
        "error": (
            "Backend 'ON-PREM', GPU 'H100', Instance Type 'LAB.H100_1x': Capacity not available"
            " at this time - Exceeded max queued duration '30' minutes"
        ),
    }


def test_batch_is_taken_whole_or_not_at_all() -> None:
    account = Account.of(world(batch_size=3))
    target = account.create()
    account.deploy(target, spec(10, 10))
    assert len(account.instances(target)) == 3 + 3 + 1
    assert account.free() == 1


def test_waiting_batch_lands_at_a_tick_once_there_is_room() -> None:
    account = Account.of(
        world(tenants=(TenantRule(tenant="x", cluster="lab-1", gpu="H100", gpus=7),))
    )
    target = account.create()
    account.deploy(target, spec(2, 2))
    account.emulator.advance(600)
    assert account.instances(target) == []
    account.emulator.give_back("lab-1", "H100", 1, tenant="x")
    assert account.instances(target) == []
    account.emulator.advance(60)
    assert [one["instanceStatus"] for one in account.instances(target)] == ["STARTING"] * 2
    account.emulator.advance(180)
    assert account.status(target) == "ACTIVE"


def test_terminated_instances_hold_their_gpus_until_the_release() -> None:
    account = Account.of(world(release_lag=300.0))
    target = account.deployed(spec(8, 8))
    account.call("DELETE", target.deployment)
    assert account.instances(target) == []
    assert account.free() == 0
    assert account.post(target, spec()).status == 400
    account.emulator.advance(299)
    assert "with capacity" in account.post(target, spec()).detail
    account.emulator.advance(1)
    assert account.free() == 8
    account.deploy(target, spec())


def test_released_room_can_be_grabbed_by_another_tenant() -> None:
    account = Account.of(world())
    target = account.deployed(spec(8, 8))
    account.call("DELETE", target.deployment)
    with pytest.raises(EmulatorError, match="has 0 free H100"):
        account.emulator.grab("lab-1", "H100", 8)
    account.emulator.advance(300)
    account.emulator.grab("lab-1", "H100", 8)
    assert "with capacity" in account.post(target, spec()).detail


def test_grab_of_more_than_is_free_changes_nothing() -> None:
    account = Account.of(world())
    for cluster_name, gpu, gpus in (("lab-1", "H100", 9), ("lab-9", "H100", 1), ("lab-1", "Z", 1)):
        with pytest.raises(EmulatorError):
            account.emulator.grab(cluster_name, gpu, gpus)
    assert account.free() == 8


def test_tenant_cannot_return_what_it_does_not_hold() -> None:
    account = Account.of(world())
    account.emulator.grab("lab-1", "H100", 3, tenant="a")
    with pytest.raises(EmulatorError, match="a holds 3"):
        account.emulator.give_back("lab-1", "H100", 4, tenant="a")
    with pytest.raises(EmulatorError, match="b holds 0"):
        account.emulator.give_back("lab-1", "H100", 1, tenant="b")
    account.emulator.give_back("lab-1", "h100", 2, tenant="a")
    assert account.free() == 7


TWO = (cluster("lab-1", capacity=8), cluster("lab-2", capacity=4, region="us-east-1"))


@pytest.mark.parametrize(
    ("landing", "expected"), [(Landing.FIRST, "lab-1"), (Landing.ADVERSARIAL, "lab-2")]
)
def test_landing_knob_picks_the_cluster(landing: Landing, expected: str) -> None:
    account = Account.of(world(*TWO, landing=landing))
    assert account.locations(account.deployed(spec(2, 2))) == [expected] * 2


def test_adversarial_landing_still_takes_only_where_a_batch_fits() -> None:
    account = Account.of(world(*TWO, landing=Landing.ADVERSARIAL))
    assert account.locations(account.deployed(spec(6, 6))) == ["lab-1"] * 6


def test_batches_of_one_request_may_land_apart() -> None:
    account = Account.of(world(*TWO, batch_size=4, landing=Landing.ADVERSARIAL))
    target = account.deployed(spec(8, 8))
    assert account.locations(target) == ["lab-1"] * 4 + ["lab-2"] * 4


def test_random_landing_follows_the_seed() -> None:
    def landed(seed: int) -> tuple[str, ...]:
        rules = world(*TWO, batch_size=1, landing=Landing.RANDOM, seed=seed)
        account = Account.of(rules)
        return tuple(account.locations(account.deployed(spec(4, 4))))

    assert landed(3) == landed(3)
    assert len({landed(seed) for seed in range(20)}) > 1


def test_targets_narrow_where_it_lands() -> None:
    clusters = (
        *TWO,
        cluster("lab-3", attributes=("SOC2", "HIPAA")),
        cluster("lab-4", attributes=("SOC2",), region="us-east-1"),
    )
    account = Account.of(world(*clusters))
    targets = {
        "lab-2": {"regions": ["us-east-1"]},
        "lab-3": {"attributes": ["HIPAA", "SOC2"]},
        "lab-4": {"attributes": ["SOC2"], "regions": ["us-east-1"]},
        "lab-1": {"clusters": ["lab-4", "lab-1"], "regions": ["us-west-2"]},
    }
    for index, (expected, fields) in enumerate(targets.items()):
        target = account.deployed({**spec(1, 1), **fields}, name=f"f{index}")
        assert account.locations(target) == [expected]


def test_backend_is_pinned_to_one_cluster_and_does_not_move() -> None:
    """The adversary picks the cluster with the least room above zero: it does not fit there."""
    account = Account.of(world(*TWO, landing=Landing.ADVERSARIAL))
    target = account.create()
    account.deploy(target, spec(6, 6, backend="lab"))
    account.emulator.advance(3600)
    assert account.status(target) == "ERROR"
    free = Account.of(world(*TWO, landing=Landing.ADVERSARIAL))
    assert free.status(free.deployed(spec(6, 6))) == "ACTIVE"


def test_backend_is_not_pinned_to_a_full_cluster_while_another_has_room() -> None:
    account = Account.of(world(*TWO, landing=Landing.ADVERSARIAL))
    account.emulator.grab("lab-2", "H100", 4)
    assert account.locations(account.deployed(spec(6, 6, backend="lab"))) == ["lab-1"] * 6


def test_later_instances_of_a_backend_come_to_the_pinned_cluster() -> None:
    account = Account.of(world(*TWO, landing=Landing.FIRST))
    target = account.deployed(spec(1, 8, backend="lab"))
    account.emulator.grab("lab-1", "H100", 6)
    assert account.patch(target, "LAB.H100_1x", minInstances=3).status == 200
    account.emulator.advance(3600)
    assert account.locations(target) == ["lab-1"]
    assert account.free("lab-2") == 4


def test_closed_cluster_takes_nothing_new_and_keeps_what_it_has() -> None:
    account = Account.of(world(*TWO))
    target = account.deployed(spec(1, 8))
    account.call("POST", "/emulator/cordon", {"cluster": "lab-1"})
    account.patch(target, "LAB.H100_1x", minInstances=2)
    account.emulator.advance(600)
    assert account.locations(target) == ["lab-1", "lab-2"]


def test_cluster_that_is_not_ready_is_never_landed_on() -> None:
    account = Account.of(world(cluster(), cluster("lab-0", status="PAUSED")))
    assert account.locations(account.deployed(spec(1, 1))) == ["lab-1"]


def test_huge_request_is_taken_without_a_fuss() -> None:
    account = Account.of(world(batch_size=1))
    target = account.create()
    account.deploy(target, spec(2**31 - 1, 2**31 - 1))
    assert account.free() == 0
    assert len(account.instances(target)) == 8
