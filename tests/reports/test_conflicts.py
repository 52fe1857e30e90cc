"""Plans of several open requests, added up: what fits alone may not fit beside the others."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.model import Digest, ResourceId
from nvcfplan.reports import (
    Claim,
    Claims,
    Conflict,
    Want,
    find_claims,
    find_conflicts,
    find_wants,
)
from tests.budget import examples
from tests.documents import builders

H100 = ResourceId("pool:GCP-ASIASE1-A/H100")
L40S = ResourceId("pool:byoc/L40S")
DIGEST = Digest("sha256:00")


def claims(**nets: int) -> Claims:
    named = {"h100": H100, "l40s": L40S}
    found = sorted((named[name], net) for name, net in nets.items() if net > 0)
    return Claims(
        stack="shop",
        environment="default",
        digest=DIGEST,
        claims=tuple(Claim(resource=one, net=net) for one, net in found),
    )


def want(extra: int, free: int, resource: ResourceId = H100) -> Want:
    return Want(resource=resource, extra=extra, free=free)


def test_two_that_do_not_fit_together_are_a_conflict_with_its_arithmetic() -> None:
    found = find_conflicts([want(4, 8)], {"#123": claims(h100=6)})
    assert found == (Conflict(resource=H100, others=("#123",), ours=4, theirs=6, free=8),)


def test_what_just_fits_is_none() -> None:
    assert find_conflicts([want(4, 10)], {"#123": claims(h100=6)}) == ()


def test_others_that_only_together_leave_too_little_are_named_together() -> None:
    found = find_conflicts([want(4, 8)], {"#2": claims(h100=3), "#1": claims(h100=2)})
    assert found == (Conflict(resource=H100, others=("#1", "#2"), ours=4, theirs=5, free=8),)


def test_another_resource_is_no_matter() -> None:
    assert find_conflicts([want(4, 8)], {"#123": claims(l40s=1000)}) == ()


def test_a_plan_claims_what_it_keeps_and_wants_what_it_needs_on_the_way() -> None:
    """A roll keeps nothing more, and yet needs room beside what another plan has taken."""
    plan = builders.rolling()
    assert find_claims(plan, DIGEST).claims == ()
    (wanted,) = find_wants(plan)
    assert wanted.extra > 0
    too_much = Claims(
        stack="other",
        environment="default",
        digest=DIGEST,
        claims=(Claim(resource=wanted.resource, net=wanted.free - wanted.extra + 1),),
    )
    (found,) = find_conflicts([wanted], {"#9": too_much})
    assert found.theirs + found.ours == found.free + 1


def test_a_plan_that_does_not_fit_claims_and_wants_nothing() -> None:
    plan = builders.infeasible()
    assert find_claims(plan, DIGEST).claims == ()
    assert find_wants(plan) == ()


REQUESTS = st.dictionaries(
    st.sampled_from([f"#{number}" for number in range(1, 6)]),
    st.builds(
        lambda h100, l40s: claims(h100=h100, l40s=l40s), st.integers(0, 9), st.integers(0, 9)
    ),
)
WANTS = st.builds(
    lambda extra, spare: want(extra, extra + spare), st.integers(1, 9), st.integers(0, 20)
)


def _net(one: Claims, resource: ResourceId) -> int:
    return sum(claim.net for claim in one.claims if claim.resource == resource)


@settings(max_examples=examples(2000))
@given(wanted=WANTS, others=REQUESTS)
def test_there_is_a_conflict_exactly_when_the_sum_is_too_much(
    wanted: Want, others: dict[str, Claims]
) -> None:
    found = find_conflicts([wanted], others)
    total = sum(_net(one, H100) for one in others.values())
    assert bool(found) == (total > 0 and total + wanted.extra > wanted.free)


@settings(max_examples=examples(2000))
@given(wanted=WANTS, others=REQUESTS)
def test_every_conflict_adds_up_and_names_each_request_once(
    wanted: Want, others: dict[str, Claims]
) -> None:
    named: list[str] = []
    for one in find_conflicts([wanted], others):
        assert one.theirs == sum(_net(others[name], H100) for name in one.others)
        assert one.ours + one.theirs > one.free
        assert (one.ours, one.free) == (wanted.extra, wanted.free)
        named += one.others
    assert len(named) == len(set(named))


@settings(max_examples=examples(2000))
@given(wanted=WANTS, others=REQUESTS)
def test_the_order_of_requests_does_not_matter(wanted: Want, others: dict[str, Claims]) -> None:
    other_way = dict(reversed(list(others.items())))
    assert find_conflicts([wanted], others) == find_conflicts([wanted], other_way)
