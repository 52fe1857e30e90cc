"""Who lends when nothing fits: the fewest functions whose units let most of the others go on.

A lender gives before it takes: it is down in between, or serves from elsewhere meanwhile. One that
costs no downtime comes before one that does; holes may add up where no single one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from nvcfplan.planning.numbers import Piece, Problem

LOOK_AHEAD: Final = 12
"""So many lenders, and so many waiting functions, are looked at closely."""
CASCADE_LIMIT: Final = 400
"""So many functions are tried in one look ahead."""


class Offer(NamedTuple):
    job: int
    way: int


Loan = tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lending:
    """Where a run stands still: what is free, who has begun what, who is not done (`open`).

    `way` and `started` by job, as in the simulation; `touching`: by resource, who needs it.
    """

    problem: Problem
    free: Sequence[int]
    ways: Sequence[Sequence[int]]
    way: Sequence[int | None]
    started: Sequence[int]
    open: AbstractSet[int]
    touching: Sequence[Sequence[int]]
    is_ready: Callable[[int, Piece], bool]


@dataclass(frozen=True, slots=True)
class _Target:
    job: int
    short: Mapping[int, int]


def find_loan(lending: Lending) -> Loan:
    """Empty: nobody can lend what is missing."""
    targets = sorted(_targets(lending), key=lambda one: (sum(one.short.values()), one.job))
    wanted = {resource for target in targets for resource in target.short}
    offers = _offers(lending, wanted)
    if not targets or not offers:
        return ()
    nearest = sorted(offers, key=lambda offer: _promise(lending, offer, targets))
    single: list[Loan] = [(offer,) for offer in nearest[:LOOK_AHEAD]]
    loans = {loan: unlocked for loan in single if (unlocked := _cascade(lending, loan))}
    if not loans:
        sums = {_sum_up(lending, offers, one) for one in targets[:LOOK_AHEAD]} - {()}
        loans = {loan: _cascade(lending, loan) for loan in sorted(sums)}
    return min(loans, key=lambda loan: _cost(lending, loan, loans[loan]), default=())


def _next_piece(lending: Lending, job: int) -> Piece:
    way = lending.way[job]
    chosen = lending.ways[job][0] if way is None else way
    return lending.problem.jobs[job].ways[chosen].pieces[lending.started[job]]


def _targets(lending: Lending) -> Iterable[_Target]:
    for job in lending.open:
        piece = _next_piece(lending, job)
        short = {
            resource: units - lending.free[resource]
            for resource, units in piece.needs
            if units > lending.free[resource]
        }
        if short and lending.is_ready(job, piece):
            yield _Target(job, short)


def _offers(lending: Lending, wanted: AbstractSet[int]) -> list[Offer]:
    """Other ways of who has not begun, whose first piece fits and gives what is short."""
    found: list[Offer] = []
    for number, job in enumerate(lending.problem.jobs):
        if lending.way[number] is not None or not (job.is_optional or number in lending.open):
            continue
        for way in lending.ways[number][0 if job.is_optional else 1 :]:
            piece = job.ways[way].pieces[0]
            if (
                any(units < 0 and resource in wanted for resource, units in piece.nets)
                and all(lending.free[resource] >= units for resource, units in piece.needs)
                and lending.is_ready(number, piece)
            ):
                found.append(Offer(number, way))
    return found


def _piece_of(lending: Lending, offer: Offer) -> Piece:
    return lending.problem.jobs[offer.job].ways[offer.way].pieces[0]


def _promise(
    lending: Lending, offer: Offer, targets: Sequence[_Target]
) -> tuple[bool, int, int, Offer]:
    """Before any look ahead: no downtime, then how many it would let go on, then how little."""
    given = {resource: -units for resource, units in _piece_of(lending, offer).nets if units < 0}
    helped = sum(
        all(given.get(resource, 0) >= units for resource, units in target.short.items())
        for target in targets[:CASCADE_LIMIT]
    )
    way = lending.problem.jobs[offer.job].ways[offer.way]
    return (way.has_gap, -helped, way.exposure, offer)


def _cost(lending: Lending, loan: Loan, unlocked: int) -> tuple[int, int, int, int, Loan]:
    jobs = lending.problem.jobs
    ways = [jobs[offer.job].ways[offer.way] for offer in loan]
    return (
        sum(way.has_gap for way in ways),
        -unlocked,
        sum(jobs[offer.job].is_optional for offer in loan),
        sum(way.exposure for way in ways),
        loan,
    )


def _sum_up(lending: Lending, offers: Sequence[Offer], target: _Target) -> Loan:
    """Offers that together give what the target lacks; empty when all together do not."""
    short = dict(target.short)
    free = list(lending.free)
    chosen: list[Offer] = []
    left = [offer for offer in offers if offer.job != target.job]
    while any(units > 0 for units in short.values()):
        fitting = [
            offer
            for offer in left
            if all(free[resource] >= units for resource, units in _piece_of(lending, offer).needs)
        ]
        best = min(fitting, key=lambda offer: _waste(lending, offer, short), default=None)
        if best is None or not _help(lending, best, short):
            return ()
        chosen.append(best)
        left = [offer for offer in left if offer.job != best.job]
        for resource, units in _piece_of(lending, best).nets:
            free[resource] -= units
            if resource in short:
                short[resource] += units
    return tuple(sorted(chosen))


def _help(lending: Lending, offer: Offer, short: Mapping[int, int]) -> int:
    return sum(
        min(-units, short.get(resource, 0))
        for resource, units in _piece_of(lending, offer).nets
        if units < 0 < short.get(resource, 0)
    )


def _waste(
    lending: Lending, offer: Offer, short: Mapping[int, int]
) -> tuple[bool, int, int, Offer]:
    way = lending.problem.jobs[offer.job].ways[offer.way]
    return (way.has_gap, -_help(lending, offer, short), way.exposure, offer)


def _cascade(lending: Lending, loan: Loan) -> int:
    """How many functions could be carried out one after the other, were this lent; with lenders."""
    free = list(lending.free)
    begun = {offer.job for offer in loan}
    changed: list[int] = []
    for offer in loan:
        for resource, units in _piece_of(lending, offer).nets:
            free[resource] -= units
            changed.append(resource)
    unlocked = 0
    tried = 0
    while changed and tried < CASCADE_LIMIT:
        candidates = lending.touching[changed.pop()]
        for job in islice(candidates, CASCADE_LIMIT):
            if job in begun or job not in lending.open or lending.way[job] is not None:
                continue
            tried += 1
            whole = lending.problem.jobs[job].ways[lending.ways[job][0]].rests[0]
            fits = all(free[resource] >= units for resource, units in whole.needs)
            if not fits or not lending.is_ready(job, _next_piece(lending, job)):
                continue
            begun.add(job)
            unlocked += 1
            for resource, units in whole.nets:
                free[resource] -= units
                if units < 0:
                    changed.append(resource)
    return unlocked + sum(_returns(lending, offer, free) for offer in loan)


def _returns(lending: Lending, offer: Offer, free: Sequence[int]) -> bool:
    """Whether the lender itself has come through, if it had anything to do."""
    rest = lending.problem.jobs[offer.job].ways[offer.way].rests[1]
    return offer.job in lending.open and all(
        free[resource] >= units for resource, units in rest.needs
    )
