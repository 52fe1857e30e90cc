"""What else could be done: both strategies and their price, and what would make a plan fit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nvcfplan.model import parse_json
from nvcfplan.plans import AlternativeKind
from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import lasting, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import Address
    from nvcfplan.plans import Alternative, Candidate, Edit
    from nvcfplan.views.ink import Ink

MOST_NAMES = 4
_PLAIN = re.compile(r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z][\w.-]*", re.IGNORECASE)
"""A text that YAML reads as one without quotes."""


def draw_strategies(candidates: Sequence[Candidate], ink: Ink) -> list[str]:
    if not candidates:
        return []
    lines = [ink.bold("Strategies (-strategy NAME):")]
    for one in candidates:
        lines += ink.folded(strategy(one), first="  ", rest="    ")
    return lines


def strategy(one: Candidate) -> str:
    chosen = ", chosen" if one.is_chosen else ""
    return f"{one.strategy.value}{chosen}: {_price(one)}"


def draw_alternatives(title: str, found: Sequence[Alternative], ink: Ink) -> list[str]:
    """Each as the edit to make; each was planned and proved before it is said."""
    if not found:
        return []
    lines = ink.title(f"{title} (any one of these; each was planned and proved):")
    for one in found:
        lines += ink.folded(alternative(one), first="  * ", rest="    ")
    return lines


def alternative(one: Alternative) -> str:
    """The edits to make, and who would be down meanwhile."""
    edits = "; ".join(_edit(edit, one.kind) for edit in one.edits)
    down = f" ({_down(one.interrupted, one.unavailable_seconds)})" if one.interrupted else ""
    return f"{edits}{down}"


def _price(one: Candidate) -> str:
    if one.refusal:
        return f"impossible: {one.refusal}"
    gaps = _down(one.interrupted, one.unavailable_seconds)
    extra = ", ".join(units(each.units, each.resource) for each in one.extra)
    return f"{gaps}; {f'{extra} extra at the peak' if extra else 'no extra GPUs'}"


def _down(interrupted: Sequence[Address], seconds: int) -> str:
    if not interrupted:
        return "nobody is down"
    names = ", ".join(safe(one) for one in interrupted[:MOST_NAMES])
    more = len(interrupted) - MOST_NAMES
    rest = f" and {more} more" if more > 0 else ""
    return f"{names}{rest} down for about {lasting(seconds)}{' in all' if rest else ''}"


def _edit(edit: Edit, kind: AlternativeKind) -> str:
    if kind is AlternativeKind.RAISE and not edit.path.startswith("quotas."):
        return f"raise {safe(edit.path)} to {edit.value}"
    if edit.value is None:
        return f"remove {safe(edit.path)}"
    return f"set {safe(edit.path)}: {_yaml(parse_json(edit.value))}"


def _yaml(value: object) -> str:
    """As it is typed into a stack file: a word, a number, a list or a mapping in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{safe(key)}: {_yaml(one)}' for key, one in value.items())} }}"
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return safe(json.dumps(value))
    return safe(str(value))
