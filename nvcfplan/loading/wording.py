"""Complaints of the schema in words: what, why, how to fix. Only harmless values are shown."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from nvcfplan.loading.findings import Finding
from nvcfplan.located import Path, ScalarNode
from nvcfplan.model import is_sensitive_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nvcfplan.loading.stackfile import Complaint
    from nvcfplan.located import Located

_WANTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "list_type": "a list",
    "model_type": "a mapping",
    "union_tag_invalid": "a text or a mapping",
}
_BOUNDS: Final = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}
_UNSHOWN: Final = frozenset({"configuration", "containerArgs", "containerEnvironment", "secrets"})
_LONGEST_SHOWN: Final = 60
_DURATIONS: Final = frozenset({"drainTimeout", "maxDowntime", "size", "threshold", "timeout"})


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The one that was probably meant, whatever its case."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    squeezed = word.lower().replace("_", "").replace("-", "")
    if squeezed in by_lower:
        return by_lower[squeezed]
    found = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else None


def findings_for(
    complaints: Collection[Complaint], document: Located, base: Path
) -> tuple[Finding, ...]:
    """`base` is put before each path. A key that was only misspelt is not also called missing."""
    misspelt = {
        (*one.path[:-1], nearest(str(one.path[-1]), one.allowed))
        for one in complaints
        if one.kind == "extra_forbidden"
    }
    return tuple(
        _finding(one, document, (*base, *one.path))
        for one in complaints
        if not (one.kind == "missing" and one.path in misspelt)
    )


def _finding(complaint: Complaint, document: Located, path: Path) -> Finding:
    if complaint.kind == "missing":
        return _missing(path)
    if complaint.kind == "extra_forbidden":
        return _unknown_key(complaint, path)
    if complaint.kind in _WANTED:
        return _wrong_type(complaint, document, path)
    if complaint.kind in _BOUNDS:
        summary = f"`{path[-1]}` must be {_BOUNDS[complaint.kind]} {complaint.limit}"
        return Finding(
            code="out-of-range", path=path, summary=f"{summary}{_shown(complaint, path)}",
            remedy="choose a value within the bounds",
        )  # fmt: skip
    if complaint.kind == "literal_error":
        return _unknown_value(complaint, path)
    if complaint.kind == "string_pattern_mismatch":
        return _malformed(complaint, path)
    return _wrong_size(complaint, path)


def _missing(path: Path) -> Finding:
    if path == ("apiVersion",):
        return Finding(
            code="missing-key", path=path, summary="`apiVersion` is missing",
            detail="it tells a stack file from any other YAML file",
            remedy="begin the file with `apiVersion: nvcfplan/v1`, or leave it out of the stack",
        )  # fmt: skip
    return Finding(
        code="missing-key",
        path=path,
        summary=f"`{path[-1]}` is missing",
        remedy=f"add `{path[-1]}`",
    )


def _unknown_key(complaint: Complaint, path: Path) -> Finding:
    key = str(path[-1])
    if complaint.is_reserved:
        return not_supported(path, key)
    meant = nearest(key, complaint.allowed)
    return Finding(
        code="unknown-key",
        path=path,
        summary=f"unknown key `{key}`" + (f"; did you mean `{meant}`?" if meant else ""),
        detail="" if meant else f"the keys here are {_listed(complaint.allowed)}",
        remedy=f"write `{meant}`" if meant else "remove it",
        at_key=True,
    )


def not_supported(path: Path, what: str) -> Finding:
    return Finding(
        code="not-supported-yet",
        path=path,
        summary=f"`{what}` is not supported yet",
        detail="nvcfplan does not act on it yet, so it refuses it rather than ignore it",
        remedy="remove it",
        at_key=True,
    )


def _wrong_type(complaint: Complaint, document: Located, path: Path) -> Finding:
    key = path[-1] if path else "the document"
    is_mapping_wanted = complaint.kind == "model_type"
    if len(path) == 4 and path[2] == "secrets" and is_mapping_wanted:
        return _secret_literal(path)
    if path == ("functions",) and complaint.found is None:
        return Finding(
            code="wrong-type", path=path, summary="`functions` is empty",
            detail="an empty stack deletes every function it ever managed, so it must be meant",
            remedy="write `functions: {}` if the stack is to be empty",
        )  # fmt: skip
    wanted = _WANTED[complaint.kind]
    return Finding(
        code="wrong-type",
        path=path,
        summary=f"`{key}` must be {wanted}, not {_kind(complaint.found)}",
        remedy=_type_remedy(complaint, document, path),
    )


def _secret_literal(path: Path) -> Finding:
    return Finding(
        code="secret-literal",
        path=path,
        summary=f"the secret `{path[-1]}` must be a reference, not a value",
        detail="what stands in a stack file ends in version control",
        remedy=f"write `{path[-1]}: {{ fromEnv: NAME }}` or `{{ fromFile: PATH }}`, and replace "
        "the secret if this file was ever committed",
        at_key=True,
    )


def _type_remedy(complaint: Complaint, document: Located, path: Path) -> str:
    node = document.node(path)
    is_plain = isinstance(node, ScalarNode) and node.is_plain and node.start < node.end
    if complaint.kind == "string_type" and path[-1] in _DURATIONS:
        return "write a duration such as `10s`"
    if complaint.kind == "string_type" and isinstance(node, ScalarNode) and is_plain:
        if _is_unshown(path) and (
            path[-2] != "containerEnvironment" or is_sensitive_key(str(path[-1]))
        ):
            return "quote it"
        return f'quote it: "{document.source.parsed[node.start : node.end]}"'
    if complaint.kind in ("int_type", "float_type", "bool_type") and not is_plain:
        return "write it without quotes"
    return f"give {_WANTED[complaint.kind]}"


def _unknown_value(complaint: Complaint, path: Path) -> Finding:
    found = complaint.found
    if path[-1] == "functionType" and found == "LLM":
        return not_supported(path, "functionType: LLM")
    meant = nearest(found, complaint.allowed) if isinstance(found, str) else None
    return Finding(
        code="unknown-value",
        path=path,
        summary=f"{_named(path)} cannot be that{_shown(complaint, path)}"
        + (f"; did you mean `{meant}`?" if meant else ""),
        remedy=f"write {_listed(complaint.allowed, 'or')}",
    )


def _malformed(complaint: Complaint, path: Path) -> Finding:
    if complaint.is_key:
        return Finding(
            code="malformed-name", path=path, summary=f"the name `{path[-1]}` is not allowed",
            remedy=f"use {complaint.limit}", at_key=True,
        )  # fmt: skip
    return Finding(
        code="malformed-value", path=path,
        summary=f"{_named(path)} is malformed{_shown(complaint, path)}",
        remedy=f"write {complaint.limit}",
    )  # fmt: skip


def _named(path: Path) -> str:
    return f"entry {path[-1]} of `{path[-2]}`" if isinstance(path[-1], int) else f"`{path[-1]}`"


def _wrong_size(complaint: Complaint, path: Path) -> Finding:
    found = complaint.found
    size = len(found) if isinstance(found, str | list | dict) else 0
    unit = "characters" if isinstance(found, str) else "entries"
    if complaint.kind in ("string_too_long", "too_long"):
        return Finding(
            code="too-long", path=path, remedy="shorten it",
            summary=f"`{path[-1]}` has {size} {unit}; at most {complaint.limit} are allowed",
        )  # fmt: skip
    remedy = "write at least one"
    if path[-1] == "specifications":
        remedy = "write at least one, or `deployment: null` if the function is to be undeployed"
    return Finding(code="empty-value", path=path, summary=f"`{path[-1]}` is empty", remedy=remedy)


def _shown(complaint: Complaint, path: Path) -> str:
    found = complaint.found
    if _is_unshown(path) or not isinstance(found, str | int | float):
        return ""
    text = str(found).lower() if isinstance(found, bool) else str(found)
    return f": `{text}`" if 0 < len(text) <= _LONGEST_SHOWN and "\n" not in text else ""


def _is_unshown(path: Path) -> bool:
    return any(
        step in _UNSHOWN or (isinstance(step, str) and is_sensitive_key(step)) for step in path
    )


def _kind(found: object) -> str:
    kinds: Iterator[tuple[type, str]] = iter(
        ((bool, "true or false"), (str, "a text"), (int, "a number"), (float, "a number"),
         (dict, "a mapping"), (list, "a list"))
    )  # fmt: skip
    return next((words for kind, words in kinds if isinstance(found, kind)), "empty")


def _listed(words: Collection[str], last: str = "and") -> str:
    quoted = [f"`{word}`" for word in sorted(words)]
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}" if len(quoted) > 1 else quoted[0]
