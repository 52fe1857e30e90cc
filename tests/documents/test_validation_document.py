"""What `validate -json` printed, read again, whoever has had it in hand meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.diagnostics import Diagnostic, Position, Severity, Span
from nvcfplan.documents import decode_validate_report, encode_plan, encode_validate_report
from nvcfplan.errors import DocumentError
from nvcfplan.reports import ValidateReport, no_snippets, validate_report
from tests.documents import builders

if TYPE_CHECKING:
    from collections.abc import Callable

FAULT = Diagnostic(
    code="unknown-key",
    severity=Severity.ERROR,
    summary="unknown key `colour`",
    detail="the keys are others",
    remedy="remove it",
    span=Span("stacks/shop.yaml", Position(11, 5), Position(11, 11)),
)
DOUBT = Diagnostic(code="not-sure", severity=Severity.WARNING, summary="perhaps")


def report(*found: Diagnostic) -> ValidateReport:
    return validate_report(found, no_snippets, stack="shop", environment="prod")


@pytest.mark.parametrize("found", [(), (FAULT,), (DOUBT,), (FAULT, DOUBT, FAULT)])
def test_what_is_said_reads_back_as_it_was(found: tuple[Diagnostic, ...]) -> None:
    assert decode_validate_report(encode_validate_report(report(*found))) == report(*found)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"\xff", b'{"valid": 1}', encode_plan(builders.rolling())]
)
def test_another_document_is_not_taken_for_one(data: bytes) -> None:
    assert decode_validate_report(data) is None


def _first(document: dict[str, object]) -> dict[str, object]:
    found = document["diagnostics"]
    assert isinstance(found, list)
    first: dict[str, object] = found[0]
    return first


FORGERIES: dict[str, Callable[[dict[str, object]], object]] = {
    "another format": lambda one: one.update(format_version="9.0"),
    "no list": lambda one: one.update(diagnostics={}),
    "too many": lambda one: one.update(diagnostics=[_first(one)] * 10_001),
    "no object": lambda one: one.update(diagnostics=["x"]),
    "a stack without a name": lambda one: one.update(stack="--><b>"),
    "an environment without one": lambda one: one.update(environment=["x"]),
    "valid with errors": lambda one: one.update(valid=True),
    "no severity": lambda one: _first(one).update(severity="fatal"),
    "no text": lambda one: _first(one).update(summary=7),
    "no code": lambda one: _first(one).pop("code"),
    "no range": lambda one: _first(one).update(range=[]),
    "no line": lambda one: _first(one).update(range={"filename": "a", "start": {}, "end": {}}),
    "line zero": lambda one: _first(one).update(
        range={"filename": "a", "start": {"line": 0, "column": 1}, "end": {"line": 1, "column": 1}}
    ),
    "a line of truth": lambda one: _first(one).update(
        range={
            "filename": "a",
            "start": {"line": True, "column": 1},
            "end": {"line": 1, "column": 1},
        }
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_one_is_refused_and_never_a_crash(name: str) -> None:
    document = json.loads(encode_validate_report(report(FAULT)))
    FORGERIES[name](document)
    with pytest.raises(DocumentError):
        decode_validate_report(json.dumps(document).encode())


def test_counts_are_counted_and_not_believed() -> None:
    document = json.loads(encode_validate_report(report(FAULT, replace(FAULT, code="other"))))
    document["error_count"] = 77
    found = decode_validate_report(json.dumps(document).encode())
    assert found is not None
    assert found.errors == 2
