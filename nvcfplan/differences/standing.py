"""Which functions stand on a rung of their ladder, told from what is live alone.

A rung that was taken on purpose is no difference: what is live is matched against the base, then
against each alternative, so the loss of the state changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.differences.compare import compare_specifications
from nvcfplan.differences.specifications import match_specifications
from nvcfplan.model import DesiredFunction, Fallback, Shrink, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.differences.ownership import Holdings
    from nvcfplan.model import DesiredSpecification, LiveVersion, Rung, Stack

WORDS: Final[dict[type[Rung], str]] = {Fallback: "fallback", Wait: "wait", Shrink: "shrink"}


def standing(stack: Stack, holdings: Holdings) -> Stack:
    """Each function wanted as it stands: on the base where that matches, else on a rung."""
    return replace(
        stack,
        functions=tuple(
            _as_it_stands(one, holdings.owned[one.key].current)
            if one.key in holdings.owned and one.on_no_capacity.rungs
            else one
            for one in stack.functions
        ),
    )


def on_rung(function: DesiredFunction, number: int) -> DesiredFunction:
    """Wanted as rung `number`, from 1, has it. A wait wants what was wanted before it."""
    rung = function.on_no_capacity.rungs[number - 1]
    match rung:
        case Wait():
            return function
        case Fallback(specifications=specifications) | Shrink(specifications=specifications):
            return replace(function, specifications=specifications, rung=number)


def rung_in_words(function: DesiredFunction, number: int) -> str:
    """`fallback 1 of 2`: among those of its kind."""
    rungs = function.on_no_capacity.rungs
    kind = type(rungs[number - 1])
    nth = sum(isinstance(one, kind) for one in rungs[:number])
    return f"{WORDS[kind]} {nth} of {sum(isinstance(one, kind) for one in rungs)}"


def rung_kind(rung: Rung) -> str:
    return WORDS[type(rung)]


def judge_standing(function: DesiredFunction) -> tuple[Diagnostic, ...]:
    """A note with the offer to climb back."""
    if function.rung is None:
        return ()
    words = rung_in_words(function, function.rung)
    return (
        Diagnostic(
            code="satisfied-by-rung",
            severity=Severity.NOTE,
            summary=f"{function.address} is satisfied by {words}, not by what the stack asks "
            "for first",
            detail="there was no capacity for that when it was applied; as long as it stands so, "
            "this is no difference",
            remedy="`nvcfplan plan -climb` plans the way back to `deployment.specifications`",
            subject=Subject(function.address, f"deployment.onNoCapacity[{function.rung - 1}]"),
        ),
    )


def _as_it_stands(function: DesiredFunction, live: LiveVersion) -> DesiredFunction:
    if _is_placed(function.specifications, live):
        return function
    for number, rung in enumerate(function.on_no_capacity.rungs, start=1):
        if not isinstance(rung, Wait) and _is_placed(rung.specifications, live):
            return on_rung(function, number)
    return function


def _is_placed(wanted: Sequence[DesiredSpecification], live: LiveVersion) -> bool:
    rows = live.deployment.specifications if live.deployment else ()
    matching = match_specifications(wanted, rows)
    if matching.moved or matching.added or matching.removed:
        return False
    return bool(rows) and not compare_specifications(matching, None)
