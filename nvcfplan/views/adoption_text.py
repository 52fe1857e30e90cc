"""What was adopted, function by function, and what nobody can know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.applying import Likeness
from nvcfplan.model import function_address
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying import Adopted
    from nvcfplan.model import State


def render_adoption(
    stack: str, adopted: Sequence[Adopted], state: State | None, *, colour: bool, width: int = WIDTH
) -> str:
    ink = Ink(colour, width)
    if not adopted:
        known = len(state.functions) if state else 0
        told = f"the state knows {counted(known, 'function')}" if known else "nothing is there"
        return f"Nothing to adopt for {safe(stack)}: {told}."
    assert state is not None
    count = counted(len(adopted), "function")
    lines = [ink.green(f"Adopted {count} of {safe(stack)} from their tags:")]
    for one in adopted:
        lines += ink.folded(_line(one), first="  ", rest="      ")
    secrets = [
        f"{function_address(one.entry.key)} {name}" for one in adopted for name in one.uncompared
    ]
    if secrets:
        told = f"Secrets are not compared until they are sent again: {', '.join(secrets)}"
        lines += ink.folded(told, first="", rest="  ")
    return "\n".join(
        [*lines, f"State written: lineage {safe(state.lineage)}, serial {state.serial}."]
    )


def _line(one: Adopted) -> str:
    entry = one.entry
    told = (
        f"{function_address(entry.key)}: function {entry.function_id}, version {entry.version_id}"
    )
    words = [f"{told} ({one.status})"]
    words += [f"{counted(one.kept, 'other version')} of ours"] if one.kept else []
    words += [f"{one.foreign} that somebody else made"] if one.foreign else []
    return f"{', '.join(words)}; {_likeness(one.likeness)}"


def _likeness(likeness: Likeness) -> str:
    match likeness:
        case Likeness.AS_WANTED:
            return "it is as the stack says"
        case Likeness.DIFFERS:
            return "it differs from the stack: see `nvcfplan plan`"
        case Likeness.UNWANTED:
            return "the stack does not name it: the next apply removes it"
        case _:
            assert_never(likeness)
