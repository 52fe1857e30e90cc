"""Applies of two stacks beside each other: what one still will take, the other counts as used."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.adapters.storage.notices import LocalBoard
from nvcfplan.applying import Lease, RunOutcome, still_to_take
from nvcfplan.documents import decode_publication, encode_publication
from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Fault
from nvcfplan.errors import LeaseLostError, StalePlan, StoreError
from nvcfplan.model import Claim, PoolId, Publication, ResourceId, StepId
from nvcfplan.plans import Infeasible, Plan
from tests.adapters.fakes import run
from tests.documents import builders
from tests.laws.test_promises import world
from tests.planning.builders import specification, wanted
from tests.rehearsal import Account, account, ports_of
from tests.scenarios.conftest import Workshop, codes, h100, stack

if TYPE_CHECKING:
    from pathlib import Path

    from nvcfplan.workflows import RunResult

POOL = PoolId("nvcf-gcp-prod-asiase1-a", "H100")
OTHER = "inference-prod@default"
HERE = "the account"


def _notice(gpus: int, pool: PoolId = POOL) -> bytes:
    return encode_publication(Publication(stack=OTHER, claims=(Claim((pool,), gpus),)))


def publishing(workshop: Workshop, gpus: int, *, pool: PoolId = POOL) -> tuple[LocalStore, Lease]:
    """Another stack's apply, by this very process, that will take so many H100."""
    root = workshop.state_directory.parents[2]
    store = LocalStore(root)
    lease = run(store.acquire(OTHER, "ada@desk", 60))
    run(LocalBoard(root).publish(_label(workshop), lease, _notice(gpus, pool)))
    return store, lease


def _label(workshop: Workshop) -> str:
    from nvcfplan.adapters.nvcf.target import Target
    from tests.rehearsal import KEY

    emulator = workshop.emulator()
    target = Target(base_url=emulator.base_url, token=KEY, org=emulator.org)
    return f"{target.root} {emulator.org or ''}".strip()


