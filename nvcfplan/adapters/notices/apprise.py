"""Passes notices on to whatever apprise knows: chats, mail, pagers. The library is optional.

Each address is a channel of its own, so that one that is down is not told for the others. Addresses
hold tokens: no more of one than its kind and its place in the list is ever shown.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from nvcfplan.errors import NoticeUndelivered, SettingsError
from nvcfplan.model import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apprise import NotifyBase, NotifyType

    from nvcfplan.reports import DriftReport, Notice

URLS: Final = "NVCFPLAN_APPRISE_URLS"
_SHORTEST_TOKEN: Final = 4
_LONGEST_REASON: Final = 300


class NoticeWords(Protocol):
    """Markdown, in which nothing foreign can act."""

    def title(self, notice: Notice) -> str: ...

    def body(self, notice: Notice) -> str: ...


class AppriseChannel:
    """`place`: of the address among all, from 1 on."""

    def __init__(self, url: Secret, words: NoticeWords, *, place: int) -> None:
        """Raises: SettingsError."""
        self._target = _target(url, place)
        self._url = url
        self._words = words
        kind = url.reveal().partition("://")[0].lower()
        self._name = f"apprise:{place}:{kind}"

    def __repr__(self) -> str:
        return f"AppriseChannel({self._name!r})"

    @property
    def name(self) -> str:
        return self._name

    async def tell(self, notice: Notice, report: DriftReport) -> None:
        """Raises: NoticeUndelivered."""
        del report
        if notice.is_quiet:
            return
        from apprise import Apprise, NotifyFormat

        sender = Apprise()
        sender.add(self._target)
        with _listening() as said:
            is_taken = await sender.async_notify(
                title=self._words.title(notice),
                body=self._words.body(notice),
                notify_type=_type_of(notice),
                body_format=NotifyFormat.MARKDOWN,
            )
        if not is_taken:
            raise NoticeUndelivered(
                f"{self._name} did not take the notice",
                detail=_harmless(" ".join(said), self._url),
                remedy=f"try this address of {URLS} with apprise itself",
            )


def apprise_channels(urls: Secret, words: NoticeWords) -> tuple[AppriseChannel, ...]:
    """`urls`: one or several, with blanks between. Raises: SettingsError."""
    return tuple(
        AppriseChannel(Secret(one, urls.reference), words, place=place)
        for place, one in enumerate(urls.reveal().split(), 1)
    )


def _target(url: Secret, place: int) -> NotifyBase:
    try:
        from apprise import Apprise
    except ModuleNotFoundError as error:
        raise SettingsError(
            "apprise is not installed: nothing can be passed on to it",
            detail=f"{URLS} is set, and `-apprise` given",
            remedy="install it with `pip install 'nvcfplan[notify]'`",
        ) from error
    with _listening():
        found = Apprise.instantiate(url.reveal())
    if found is None:
        raise SettingsError(
            f"address {place} in {URLS} is none that apprise knows",
            detail="several addresses stand with blanks between; blanks within one are %20",
            remedy="see github.com/caronc/apprise/wiki for how each is written",
        )
    return found


def _type_of(notice: Notice) -> NotifyType:
    from apprise import NotifyType

    if notice.is_clean:
        return NotifyType.SUCCESS
    is_grave = any(one.severity == "error" for one in notice.appeared)
    return NotifyType.FAILURE if is_grave else NotifyType.WARNING


def _harmless(reason: str, url: Secret) -> str:
    """One line, and nothing in it that stands in the address after its kind."""
    text = " ".join(reason.split())
    _, _, rest = url.reveal().partition("://")
    for token in sorted(re.split(r"[^A-Za-z0-9_.-]+", rest), key=len, reverse=True):
        if len(token) >= _SHORTEST_TOKEN:
            text = text.replace(token, "(sensitive value)")
    return text[:_LONGEST_REASON]


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What apprise says goes to its log alone, and may have addresses in it: to no log of ours."""
    logger, ear = logging.getLogger("apprise"), _Ear()
    below = logging.getLogger("urllib3")  # which logs paths
    propagate, level = logger.propagate, below.level
    logger.addHandler(ear)
    logger.propagate = False
    below.setLevel(logging.CRITICAL)
    try:
        yield ear.said
    finally:
        logger.removeHandler(ear)
        logger.propagate = propagate
        below.setLevel(level)
