"""What the YAML parser says, in words that say what to do; never quoting the text itself."""

from __future__ import annotations

from typing import Final, NamedTuple


class Words(NamedTuple):
    """`at_context`: the trouble began at the context's place, not where the parser gave up."""

    summary: str
    remedy: str
    at_context: bool = False


_TAB: Final = Words(
    "a tab is used for indentation", "indent with spaces: YAML does not accept tabs there"
)
_KNOWN: Final[tuple[tuple[str, str, Words], ...]] = (
    ("", "found a tab character that violates indentation", _TAB),
    ("", "found character '\\t' that cannot start any token", _TAB),
    (
        "quoted scalar",
        "found unexpected end of stream",
        Words("this quoted text is never closed", "close the quote", at_context=True),
    ),
    (
        "flow sequence",
        "did not find expected ',' or ']'",
        Words("expected `,` or `]` in this list", "close the list, or separate by commas"),
    ),
    (
        "flow mapping",
        "did not find expected ',' or '}'",
        Words("expected `,` or `}` in this mapping", "close the mapping, or separate by commas"),
    ),
    (
        "simple key",
        "could not find expected ':'",
        Words("expected `key: value` here", "write a colon and a space after the key", True),
    ),
    (
        "",
        "mapping values are not allowed",
        Words(
            "a `key: value` cannot stand here",
            "check the indentation; quote a text that contains a colon and a space",
        ),
    ),
    (
        "block mapping",
        "did not find expected key",
        Words("expected a key here", "check the indentation; quote a text with special characters"),
    ),
    (
        "block collection",
        "did not find expected '-' indicator",
        Words("expected `- ` here", "align the entries of the list"),
    ),
    (
        "",
        "found character that cannot start any token",
        Words("this character cannot begin a value", "quote the text"),
    ),
    (
        "",
        "did not find expected node content",
        Words("expected a value here", "write a value, or close what was opened"),
    ),
    (
        "",
        "block sequence entries are not allowed",
        Words("a `- ` entry cannot stand here", "put it on a line of its own, or write `[...]`"),
    ),
    (
        "",
        "did not find expected <document start>",
        Words("expected the end of the document here", "separate documents by `---`"),
    ),
    (
        "quoted scalar",
        "escape",
        Words("this escape sequence is not known", "double the backslash, or use single quotes"),
    ),
)


def words_for(context: str | None, problem: str | None) -> Words:
    """The parser's own words, which never hold text of the file, where none of ours fit."""
    for in_context, in_problem, words in _KNOWN:
        if in_context in (context or "") and in_problem in (problem or ""):
            return words
    parts = ", ".join(part for part in (context, problem) if part)
    return Words(f"this is not YAML: {parts or 'it does not parse'}", "correct the syntax")
