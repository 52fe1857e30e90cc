"""The Terraform-like difference of one function: what comes, goes and becomes something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.model import function_key, parse_json
from nvcfplan.plans import Action, Means
from nvcfplan.reports import forces_new_version
from nvcfplan.views.ink import Ink
from nvcfplan.views.neutralise import columns, safe
from nvcfplan.views.wording import counted, lasting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import Json
    from nvcfplan.plans import AttributeChange, Change
    from nvcfplan.reports import FunctionEntry, RungEntry
    from nvcfplan.views.ink import Ink

_SYMBOLS: Final[Mapping[Action, str]] = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.IMPORT: "<=",
    Action.FORGET: ".",
    Action.NO_OP: " ",
}
_INDENT: Final = "      "
_NAMED: Final = 3
_MEANING: Final[Mapping[Action, str]] = {
    Action.CREATE: "will be created",
    Action.DELETE: "will be destroyed",
    Action.IMPORT: "will be imported",
    Action.FORGET: "will no longer be managed; nothing is deleted",
    Action.NO_OP: "stays as it is",
}
_REASONS: Final = {
    "own-late-create": "cleanup: our own late create",
    "failed-version-kept": "cleanup: failed version kept until its time was over",
}
"""Where the word alone would not say enough."""


def draw_function(entry: FunctionEntry, ink: Ink, *, shows_kept: bool = False) -> list[str]:
    """`shows_kept`: what stays as it is too, instead of how much that is."""
    change = entry.change
    head = ink.folded(f"{change.address} {fate(change)}", first="  # ", rest="  #   ")
    return [*map(ink.bold, head), *draw_body(entry, ink, shows_kept=shows_kept)]


def draw_body(entry: FunctionEntry, ink: Ink, *, shows_kept: bool = False) -> list[str]:
    """What differs, without the line that says what will become of the function."""
    change = entry.change
    symbol, name = symbol_of(change), safe(function_key(change.address))
    return [
        f'  {_inked(ink, symbol)} function "{name}" {{',
        *(line for one in change.attributes for line in _draw_attribute(one, change, ink)),
        *(_kept(entry, ink) if shows_kept else _hidden(entry, ink)),
        *_ladder(entry, ink),
        "    }",
    ]


def draw_function_line(alike: Sequence[Change], ink: Ink) -> list[str]:
    """What becomes of one function, or of several of which the first are named."""
    change, *others = alike
    text = f"{change.address} {fate(change)}"
    if others:
        named = ", ".join(one.address for one in alike[:_NAMED])
        more = f", and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
        text = f"{len(alike)} functions {fate(change)}: {named}{more}"
    first, *rest = ink.folded(text, first="    ", rest="      ")
    return [f"  {_inked(ink, symbol_of(change))} {first[4:]}", *rest]


def symbol_of(change: Change) -> str:
    return _SYMBOLS[change.action]


def fate(change: Change) -> str:
    """What will become of the function, and why: `will be created (new)`."""
    words = _REASONS.get(change.reason) or change.reason.replace("-", " ")
    reason = f" ({words})" if words else ""
    return f"{_meaning(change)}{reason}"


def _hidden(entry: FunctionEntry, ink: Ink) -> list[str]:
    if not entry.kept:
        return []
    unchanged = counted(len(entry.kept), "unchanged attribute")
    return [ink.faint(f"        # ({unchanged} hidden)")]


def _ladder(entry: FunctionEntry, ink: Ink) -> list[str]:
    """`if there is no capacity: fallback: h100.backend: "B"; then wait at most 20m; then ...`."""
    if not entry.rungs:
        return []
    words = [*(_rung(one) for one in entry.rungs), safe(entry.last)]
    text = f"if there is no capacity: {'; then '.join(words)}"
    return [ink.faint(line) for line in ink.folded(text, first="        # ", rest="        #   ")]


def _rung(rung: RungEntry) -> str:
    if rung.seconds:
        return f"{safe(rung.kind)} at most {lasting(rung.seconds)}"
    edits = (f"{safe(path)} {_side(text)}" for path, text in rung.edits)
    return f"{safe(rung.kind)} to {', '.join(edits)}"


def _side(text: Json | None) -> str:
    return "unset" if text is None else safe(text)


def _kept(entry: FunctionEntry, ink: Ink) -> list[str]:
    lines: list[str] = []
    for path, text in entry.kept:
        value = "(sensitive value)" if text is None else shown_value(text, ink.width)
        first, *rest = f"{safe(path)}: {value}".split("\n")
        lines += [f"{_INDENT}  {first}", *(f"{_INDENT}  {line}" for line in rest)]
    return lines


def _meaning(change: Change) -> str:
    if change.action is not Action.UPDATE:
        return _MEANING[change.action]
    if Means.NEW_VERSION in change.means:
        return "will be updated by a new version"
    if Means.REDEPLOY in change.means:
        return "will be deployed again"
    return "will be updated in-place"


def _draw_attribute(attribute: AttributeChange, change: Change, ink: Ink) -> list[str]:
    """On one line if it fits; else each side on its own, whole: values are there to be copied."""
    symbol = _symbol(attribute)
    lead, note = f"{safe(attribute.path)}:", _note(attribute, change)
    sides = _sides(attribute, ink.width)
    short = f"{lead} {' -> '.join(sides)}"
    if "\n" not in short and (
        len(sides) < 2 or columns(short + note) <= ink.width - len(_INDENT) - 2
    ):
        return [f"{_INDENT}{_inked(ink, symbol)} {short}{ink.faint(note)}"]
    lines = [f"{_INDENT}{_inked(ink, symbol)} {lead}"]
    for index, side in enumerate(sides):
        first, *rest = side.split("\n")
        lines.append(f"{_INDENT}{'   -> ' if index else '      '}{first}")
        lines += [f"{_INDENT}      {line}" for line in rest]
    return [*lines[:-1], lines[-1] + ink.faint(note)]


def _symbol(attribute: AttributeChange) -> str:
    if attribute.before is None:
        return "+"
    return "-" if attribute.after is None and not attribute.is_unknown else "~"


def _sides(attribute: AttributeChange, width: int) -> list[str]:
    if attribute.is_sensitive:
        shown: list[Json | None] = [attribute.before, attribute.after]
        return ["(sensitive value)"] * min(1, sum(one is not None for one in shown))
    after = None if attribute.after is None else shown_value(attribute.after, width)
    before = None if attribute.before is None else shown_value(attribute.before, width)
    sides = [before, "(known after apply)" if attribute.is_unknown else after]
    return [side for side in sides if side is not None]


def shown_value(text: Json, width: int) -> str:
    """Compact where that fits on a line, else indented."""
    value = parse_json(text)
    compact = safe(json.dumps(value, ensure_ascii=False, sort_keys=True))
    if not isinstance(value, dict | list) or columns(compact) <= width // 2:
        return compact
    pretty = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2)
    return "\n".join(safe(line) for line in pretty.split("\n"))


def _note(attribute: AttributeChange, change: Change) -> str:
    notes = []
    is_replacing = change.action is Action.UPDATE and Means.NEW_VERSION in change.means
    if is_replacing and forces_new_version(attribute):
        notes.append("forces new version")
    if attribute.live is not None:
        notes.append("changed outside nvcfplan")
    if attribute.is_sensitive and None not in (attribute.before, attribute.after):
        notes.append("another value")
    return f" # {', '.join(notes)}" if notes else ""


def _inked(ink: Ink, symbol: str) -> str:
    match symbol:
        case "+" | "<=":
            return ink.green(symbol)
        case "-":
            return ink.red(symbol)
        case _:
            return ink.yellow(symbol)
