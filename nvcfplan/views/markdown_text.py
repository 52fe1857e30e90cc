"""Foreign text made harmless in Markdown: as code, as prose in which what could act is code, as
a fenced block. A forge looks for mentions, references and addresses outside of code only.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN: Final = re.compile(
    r"""["'(]*(?:
        [A-Za-z]+(?:['-][A-Za-z]+)*      # words, hyphened ones too
        | [0-9]{1,6}(?:\.[0-9]{1,3})?    # numbers; a longer one could be a commit
        | [A-Za-z0-9]{1,6}               # names of GPUs
        | (?:[0-9]+[dhms])+              # durations
    )["')%.,;:!?]*""",
    re.VERBOSE,
)
_COMMIT: Final = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"[0-9]+[.)]")
_SIGNS: Final = frozenset({"+", "-", "=", ">", "<", "->"})
_CLOSING: Final = re.compile("[.,;:?)]+")
_QUOTED: Final = re.compile(r"`([^`]+)`")
_LINKED: Final = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9/._~%?&=#-]*)?")
_REFERENCE: Final = re.compile(r"[#!][0-9]{1,9}")


def code(text: str) -> Markup:
    """A code span that nothing inside it can end; an empty text as two quotes."""
    shown = _shown(text) or '""'
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return Markup(f"{fence}{pad}{shown}{pad}{fence}")


def prose(text: str) -> Markup:
    """One line. Plain words stay; what stood in backticks, and what could be more, is code."""
    return Markup("".join(code(one) if is_code else escape(one) for is_code, one in _pieces(text)))


def html_prose(text: str) -> Markup:
    """As `prose`, for where Markdown does not reach: within the `summary` of a fold."""
    pieces = (html_code(one) if is_code else escape(one) for is_code, one in _pieces(text))
    return Markup("").join(pieces)


def cell(text: str) -> Markup:
    """As `code`, within a row of a table."""
    return Markup(code(text).replace("|", "\\|"))


def html_code(text: str) -> Markup:
    """As `code`, for where Markdown does not reach."""
    return Markup("<code>{}</code>").format(escape(_shown(text) or '""'))


def fenced(lines: Sequence[str], language: str) -> Markup:
    """A block that none of its lines can end. Each begins with a blank or a sign of a diff."""
    shown = [_shown(line) for line in lines]
    fence = "`" * max(3, max(map(_longest_run, shown), default=0) + 1)
    body = "".join(f"{line}\n" for line in shown)
    return Markup(f"{fence}{language}\n{body}{fence}")


def link(text: str, url: str) -> Markup:
    """`url` becomes a link if it is plainly an address of the web, else `text` stands alone."""
    if not _LINKED.fullmatch(url):
        return prose(text)
    return Markup(f"[{prose(text)}](<{url}>)")


def reference(text: str) -> Markup:
    """To another request (`#123`, `!123`): a link of the forge's own making."""
    if _REFERENCE.fullmatch(text):
        return Markup(text)
    return code(text)


def _shown(text: str) -> str:
    """No comment of HTML: ours are what a comment is found by."""
    return safe(text).replace("<!--", "<\\u0021--")


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Each with whether it has to be code. Two of code never touch: their fences would be one."""
    pieces: list[tuple[bool, str]] = []
    for index, part in enumerate(_QUOTED.split(_shown(" ".join(text.split())))):
        pieces += [(True, part)] if index % 2 else _words(part, is_first=not pieces)
    for is_code, group in groupby(pieces, key=itemgetter(0)):
        yield is_code, "".join(piece for _, piece in group)


def _words(text: str, *, is_first: bool) -> Iterator[tuple[bool, str]]:
    """What surrounds a word stays outside of its code."""
    for word in filter(None, re.split("( )", text)):
        is_sign = not is_first and (word in _SIGNS or _CLOSING.fullmatch(word) is not None)
        is_numbered = is_first and _NUMBERED.match(word) is not None
        is_first = False
        if word == " " or is_sign or (_is_plain(word) and not is_numbered):
            yield False, word
            continue
        before, core, after = _split(word)
        yield from ((False, before),) if before else ()
        yield True, core
        yield from ((False, after),) if after else ()


def _split(word: str) -> tuple[str, str, str]:
    """`(`, what is between, `);`: never all of it before or after."""
    rest = word.lstrip("(")
    core = rest.rstrip(").,;:")
    if not core:
        return "", word, ""
    return word[: len(word) - len(rest)], core, rest[len(core) :]


def _is_plain(word: str) -> bool:
    return _PLAIN.fullmatch(word) is not None and not _COMMIT.search(word)
