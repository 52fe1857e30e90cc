"""A notice in words: what is new, what has gone, what still stands. For people, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.model import digest_of
from nvcfplan.views import markdown_text
from nvcfplan.views.markdown import encoded_name
from nvcfplan.views.wording import counted, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.model import Remembered
    from nvcfplan.reports import DriftReport, Notice

_NAMED: Final = 50
_DIGITS: Final = 8


def drift_marker(report: DriftReport) -> str:
    """The first line of an issue: stack, environment and account. Which account it is, it hides."""
    stack, _, environment = report.stack.partition("@")
    account = digest_of(report.account).removeprefix("sha256:")[:_DIGITS]
    return (
        f"<!-- nvcfplan:drift:stack={encoded_name(stack)};env={encoded_name(environment)};"
        f"account={account};v=1 -->"
    )


def drift_title(stack: str) -> str:
    """Of an issue, or a message. The same whether there is drift or not."""
    return f"Drift of {stack}"


def draw_notice(notice: Notice) -> str:
    """Without its title. Names the first 50 of what is new and of what has gone."""
    return "\n".join(_lines(notice)).strip() + "\n"


def notice_title(notice: Notice) -> str:
    scope = f"{notice.stack}@{notice.environment}"
    if notice.is_clean:
        return f"No more drift of {scope}"
    if notice.is_reminder:
        return f"Drift of {scope} still stands"
    return f"Drift of {scope} has changed" if not notice.is_first else f"Drift of {scope}"


def _lines(notice: Notice) -> Iterator[str]:
    counting = [one for one in notice.standing if one.counts]
    if notice.is_clean:
        yield "**No more drift:** nothing stands that is not acknowledged."
    elif notice.is_reminder:
        oldest = min((one.first_seen for one in counting), default=notice.at)
        yield f"**Still {counted(len(counting), 'finding')}**, the oldest since {moment(oldest)}."
    if notice.appeared:
        yield from _part("New", notice.appeared)
    if notice.cleared:
        yield from _part("Gone", notice.cleared)
    others = len(counting) - len(notice.appeared)
    if others > 0 and not (notice.is_clean or notice.is_reminder):
        yield f"\n{counted(others, 'more finding')} stood before."


def _part(title: str, news: Sequence[Remembered]) -> Iterator[str]:
    yield f"\n**{title}: {len(news)}**\n"
    for one in news[:_NAMED]:
        kind = markdown_text.code(f"{one.kind}/{one.code}")
        yield f"- {markdown_text.prose(one.severity)} {kind}: {markdown_text.prose(one.summary)}"
    if len(news) > _NAMED:
        yield f"- and {len(news) - _NAMED} more"
