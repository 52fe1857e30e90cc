"""The template that comments are drawn from, and how long a foreign text in it may be."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from nvcfplan.views import markdown_text, sentences
from nvcfplan.views.templating import Medium, compiled
from nvcfplan.views.wording import counted, described, lasting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2 import Template

    from nvcfplan.reports import PlanReport

_LONGEST: Final = (None, 1_000, 200, 60)
"""Characters of a foreign text: where even the least of each part is too much, texts are cut."""


def within(budget: int, drawn: Callable[[int | None], str]) -> str:
    """At most `budget` bytes of UTF-8; `drawn` is told how long a foreign text may be in it."""
    for longest in _LONGEST:
        text = drawn(longest)
        if len(text.encode("utf-8")) <= budget:
            break
    return text


def left_out(names: Sequence[str], longest: int | None) -> str:
    ends = [] if longest is None else ["the ends of long texts"]
    return ", ".join(dict.fromkeys([*names, *ends]))


@cache
def comment_template(longest: int | None) -> Template:
    filters: dict[str, Callable[..., object]] = {
        "code": lambda value: markdown_text.code(_cut(value, longest)),
        "cell": lambda value: markdown_text.cell(_cut(value, longest)),
        "words": Markup,
        "amount": Markup,
        "reference": markdown_text.reference,
        "summary": _ours(sentences.summary),
        "scope": _ours(_scope),
        "confidence": _ours(sentences.confidence),
        "refusal": _ours(sentences.refusal),
        "downtime_title": _ours(sentences.downtime_title),
        "destroys_title": _ours(sentences.destroys_title),
        "missing": sentences.missing,
        "users": sentences.users,
        "described": lambda entry: described(entry.step.task),
        "effects": lambda entry: "; ".join(sentences.effects(entry)),
        "promised": sentences.promised,
        "reading": sentences.reading,
        "full": lambda frame: markdown_text.link(frame.full_text, frame.full_url),
    }
    draw = partial(_prose, longest=longest)
    return compiled("comment.md.j2", Medium(draw=draw, filters=filters))


def _prose(text: str, *, longest: int | None) -> Markup:
    return markdown_text.prose(_cut(text, longest))


def _cut(value: object, longest: int | None) -> str:
    text = str(value)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}\u2026"


def _scope(report: PlanReport) -> str:
    expected = lasting(report.expected_seconds)
    return f"{counted(len(report.steps), 'step')}, about {expected}." if report.steps else ""


def _ours(sentence: Callable[..., str]) -> Callable[..., Markup]:
    """Words of ours alone: nothing foreign is in them."""
    return lambda value: Markup(sentence(value))
