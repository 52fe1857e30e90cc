"""Unquoted templates: YAML reads `key: {{ vars.x }}` as nested mappings, or not at all.

Each is reported with the mended line, and read as if it had been quoted, so that the file's other
faults are found as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.located import MOST_BYTES, parse_source
from nvcfplan.model import is_sensitive_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.located import ComplexKey, Parsed, Source

MOST_PASSES: Final = 20
"""A template that breaks the syntax hides those after it, so each may need a pass of its own.

Of a very large file fewer are tried: the time that loading may take is bounded.
"""


class _Mend(NamedTuple):
    """Offsets into the source's text; `quote` goes before `start` and before `end`."""

    start: int
    end: int
    quote: str


def parse_mending(source: Source) -> Parsed:
    """As `parse_source`, with unquoted templates reported as what they are."""
    mends: dict[int, _Mend] = {}
    parsed = parse_source(source)
    for _ in range(min(MOST_PASSES, 2 + MOST_BYTES // (len(source.text) + 1))):
        found = {mend.start: mend for mend in _mends(parsed, source)}
        if not found.keys() - mends.keys():
            break
        mends |= found
        ordered = [mends[start] for start in sorted(mends)]
        points = [(at, one.quote) for one in ordered for at in (one.start, one.end)]
        parsed = parse_source(source.with_insertions(points))
    if not mends:
        return parsed
    faults = (_fault(source, mends[start]) for start in sorted(mends))
    return replace(parsed, diagnostics=(*faults, *parsed.diagnostics))


def _mends(parsed: Parsed, source: Source) -> Iterator[_Mend]:
    for key in parsed.complex_keys:
        start = parsed.source.index(key.start) - 1
        mend = _mend(source.parsed, start, key) if start >= 0 else None
        if mend is not None:
            yield mend


def _mend(text: str, start: int, key: ComplexKey) -> _Mend | None:
    line_end = text.find("\n", start)
    line = text[start : line_end if line_end >= 0 else None].partition(" #")[0]
    closing = line.find("}}") if key.in_flow else line.rfind("}}")
    if not line.startswith("{{") or closing < 0:
        return None
    rest = line[closing + 2 :]
    stops = [rest.find(stop) for stop in (",}]" if key.in_flow else "")]
    length = min((stop for stop in stops if stop >= 0), default=len(rest))
    value = line[: closing + 2 + length].rstrip()
    quote = "'" if '"' in value else '"'
    return None if quote in value else _Mend(start, start + len(value), quote)


def _fault(source: Source, mend: _Mend) -> Diagnostic:
    value = f"{mend.quote}{source.text[mend.start : mend.end]}{mend.quote}"
    span = source.span(mend.start, mend.end)
    line = source.line(span.start.line)
    before, after = line[: span.start.column - 1], line[span.start.column - 1 :]
    mended = f"{before}{value}{after[mend.end - mend.start :]}".strip()
    is_shown = not _holds_secret(before) and not _holds_secret(after)
    return Diagnostic(
        code="template-needs-quotes",
        severity=Severity.ERROR,
        summary="a template must be quoted",
        detail="YAML reads an unquoted `{{` as the beginning of two mappings",
        remedy=f"write `{mended}`" if is_shown else "put the value in quotes",
        span=span,
    )


def _holds_secret(text: str) -> bool:
    return any(is_sensitive_key(word) for word in _words(text))


def _words(text: str) -> Sequence[str]:
    return text.replace(":", " ").split()
