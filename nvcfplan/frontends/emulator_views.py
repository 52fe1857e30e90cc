"""The emulator's ledger and events, as tables for people and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvcfplan.emulator.serving import Service
from nvcfplan.views.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nvcfplan.emulator.serving import Event, LedgerEntry

_OUTCOMES: Final = {
    Service.AT_ONCE: "served at once",
    Service.WAITED: "kept waiting",
    Service.REFUSED: "refused",
    Service.EXPIRED: "never served",
}


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
    return "\n".join(
        f"{_time(event.at)}  {event.kind:<18} {safe(event.words)}".rstrip() for event in events
    )


def ledger_json(entries: Sequence[LedgerEntry]) -> str:
    return _json(
        "ledger",
        [
            {
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
            for entry in entries
        ],
    )


def events_json(events: Sequence[Event]) -> str:
    return _json(
        "events",
        [
            {
                "at": event.at.isoformat(),
                "kind": event.kind,
                "words": event.words,
                "function": event.function or None,
                "version": event.version or None,
            }
            for event in events
        ],
    )


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
    return json.dumps({"format_version": "1.0", name: rows}, indent=2, sort_keys=True)
