"""What is said to be the least downtime possible never is more than the truth."""

from __future__ import annotations

from nvcfplan.planning import Job, Piece, Problem, Way, least_lenders
from tests.budget import examples
from tests.ordering.bruteforce import Act, Choice, choices_of, least_downtime
from tests.ordering.fleets import Fleet, held
from tests.ordering.instances import narrow_fleet


def stated(fleet: Fleet) -> Problem:
    """The same fleet as the search sees it; pools only, nobody uses another."""
    pools = tuple(sorted(fleet.capacity))
    used = held(fleet.functions)
    jobs = []
    for one in fleet.functions:
        choices = choices_of(one, fleet)
        ways = tuple(way(choice, pools) for choice in choices if choice.acts)
        is_optional = any(not choice.acts for choice in choices)
        if ways:
            jobs.append(Job(one.key, ways, (), (), is_optional))
    return Problem(
        resources=(), free=tuple(fleet.capacity[one] - used[one] for one in pools),
        jobs=tuple(jobs), touching=(),
    )  # fmt: skip


def way(choice: Choice, pools: tuple[str, ...]) -> Way:
    pieces = tuple(piece(act, pools) for act in choice.acts)
    return Way(pieces, bool(choice.down), 0, 0, 0, (*pieces, *pieces[-1:]))


def piece(act: Act, pools: tuple[str, ...]) -> Piece:
    needs = tuple((n, act.first[one]) for n, one in enumerate(pools) if act.first.get(one, 0) > 0)
    nets = tuple(
        (n, units)
        for n, one in enumerate(pools)
        if (units := act.first.get(one, 0) + act.then.get(one, 0))
    )
    gives = tuple((n, -act.then[one]) for n, one in enumerate(pools) if act.then.get(one, 0) < 0)
    return Piece(needs, nets, gives, 1, act.takes, not act.takes)


def test_the_least_that_is_claimed_is_never_more_than_it_takes() -> None:
    claimed = 0
    for seed in range(examples(4_000)):
        fleet = narrow_fleet(seed)
        truth = least_downtime(fleet)
        if truth is not None:
            least = least_lenders(stated(fleet))
            assert least <= truth, seed
            claimed += least > 0
    assert claimed
