"""The emulator's world, ledger and events, as tables for people and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.emulator.codec import to_plain
from nvcfplan.emulator.serving import Service
from nvcfplan.views.ink import WIDTH
from nvcfplan.views.table import draw_table
from nvcfplan.views.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nvcfplan.emulator.overview import FaultView, Overview, VersionView
    from nvcfplan.emulator.serving import Event, LedgerEntry

_OUTCOMES: Final = {
    Service.AT_ONCE: "served at once",
    Service.WAITED: "kept waiting",
    Service.REFUSED: "refused",
    Service.EXPIRED: "never served",
}


_LAST_EVENTS: Final = 8
_MASK: Final = "(sensitive value)"


def overview_text(seen: Overview, ledger: Sequence[LedgerEntry], events: Sequence[Event]) -> str:
    sections = [
        [f"{safe(seen.account)} (org {safe(seen.org)}), {_time(seen.now)}"],
        _section("Pools, in GPUs", _pools(seen)),
        _section("Versions", [line for one in seen.versions for line in _version(one)]),
        _section("Faults", faults_lines(seen.faults)),
        _section("Demand", [f"  {ledger_verdict(ledger)}"]),
        _section("Last events", [f"  {line}" for line in _events(events[-_LAST_EVENTS:])]),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections)


def overview_json(
    seen: Overview,
    ledger: Sequence[LedgerEntry],
    events: Sequence[Event],
    snapshot: dict[str, object],
) -> str:
    content = to_plain(seen)
    assert isinstance(content, dict)
    content["ledger"] = [_ledger_row(one) for one in ledger]
    content["events"] = [_event_row(one) for one in events]
    return _document({**content, "world": _concealed(snapshot)})


def _concealed(value: object) -> object:
    """Which variable of a container holds a secret, only the stack that set it knows."""
    if isinstance(value, list):
        return [_concealed(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: [{**entry, "value": _MASK} for entry in one]
        if name == "containerEnvironment" and isinstance(one, list)
        else _concealed(one)
        for name, one in value.items()
    }


def faults_json(faults: Sequence[FaultView]) -> str:
    return _document({"faults": to_plain(tuple(faults))})


def faults_lines(faults: Sequence[FaultView]) -> list[str]:
    return [f"  {one.number:>3}  {_fault(one)}" for one in faults]


def _fault(one: FaultView) -> str:
    kind, route = one.stated.get("kind"), one.stated.get("route")
    details = "".join(
        f" {name}={value}" for name, value in one.stated.items() if name not in ("kind", "route")
    )
    fate = ", over" if one.is_over else ""
    return safe(f"{kind} {route}{details}  (met {one.met}{fate})")


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(lines or ["  none"])]


def _pools(seen: Overview) -> list[str]:
    rows = [
        (
            safe(f"{one.cluster}/{one.gpu}"),
            str(one.capacity),
            str(one.ours),
            str(one.leaving),
            str(one.others),
            str(one.free),
            safe(one.status),
        )
        for one in seen.pools
    ]
    head = ("", "all", "ours", "leaving", "others", "free", "status")
    return draw_table(head, rows, WIDTH) if rows else []


def _version(one: VersionView) -> list[str]:
    lines = [f"  {safe(one.function)}  {one.version}  {one.status}"]
    for each in one.specifications:
        where = ", ".join(each.places) or "any that fits"
        count = f"{each.running} running"
        count += f", {each.starting} starting" if each.starting else ""
        count += f", {each.waiting} waiting" if each.waiting else ""
        words = f"{each.instance_type} {each.min}..{each.max} in {where}: {count}"
        lines.append(f"    {safe(words)}")
    lines += [f"    {safe(text)}" for text in one.health]
    return lines


def ledger_text(entries: Sequence[LedgerEntry]) -> str:
    """One demand a line, oldest first, and the verdict at the end."""
    lines = [_entry(entry) for entry in entries]
    return "\n".join([*lines, *([""] if lines else []), ledger_verdict(entries)])


def ledger_verdict(entries: Sequence[LedgerEntry]) -> str:
    """A real service never over-allocates, so this is what tells whether plans fitted."""
    unserved = [entry for entry in entries if entry.outcome is not Service.AT_ONCE]
    injected = [entry for entry in unserved if entry.is_injected]
    demands = f"{len(entries)} {'demand' if len(entries) == 1 else 'demands'}"
    if not unserved:
        return f"{demands}; all were served at once"
    if len(injected) == len(unserved):
        return (
            f"{demands}; none was refused or kept waiting except where that was"
            f" injected ({len(injected)})"
        )
    return (
        f"{demands}; {len(unserved) - len(injected)} refused or kept waiting,"
        f" and {len(injected)} more where that was injected"
    )


def events_text(events: Sequence[Event]) -> str:
    return "\n".join(_events(events))


def _events(events: Sequence[Event]) -> list[str]:
    return [f"{_time(one.at)}  {one.kind:<18} {safe(one.words)}".rstrip() for one in events]


def ledger_json(entries: Sequence[LedgerEntry]) -> str:
    return _json("ledger", [_ledger_row(entry) for entry in entries])


def _ledger_row(entry: LedgerEntry) -> dict[str, object]:
    return {
        "at": entry.at.isoformat(),
        "function": entry.function,
        "version": entry.version,
        "specification": entry.specification,
        "gpu": entry.gpu,
        "cluster": entry.cluster,
        "instances": entry.instances,
        "gpus": entry.gpus,
        "outcome": entry.outcome.value,
        "cause": entry.cause.value if entry.cause else None,
        "injected": entry.is_injected,
    }


def events_json(events: Sequence[Event]) -> str:
    return _json("events", [_event_row(event) for event in events])


def _event_row(event: Event) -> dict[str, object]:
    return {
        "at": event.at.isoformat(),
        "kind": event.kind,
        "words": event.words,
        "function": event.function or None,
        "version": event.version or None,
    }


def _entry(entry: LedgerEntry) -> str:
    where = safe(entry.cluster or "any cluster that fits")
    cause = f" ({entry.cause.value})" if entry.cause else ""
    injected = ", injected" if entry.is_injected else ""
    return (
        f"{_time(entry.at)}  {safe(entry.function)}: {entry.gpus} {safe(entry.gpu)} in {where}:"
        f" {_OUTCOMES[entry.outcome]}{cause}{injected}"
    )


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _json(name: str, rows: Sequence[dict[str, object]]) -> str:
    return _document({name: rows})


def _document(content: dict[str, object]) -> str:
    return json.dumps({"format_version": "1.0", **content}, indent=2, sort_keys=True)
