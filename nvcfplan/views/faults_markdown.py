"""A stack that does not read, as a comment on a request: in the place of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from nvcfplan.views import sentences
from nvcfplan.views.comment_template import comment_template, left_out, within
from nvcfplan.views.fitting import Part, fitted
from nvcfplan.views.markdown import marker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2.environment import TemplateModule

    from nvcfplan.reports import CommentFrame, ValidateReport

_SHOWN: Final = (None, 100, 20, 5)


def draw_faults(report: ValidateReport, frame: CommentFrame, *, budget: int) -> str:
    """At most `budget` bytes of UTF-8, under the mark that a plan's comment would have."""
    return within(budget, lambda longest: _drawn(report, frame, budget, longest))


def _drawn(report: ValidateReport, frame: CommentFrame, budget: int, longest: int | None) -> str:
    macros = comment_template(longest).module

    def whole(texts: Sequence[str], cut: Sequence[str]) -> str:
        foot = _macro(macros, "faults_foot", frame, Markup(left_out(cut, longest)))
        mark = marker(frame.stack, frame.environment)
        return f"{mark}\n{''.join(texts)}{foot}".rstrip("\n") + "\n"

    return fitted(list(_parts(report, frame, macros)), budget, whole)


def _parts(report: ValidateReport, frame: CommentFrame, macros: TemplateModule) -> Iterator[Part]:
    head = _macro(macros, "faults_head", frame, Markup(sentences.validation(report)))
    yield Part(name="", forms=(head,), rank=100)
    for at, (title, found) in enumerate(sentences.by_severity(report)):
        rows = [(one.diagnostic, "") for one in found]
        forms = [_macro(macros, "findings", title, rows[:most]) for most in _SHOWN]
        forms += [] if title == "Errors" else [""]
        yield Part(name=f"some {title.lower()}", forms=tuple(dict.fromkeys(forms)), rank=90 - at)


def _macro(macros: TemplateModule, name: str, *values: object) -> str:
    return str(getattr(macros, name)(*values))
