"""The demand ledger: what was asked for, how it was served, and whose doing that was."""

from __future__ import annotations

from datetime import UTC, datetime

from nvcfplan.emulator.rules import Landing, TenantRule
from nvcfplan.emulator.serving import Cause, LedgerEntry, Service
from tests.emulator.account import Account, cluster, spec, world


def test_request_served_at_once_is_entered_with_its_cluster() -> None:
    account = Account.of(world())
    account.emulator.advance(30)
    target = account.deployed(spec(2, 4, instance_type="LAB.H100_2x"))
    (entry,) = account.emulator.ledger()
    assert entry == LedgerEntry(
        at=datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC),
        function="chat",
        version=target.version,
        specification=account.specification_ids(target)["LAB.H100_2x"],
        gpu="H100",
        cluster="lab-1",
        instances=2,
        gpus=4,
        outcome=Service.AT_ONCE,
        cause=None,
        is_injected=False,
    )


def test_minimum_of_zero_asks_for_nothing() -> None:
    account = Account.of(world())
    account.deploy(account.create(), spec(0, 4))
    assert account.emulator.ledger() == ()


def outcomes(account: Account) -> list[tuple[Service, Cause | None, bool]]:
    return [(one.outcome, one.cause, one.is_injected) for one in account.emulator.ledger()]


def test_request_of_ours_that_does_not_fit_is_on_us() -> None:
    account = Account.of(world())
    account.deployed(spec(6, 6))
    account.deploy(account.create("second"), spec(3, 3))
    assert outcomes(account)[1:] == [(Service.WAITED, Cause.CAPACITY, False)]
    account.emulator.advance(3600)
    assert outcomes(account)[1:] == [(Service.EXPIRED, Cause.CAPACITY, False)]


def test_refusal_for_want_of_room_is_on_us() -> None:
    account = Account.of(world())
    account.deployed(spec(8, 8))
    account.post(account.create("second"), spec())
    assert outcomes(account)[1:] == [(Service.REFUSED, Cause.CAPACITY, False)]


def test_request_that_was_kept_waiting_stays_so_even_when_served_later() -> None:
    account = Account.of(world())
    first = account.deployed(spec(6, 6))
    account.deploy(account.create("second"), spec(3, 3))
    account.call("DELETE", first.deployment)
    account.emulator.advance(1200)
    assert outcomes(account)[1:] == [(Service.WAITED, Cause.CAPACITY, False)]
    assert account.free() == 5


def test_asking_before_our_own_release_is_on_us() -> None:
    account = Account.of(world())
    target = account.deployed(spec(8, 8))
    account.call("DELETE", target.deployment)
    account.post(target, spec(8, 8))
    assert outcomes(account)[1:] == [(Service.REFUSED, Cause.CAPACITY, False)]


def test_scripted_grab_that_made_the_difference_is_not_on_us() -> None:
    account = Account.of(world())
    account.emulator.grab("lab-1", "H100", 8)
    account.post(account.create(), spec(8, 8))
    account.emulator.give_back("lab-1", "H100", 1)
    account.deploy(account.create(), spec(8, 8))
    assert outcomes(account) == [
        (Service.REFUSED, Cause.CAPACITY, True),
        (Service.WAITED, Cause.CAPACITY, True),
    ]


def test_scripted_grab_is_no_excuse_for_what_would_not_have_fitted_anyway() -> None:
    account = Account.of(world())
    account.emulator.grab("lab-1", "H100", 2)
    account.deploy(account.create(), spec(9, 9))
    assert outcomes(account) == [(Service.WAITED, Cause.CAPACITY, False)]


def test_tenant_that_was_there_from_the_start_is_no_excuse() -> None:
    tenant = TenantRule(tenant="x", cluster="lab-1", gpu="H100", gpus=8)
    account = Account.of(world(tenants=(tenant,)))
    account.post(account.create(), spec())
    assert outcomes(account) == [(Service.REFUSED, Cause.CAPACITY, False)]


def test_pin_to_a_cluster_that_does_not_fit_is_on_us() -> None:
    clusters = (cluster("lab-1"), cluster("lab-2", capacity=4))
    account = Account.of(world(*clusters, landing=Landing.ADVERSARIAL))
    account.deploy(account.create(), spec(6, 6, backend="lab"))
    (entry,) = account.emulator.ledger()
    assert (entry.outcome, entry.cluster, entry.is_injected) == (Service.WAITED, "lab-2", False)


def test_request_landing_on_several_clusters_names_none() -> None:
    clusters = (cluster("lab-1", capacity=4), cluster("lab-2", capacity=4))
    account = Account.of(world(*clusters, batch_size=4))
    account.deployed(spec(8, 8))
    assert [one.cluster for one in account.emulator.ledger()] == [None]


def test_every_retry_of_the_service_is_an_entry_of_its_own() -> None:
    account = Account.of(world())
    target = account.deployed(spec(1, 20))
    account.patch(target, "LAB.H100_1x", minInstances=20)
    account.emulator.advance(3 * 3600)
    retries = account.emulator.ledger()[1:]
    assert len(retries) >= 5
    assert {one.instances for one in retries} == {19, 10, 9} & {one.instances for one in retries}
    assert all(one.outcome in (Service.EXPIRED, Service.WAITED) for one in retries)


def test_autoscaler_of_the_world_is_no_demand_of_ours() -> None:
    account = Account.of(world())
    target = account.deployed(spec(1, 8))
    answer = account.call("POST", "/emulator/load", {"version": target.version, "running": 5})
    assert answer.status == 200
    assert len(account.emulator.ledger()) == 1
