"""Lists that a forge gives page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.forges.answers import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.adapters.forges.session import Answer, Asked, Session

_PAGE: Final = 100
_MOST_PAGES: Final = 100
MOST_ROWS: Final = _PAGE * _MOST_PAGES


async def read_pages(
    session: Session,
    asked: Asked,
    has_next: Callable[[Answer], bool],
    *,
    most: int = MOST_ROWS,
) -> list[tuple[dict[str, object], str]]:
    """Rows with the route they came by, as long as the forge says there are more, up to `most`.

    Raises: RemoteError.
    """
    found: list[tuple[dict[str, object], str]] = []
    for number in range(1, _MOST_PAGES + 1):
        numbered = (("per_page", str(min(_PAGE, most))), ("page", str(number)))
        answer = await session.ask(replace(asked, query=(*asked.query, *numbered)))
        found += [(one, asked.route) for one in listed(answer.value, asked.route)]
        if len(found) >= most or not has_next(answer):
            break
    return found[:most]
