"""From what a check names (address and path) to where it was written, and to the line itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nvcfplan.diagnostics import Span, Subject
    from nvcfplan.located.parsing import Parsed
    from nvcfplan.located.sources import Range
    from nvcfplan.located.tree import Located, Path


class Place(NamedTuple):
    document: Located
    path: Path


class SourceMap:
    """`places`: the documents that may hold an address; `conceal`: ranges never to be shown."""

    def __init__(
        self,
        files: Iterable[Parsed],
        places: Mapping[str, Sequence[Place]],
        conceal: Callable[[Parsed], Sequence[Range]],
    ) -> None:
        self._files = {parsed.source.file: parsed for parsed in files}
        self._places = places
        self._conceal = conceal
        self._concealed: dict[str, Sequence[Range]] = {}

    def locate(self, subject: Subject) -> Span | None:
        """The value's span; of a missing one, the nearest key's above; None: of no file of ours."""
        places = self._places.get(subject.address, ())
        trails = [(place, _trail(place, subject.path)) for place in places]
        if not trails:
            return None
        place, trail = max(trails, key=lambda one: len(one[1]))
        return place.document.span(trail)

    def lines(self, file: str) -> tuple[str, ...]:
        """All of them, without their breaks, secrets overwritten. Raises: KeyError."""
        source = self._files[file].source
        concealed = self._concealed_in(file)
        return tuple(source.line(number, concealed) for number in range(1, source.line_count() + 1))

    def snippet(self, span: Span) -> str | None:
        """The line in which the span starts, secrets overwritten; None: of no file of ours."""
        parsed = self._files.get(span.file)
        if parsed is None or not 1 <= span.start.line <= parsed.source.line_count():
            return None
        return parsed.source.line(span.start.line, self._concealed_in(span.file))

    def _concealed_in(self, file: str) -> Sequence[Range]:
        if file not in self._concealed:
            self._concealed[file] = self._conceal(self._files[file])
        return self._concealed[file]


def _trail(place: Place, written: str) -> Path:
    """`deployment.specifications.h100.gpu` as steps; keys may hold dots, so the longest wins."""
    path: list[str | int] = list(place.path)
    left = [part for part in re.split(r"[.\[\]]", written) if part]
    while left:
        for length in range(len(left), 0, -1):
            step = ".".join(left[:length])
            if place.document.node((*path, step)) is not None:
                path.append(step)
                del left[:length]
                break
        else:
            break
    return tuple(path)
