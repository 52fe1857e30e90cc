"""A plan as a comment on a request: what a reviewer must see first, the rest in folds.

Drawn from one template; every value that goes into it is made harmless unless it is Markdown of
ours. Under a forge's limit the comment gives way part by part, never by being cut off.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from nvcfplan.model import function_key
from nvcfplan.views import markdown_text, sentences
from nvcfplan.views.change_text import draw_body, fate, symbol_of
from nvcfplan.views.choice_text import alternative, strategy
from nvcfplan.views.comment_template import comment_template, left_out, within
from nvcfplan.views.fitting import Part, fitted
from nvcfplan.views.graph import GraphForm, render_graph
from nvcfplan.views.ink import Ink
from nvcfplan.views.wording import counted, lasting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nvcfplan.plans import Change
    from nvcfplan.reports import CommentFrame, FunctionEntry, PlanReport

GITHUB_LIMIT: Final = 65_536
GITLAB_LIMIT: Final = 1_000_000
MOST_DRAWN: Final = 50
"""From so many steps on a graph of them is no help."""
_MOST_EDGES: Final = 500
_MOST_SIGNS: Final = 50_000
"""Mermaid draws an error in the place of a graph that has more; a graph cannot raise either."""
_NAMED: Final = 20
"""So many of what must never be missing are named even where nothing else is left."""
_FEW: Final = 5
_LEVELS: Final = 16
_STALE: Final = "**Stale:"


def marker(stack: str, environment: str) -> str:
    """The first line of a comment, by which it is found again."""
    return f"<!-- nvcfplan:stack={encoded_name(stack)};env={encoded_name(environment)};v=1 -->"


def encoded_name(text: str) -> str:
    """For a mark. What is no sign of a name is its code point: nothing ends the mark before."""
    return re.sub(r"[^a-z0-9-]", lambda one: f"_{ord(one[0]):x}_", text).replace("--", "-_2d_")


def draw_comment(report: PlanReport, frame: CommentFrame, *, budget: int) -> str:
    """At most `budget` bytes of UTF-8. Verdict, gaps in service, destroys and capacity are never
    missing, and it says what is and where that can be read.
    """
    return within(budget, lambda longest: _drawn(_Drawing(report, frame, longest), budget))


def _drawn(draw: _Drawing, budget: int) -> str:
    """As short as it has to be and can be."""
    frame = draw.frame

    def whole(texts: Sequence[str], cut: Sequence[str]) -> str:
        body = "".join(texts) + draw.foot(left_out(cut, draw.longest))
        return f"{marker(frame.stack, frame.environment)}\n{body}".rstrip("\n") + "\n"

    return fitted(list(_parts(draw)), budget, whole)


def mark_stale(body: str, why: str) -> str:
    """A comment drawn here, with why it is not to be trusted any more under its marker.

    What stood there of that kind gives way; the rest stays as it was drawn. Line ends may be
    those of a browser.
    """
    head, _, rest = body.replace("\r\n", "\n").partition("\n")
    if rest.startswith(_STALE):
        rest = rest.partition("\n\n")[2]
    return f"{head}\n{_STALE} {markdown_text.prose(why)}** Plan again.\n\n{rest}"


class _Drawing:
    """The macros of the template, for one report, with foreign texts of `longest` characters."""

    def __init__(self, report: PlanReport, frame: CommentFrame, longest: int | None) -> None:
        self.report = report
        self.frame = frame
        self.longest = longest
        numbers = sentences.numbers_of(report)
        self.numbers = numbers
        self._module = comment_template(longest).make_module(
            {
                "gap_times": lambda gap: sentences.gap_times(gap, numbers),
                "given_up": partial(sentences.given_up, report),
            }
        )

    def __call__(self, macro: str, *values: object) -> str:
        made: Callable[..., object] = getattr(self._module, macro)
        return str(made(*values))

    def foot(self, cut: str) -> str:
        return self("foot", self.report, self.frame, Markup(cut))


def _parts(draw: _Drawing) -> Iterator[Part]:
    """In the order of reading. Ranks say which gives way first."""
    report, frame = draw.report, draw.frame
    yield _whole(draw("head", report, frame))
    if found := frame.conflicts:
        yield _counted(draw, "conflicts", found, name="some conflicts", rank=93)
    yield from _interruptions(draw)
    yield from _edits(draw)
    if report.faults:
        faults = [(one, "") for one in report.faults]
        title = sentences.faults_title(report)
        forms = [draw("findings", title, faults[:most]) for most in (None, _NAMED, _FEW)]
        yield Part(name=f"some {title.lower()}", forms=_shrinking(forms), rank=80)
    if report.shortages:
        yield _counted(draw, "shortages", report.shortages, name="some shortages", rank=90)
    yield from _choices(draw)
    yield from _capacity(draw)
    yield from _functions(draw)
    yield from _steps(draw)
    yield from _folds(draw)


def _whole(text: str) -> Part:
    return Part(name="", forms=(text,), rank=100)


def _counted(draw: _Drawing, macro: str, found: Sequence[object], *, name: str, rank: int) -> Part:
    """All of them, or the first ones and how many more there are."""
    forms = [
        draw(macro, found[:most], _more(len(found) - most, "more", "more"))
        for most in (len(found), _NAMED, _FEW)
    ]
    return Part(name=name, forms=_shrinking(forms), rank=rank)


def _shrinking(forms: Sequence[str]) -> tuple[str, ...]:
    """Without those that are no shorter than the one before."""
    kept: list[str] = []
    for form in forms:
        if not kept or len(form) < len(kept[-1]):
            kept.append(form)
    return tuple(kept)


def _interruptions(draw: _Drawing) -> Iterator[Part]:
    report = draw.report
    if report.interruptions:
        shown: tuple[int, ...] = (len(report.interruptions), 100, _NAMED, _FEW)
        forms = [draw("downtime", report, one) for one in shown]
        yield Part(name="some gaps in service", forms=_shrinking(forms), rank=91)
    if report.retaken:
        forms = [draw("exposure", sentences.retaken(report, most)) for most in (None, _NAMED)]
        yield Part(name="some of the exposure", forms=_shrinking(forms), rank=90)
    if report.destroyed:
        shown = (len(report.destroyed), 100, _NAMED)
        forms = [draw("destroys", report, one) for one in shown]
        yield Part(name="some of what is destroyed", forms=_shrinking(forms), rank=92)


def _edits(draw: _Drawing) -> Iterator[Part]:
    found = sentences.edits(draw.report)
    if found:
        forms = [draw("edits", found, "")]
        for most, paths in ((_NAMED, _NAMED), (_FEW, _FEW)):
            more = _more(len(found) - most, "more function", "more functions")
            forms.append(draw("edits", sentences.edits(draw.report, paths)[:most], more))
        name = "some of what was changed outside"
        yield Part(name=name, forms=_shrinking(forms), rank=60)


def _choices(draw: _Drawing) -> Iterator[Part]:
    report = draw.report
    if report.alternatives:
        title = sentences.alternatives_title(report)
        said = [alternative(one) for one in report.alternatives]
        text = draw("choices", f"{title}, any one of these; each was planned and proved", said)
        yield Part(name="what else could be done", forms=(text, ""), rank=40)
    if report.strategies:
        text = draw("choices", "Strategies", [strategy(one) for one in report.strategies])
        yield Part(name="the strategies", forms=(text, ""), rank=30)


def _capacity(draw: _Drawing) -> Iterator[Part]:
    if not draw.report.rows:
        return
    head, cells = sentences.capacity_table(draw.report)
    tight = [one for one in cells if one[-1] != "fits"]
    rest = _more(len(cells) - len(tight), "resource that fits", "resources that fit")
    few = [one for one in cells if one in tight[:_NAMED]] or cells[:_NAMED]
    least = _more(len(cells) - len(few), "more resource", "more resources")
    forms = [draw("capacity", head, cells, "")]
    forms += [draw("capacity", head, tight, rest)] if tight else []
    forms.append(draw("capacity", head, few, least))
    yield Part(name="rows of the capacity table", forms=_shrinking(forms), rank=90)


def _functions(draw: _Drawing) -> Iterator[Part]:
    """First some differences go, then all of them, then the names."""
    entries = draw.report.functions
    if not entries:
        return
    unchanged = len(draw.report.unchanged)
    quiet = f"; {counted(unchanged, 'function')} unchanged" if unchanged else ""
    title = f"{counted(len(entries), 'function')} with changes{quiet}"
    counts = [len(entries) * level // _LEVELS for level in range(_LEVELS, -1, -1)]
    folds = [(_change_title(entry), _diff(entry)) for entry in entries]
    lines = [_change_line(entry.change) for entry in entries]
    forms = [
        draw("functions", title, folds[:count], lines[count:], "")
        for count in dict.fromkeys(counts)
    ]
    for count in dict.fromkeys(len(entries) * level // 4 for level in range(3, -1, -1)):
        more = _more(len(entries) - count, "more", "more")
        forms.append(draw("functions", title, (), lines[:count], more))
    name = "what differs in some functions"
    yield Part(name=name, forms=_shrinking(forms), rank=50)


def _steps(draw: _Drawing) -> Iterator[Part]:
    report = draw.report
    if not report.steps:
        return
    expected = lasting(report.expected_seconds)
    title = f"{counted(len(report.steps), 'step')}, about {expected}"
    chain = f"{expected}: {sentences.chain(report)}"
    forms = [draw("steps", report, title, Markup(chain), told) for told in (True, False)]
    yield Part(name="the steps", forms=_shrinking((*forms, "")), rank=20)
    edges = sum(len(entry.waits) for entry in report.steps)
    drawn = "" if len(report.steps) >= MOST_DRAWN else render_graph(report, GraphForm.MERMAID)
    if drawn and edges <= _MOST_EDGES and len(drawn) <= _MOST_SIGNS:
        block = markdown_text.fenced(drawn.split("\n"), "mermaid")
        yield Part(name="the graph of the steps", forms=(draw("graph", block), ""), rank=0)


def _folds(draw: _Drawing) -> Iterator[Part]:
    report = draw.report
    if traffic := sentences.traffic_of(report):
        yield Part(name="the traffic", forms=(draw("traffic", traffic), ""), rank=10)
    if demand := sentences.demand_of(report):
        yield Part(name="GPU-hours", forms=(draw("demand", demand), ""), rank=5)
    for title, found in sentences.doubts(report):
        shown = sentences.alike(found)
        head = f"{title}: {len(shown)}"
        forms = [draw("findings_fold", head, shown), draw("findings_fold", head, shown[:_NAMED])]
        name = f"some of what is said under {title!r}"
        yield Part(name=name, forms=_shrinking((*forms, "")), rank=45)
    if report.readings:
        text = draw("readings", report.readings)
        yield Part(name="the readings", forms=(text, ""), rank=4)


def _more(number: int, one: str, several: str) -> str:
    return "" if number <= 0 else f"{number} {one if number == 1 else several}"


def _change_title(entry: FunctionEntry) -> Markup:
    """Stands where Markdown is not read: within HTML."""
    name = markdown_text.html_code(f"function.{function_key(entry.change.address)}")
    words = markdown_text.html_prose(fate(entry.change))
    return Markup("<b>{}</b> {} {}").format(symbol_of(entry.change), name, words)


def _change_line(change: Change) -> Markup:
    named = markdown_text.code(change.address)
    words = markdown_text.prose(fate(change))
    return Markup(f"{markdown_text.code(symbol_of(change))} {named} {words}")


def _diff(entry: FunctionEntry) -> Markup:
    """Forges colour lines by their first sign, and know `!` for what is changed."""
    lines = draw_body(entry, Ink(False))
    return markdown_text.fenced([_signed(line) for line in lines], "diff")


def _signed(line: str) -> str:
    indent, text = line[: len(line) - len(line.lstrip())], line.lstrip()
    if text[:2] in ("+ ", "- ", "~ "):
        return f"{text[0].replace('~', '!')} {indent}{text[2:]}"
    return line if line.startswith("  ") else f"  {line}"
