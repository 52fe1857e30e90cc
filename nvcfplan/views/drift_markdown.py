"""What has drifted, as Markdown for an issue or a summary: the same while it stands the same.

No time in it but since when a finding has stood, so that a look that finds nothing new writes
nothing. Under a forge's limit findings give way one by one, the mildest and oldest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from markupsafe import Markup

from nvcfplan.reports import LastRun, LookOutcome
from nvcfplan.views import drift_sentences as sentences
from nvcfplan.views import markdown_text
from nvcfplan.views.change_text import shown_value
from nvcfplan.views.fitting import Part, fitted
from nvcfplan.views.wording import counted, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.diagnostics import Severity
    from nvcfplan.model import Remembered
    from nvcfplan.reports import DriftReport, Finding, Standing

_LEVELS: Final = 16
_WIDE: Final = 200


def draw_drift(report: DriftReport, *, budget: int) -> str:
    """At most `budget` bytes of UTF-8. Verdict and counts are never missing."""

    def whole(texts: Sequence[str], cut: Sequence[str]) -> str:
        left_out = ", ".join(dict.fromkeys(cut))
        note = f"Left out for want of room: {left_out}; `nvcfplan drift` says all.\n"
        return "\n".join(filter(None, (*texts, note if left_out else "", _foot(report))))

    return fitted(list(_parts(report)), budget, whole)


def _parts(report: DriftReport) -> Iterator[Part]:
    """In the order of reading. Ranks say which gives way first."""
    yield _whole(f"{_verdict(report)}\n")
    if report.last_run is LastRun.OPEN:
        yield _whole(f"{markdown_text.prose(sentences.last_run(report))}\n")
    counting = [one for one in report.standing if one.counts]
    yield from _list("findings", "", [_standing(one) for one in counting], rank=50)
    unseen = [_unseen(one) for one in report.unseen]
    title = "Stood when they could be looked at last"
    yield from _list("findings that could not be looked at", title, unseen, rank=40)
    known = [_acknowledged(one) for one in report.acknowledged]
    yield from _list("acknowledged findings", "Acknowledged", known, rank=30)
    unread = report.drift.unread if report.drift else ()
    blind = [f"- {markdown_text.prose(sentences.unread(one))}\n" for one in unread]
    yield from _list("what was not checked", "Not checked", blind, rank=60)
    notes = [f"- {markdown_text.prose(one.summary)}\n" for one in report.notes]
    yield from _list("notes", "Notes", notes, rank=10)
    pending = report.drift.pending if report.drift else ()
    names = [f"- {markdown_text.code(one)}\n" for one in pending]
    yield from _list("what is not applied yet", "Not applied yet, and no drift", names, rank=5)


def _verdict(report: DriftReport) -> str:
    named = markdown_text.code(report.stack)
    match report.outcome:
        case LookOutcome.IN_STEP:
            return f"**No drift:** {named} is as it was left."
        case LookOutcome.NOT_CHECKED:
            return f"**No drift seen** of {named}, but not all could be looked at."
        case LookOutcome.SKIPPED:
            return f"Drift of {named} was not looked for: a run of it is under way."
        case LookOutcome.ACKNOWLEDGED:
            return f"**Nothing new:** all drift of {named} is acknowledged."
        case LookOutcome.DRIFTED:
            kinds = ", ".join(f"{number} {kind.value}" for kind, number in report.counts.items()
                              if number)  # fmt: skip
            number = sum(report.counts.values())
            return f"**Drift of {named}: {counted(number, 'finding')}** ({kinds})."
        case _:
            assert_never(report.outcome)


def _list(name: str, title: str, entries: Sequence[str], *, rank: int) -> Iterator[Part]:
    """First entries give way to their number, sixteenth by sixteenth."""
    if not entries:
        return
    head = f"**{title}**\n\n" if title else ""
    counts = [len(entries) * level // _LEVELS for level in range(_LEVELS, -1, -1)]
    forms = []
    for count in dict.fromkeys(counts):
        more = len(entries) - count
        rest = f"- and {more} more\n" if more else ""
        forms.append(head + "".join(entries[:count]) + rest)
    yield Part(name=f"some {name}", forms=tuple(forms), rank=rank)


def _whole(text: str) -> Part:
    return Part(name="", forms=(text,), rank=100)


def _standing(standing: Standing) -> str:
    """A fold for each: what, since when, both sides, why, how to mend it."""
    finding = standing.finding
    lines = [f"- since {moment(standing.first_seen)}"]
    lines += [f"- why: {markdown_text.prose(one)}" for one in finding.evidence]
    lines += [f"- fix: {markdown_text.prose(finding.remedy)}"]
    lines += [f"- fingerprint: {markdown_text.code(sentences.print_of(finding.fingerprint))}"]
    head = Markup("{} {}: {}").format(
        _severity(finding.severity),
        markdown_text.html_code(f"{finding.kind.value}/{finding.code}"),
        markdown_text.html_prose(finding.summary),
    )
    body = "\n".join((*_sides(finding), *lines))
    return f"<details><summary>{head}</summary>\n\n{body}\n\n</details>\n"


def _sides(finding: Finding) -> list[str]:
    """As a difference, or nothing where it has no sides."""
    if finding.before is None and finding.after is None:
        return []
    if finding.is_sensitive:
        return ["(sensitive value)", ""]
    lines = [
        f"{sign} {line}"
        for sign, side in (("-", finding.before), ("+", finding.after))
        if side is not None
        for line in shown_value(side, _WIDE).split("\n")
    ]
    return [str(markdown_text.fenced(lines, "diff")), ""]


def _severity(severity: Severity) -> Markup:
    return Markup("<b>{}</b>").format(severity.value)


def _unseen(remembered: Remembered) -> str:
    return f"- {markdown_text.prose(remembered.summary)}, since {moment(remembered.first_seen)}\n"


def _acknowledged(standing: Standing) -> str:
    known = standing.acknowledgement
    assert known is not None, standing
    said = markdown_text.prose(sentences.acknowledged(known))
    return f"- {markdown_text.prose(standing.finding.summary)}: {said}\n"


def _foot(report: DriftReport) -> str:
    if report.outcome is not LookOutcome.DRIFTED:
        return ""
    return (
        "`nvcfplan drift -fix` puts back what drifted. Known, and to be left for a while?"
        " `nvcfplan drift ack FINGERPRINT -why TEXT`\n"
    )