def test_what_running_applies_will_take_has_a_column_of_its_own_in_every_form(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    plain = workshop.plan("-format=markdown", ".").out
    store, _ = publishing(workshop, gpus=4)

    markdown = workshop.plan("-format=markdown", ".").out
    page = workshop.plan("-format=html", ".").out
    resources = json.loads(workshop.plan("-json", ".").out)["plan"]["resources"]

    assert "in applies" not in plain
    head = "| resource | before | in applies | peak | at step | after | limit | verdict |"
    assert head in markdown
    assert "| 4 | 4 | 8 | 2 | 8 | 8 | fits |" in markdown
    assert '<td data-name="in applies">4</td>' in page
    assert {one["id"]: one["published"] for one in resources if one["published"]} == {
        "pool:nvcf-gcp-prod-asiase1-a/H100": 4
    }
    assert store is not None


def test_what_a_running_apply_will_take_is_counted_as_used_and_told(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    store, lease = publishing(workshop, gpus=4)
    said = workshop.plan(".")
    assert said.code == 2, said
    assert "[taken-by-running-apply]" in said.out
    assert "a running apply of inference-prod@default will take 4 of" in said.out
    words = " ".join(said.out.split())
    assert "resource before in applies peak step after limit verdict" in words
    assert "pool:nvcf-gcp-prod-asiase1-a/H100 4 4 8" in words
    run(
        LocalBoard(workshop.state_directory.parents[2]).publish(_label(workshop), lease, _notice(6))
    )
    full = workshop.plan(".")
    assert full.code == 1
    assert "needs 2 more H100" in full.err + full.out
    run(store.release(lease))
    assert "[taken-by-running-apply]" not in workshop.plan(".").out


def test_an_apply_is_refused_where_another_will_take_the_room(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    assert workshop.plan("-out=chat.nvcfplan", ".").code == 2
    publishing(workshop, gpus=6)
    said = workshop.apply("chat.nvcfplan")
    assert (said.code, codes(said.err)) == (5, ["stale-plan"])
    assert workshop.account() == []
    notices = workshop.state_directory.parents[1] / "accounts"
    assert [one.name for one in notices.rglob("*@*.json")] == [f"{OTHER}.json"]


def test_nothing_stays_published_after_a_run_however_it_ended(workshop: Workshop) -> None:
    notices = workshop.state_directory.parents[1] / "accounts"
    workshop.write("stack.yaml", stack(h100("chat")))
    assert workshop.apply(".").code == 0
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0")))
    workshop.emulator().add_fault(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy"))
    assert workshop.apply(".").code == 3
    assert list(notices.rglob("*@*.json")) == []


def test_of_two_applies_at_once_the_later_is_told_that_there_is_no_room() -> None:
    with account(world(8)) as where:
        where.is_shared = True
        plans = [where.plan(wanted(key, specification(low=6)), stack=key) for key in ("one", "two")]
        found = asyncio.run(_together(where, plans))
        assert where.unserved() == ()
    won = [one for one in found if not isinstance(one, BaseException)]
    lost = [one for one in found if isinstance(one, StalePlan)]
    assert [one.outcome for one in won] == [RunOutcome.APPLIED]
    assert len(lost) == 1
    assert "4 too few" in lost[0].detail


def test_one_after_the_other_two_applies_both_see_what_is_there() -> None:
    with account(world(8)) as where:
        where.is_shared = True
        first = where.plan(wanted("one", specification(low=6)), stack="one")
        assert isinstance(first, Plan)
        assert where.apply(first).outcome is RunOutcome.APPLIED
        assert isinstance(where.plan(wanted("two", specification(low=6)), stack="two"), Infeasible)
        second = where.plan(wanted("two", specification(low=2)), stack="two")
        assert isinstance(second, Plan)
        assert where.apply(second).outcome is RunOutcome.APPLIED


async def _together(
    where: Account, plans: list[Plan | Infeasible]
) -> list[RunResult | BaseException]:
    from nvcfplan.applying import ApplySettings

    async def one(plan: Plan | Infeasible) -> RunResult:
        assert isinstance(plan, Plan)
        async with ports_of(where) as ports:
            return await where.carry_out(plan, ports, ApplySettings())

    return await asyncio.gather(*map(one, plans), return_exceptions=True)


# -- the board -------------------------------------------------------------------------------------


def _lease(root: Path, stack_name: str) -> Lease:
    return run(LocalStore(root).acquire(stack_name, "ada@desk", 60))


def test_numbers_rise_with_each_run_and_stay_while_it_goes_on(tmp_path: Path) -> None:
    board = LocalBoard(tmp_path)
    one, two = _lease(tmp_path, "one@default"), _lease(tmp_path, "two@default")
    numbers = [run(board.publish(HERE, lease, b"{}")) for lease in (one, two, one)]
    assert numbers == [1, 2, 1]
    assert [notice.stack for notice in run(board.notices(HERE))] == ["one@default", "two@default"]
    assert run(board.notices("another account")) == ()
    run(board.withdraw(HERE, one))
    run(LocalStore(tmp_path).release(one))
    again = _lease(tmp_path, "one@default")
    assert run(board.publish(HERE, again, b"{}")) == 3


def test_a_notice_counts_only_while_its_run_holds_its_stack(tmp_path: Path) -> None:
    board, store = LocalBoard(tmp_path), LocalStore(tmp_path)
    lease = _lease(tmp_path, "one@default")
    run(board.publish(HERE, lease, b"{}"))
    run(store.release(lease))
    assert run(board.notices(HERE)) == ()
    _lease(tmp_path, "one@default")
    assert run(board.notices(HERE)) == (), "another run of the stack, which has published nothing"
    with pytest.raises(LeaseLostError):
        run(board.publish(HERE, lease, b"{}"))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"epoch": 1}', b'{"epoch": "1", "number": 1, "content": ""}']
)
def test_a_notice_that_does_not_read_is_told_with_its_path(tmp_path: Path, content: bytes) -> None:
    board = LocalBoard(tmp_path)
    run(board.publish(HERE, _lease(tmp_path, "one@default"), b"{}"))
    (path,) = (tmp_path / ".nvcfplan" / "accounts").rglob("one@default.json")
    path.write_bytes(content)
    with pytest.raises(StoreError, match="does not read"):
        run(board.notices(HERE))


@pytest.mark.parametrize("content", [b"{}", b"no", b'{"version":2,"publication":{}}'])
def test_what_another_version_published_is_not_passed_over(content: bytes) -> None:
    with pytest.raises(StoreError, match="does not read"):
        decode_publication(content, OTHER)


# -- what is still to take -------------------------------------------------------------------------


def test_own_releases_count_once_they_are_released_until_the_taker_has_landed() -> None:
    plan = builders.rolling()
    before = still_to_take(plan, ())
    released = [StepId("undeploy:function.chat@old"), StepId("await-released:function.chat@old")]
    after = still_to_take(plan, released)
    assert sum(one.gpus for one in after.claims) >= sum(one.gpus for one in before.claims)
    everything = [step.id for step in plan.steps]
    done = still_to_take(plan, everything)
    assert (done.claims, done.charges) == ((), ())


def test_a_publication_reads_back_as_it_was_written() -> None:
    told = Publication(
        stack=OTHER,
        claims=(Claim((POOL, PoolId("b", "H100")), 4),),
        charges=((ResourceId("limit:versions"), 2),),
    )
    assert decode_publication(encode_publication(told), OTHER) == told
