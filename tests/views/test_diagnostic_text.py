from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.diagnostics import (
    Diagnostic,
    Position,
    Related,
    Severity,
    Span,
    Subject,
    Verdict,
)
from nvcfplan.documents import encode_failure, encode_validate_report
from nvcfplan.errors import LockHeld
from nvcfplan.model import function_address, specification_address
from nvcfplan.reports import validate_report
from nvcfplan.views.diagnostic_text import (
    render_diagnostics,
    render_failure,
    render_validate,
)
from nvcfplan.views.ink import WIDTH
from nvcfplan.views.neutralise import columns

if TYPE_CHECKING:
    from tests.documents.builders import Golden

PLACE = Span("stacks/chat.yaml", Position(41, 7, 912), Position(41, 22, 927))
QUOTA = Diagnostic(
    code="quota-gpu-exceeded",
    severity=Severity.ERROR,
    summary="the plan holds 12 H100 instances at its peak; the account may hold 10",
    detail="chat keeps its old version (4) deployed until the new one (8) is ACTIVE",
    remedy="lower maxInstances to 6, or accept a gap in service with `update.order: delete-first`",
    subject=Subject(specification_address("chat", "h100"), "maxInstances"),
    span=PLACE,
    verdict=Verdict.VIOLATION,
)
TWICE = Diagnostic(
    code="duplicate-key",
    severity=Severity.WARNING,
    summary="`chat` is defined twice",
    span=Span("stacks/b.yaml", Position(3, 3, 20), Position(3, 7, 24)),
    related=(
        Related(message="first defined here", span=PLACE),
        Related(message="used by", subject=Subject(function_address("rerank"))),
    ),
)
NOTE = Diagnostic(
    code="quota-not-checked",
    severity=Severity.NOTE,
    summary="quota not checked: 403",
    detail="GET /v2/nvcf/quotas\nthe scope is missing",
    subject=Subject(function_address("chat"), "deployment"),
)


def line_of(span: Span) -> str | None:
    return {41: "      maxInstances: 8", 3: "  chat:"}.get(span.start.line)


def drawn(line: str, start: int, end: int) -> list[str]:
    span = Span("f.yaml", Position(9, start), Position(9, end))
    text = render_diagnostics([replace(TWICE, span=span, related=())], lambda _: line, colour=False)
    return text.splitlines()[2:4]


def test_diagnostics_read_as_reviewed(golden: Golden) -> None:
    found = (NOTE, TWICE, QUOTA)
    golden("text/diagnostics.txt", render_diagnostics(found, line_of, colour=False))
    golden("text/diagnostics-colour.txt", render_diagnostics(found, line_of, colour=True))


def test_a_validation_in_json_is_as_reviewed(golden: Golden) -> None:
    report = validate_report((NOTE, TWICE, QUOTA), line_of, functions=3)
    golden("json/validate.json", encode_validate_report(report).decode().rstrip())


def test_a_good_validation_in_json_has_terraforms_keys() -> None:
    report = validate_report((), line_of, functions=1, stack="shop", environment="default")
    assert json.loads(encode_validate_report(report)) == {
        "format_version": "1.0",
        "stack": "shop",
        "environment": "default",
        "valid": True,
        "error_count": 0,
        "warning_count": 0,
        "diagnostics": [],
    }


def test_the_highlight_in_json_covers_the_marked_text() -> None:
    report = validate_report((QUOTA,), line_of)
    (found,) = json.loads(encode_validate_report(report))["diagnostics"]
    snippet = found["snippet"]
    start, end = snippet["highlight_start_offset"], snippet["highlight_end_offset"]
    assert snippet["code"][start:end] == "maxInstances: 8"


def test_carets_stand_under_what_is_marked() -> None:
    text, carets = drawn("      maxInstances: 8", 7, 22)
    assert text[carets.index("^") : carets.rindex("^") + 1] == "maxInstances: 8"


def test_carets_follow_tabs_and_wide_characters() -> None:
    text, carets = drawn("\t名前: chat", 6, 10)
    assert columns(text[: text.index("chat")]) == carets.index("^")
    assert carets.count("^") == 4


def test_an_empty_place_has_one_caret() -> None:
    _, carets = drawn("key:", 5, 5)
    assert carets.count("^") == 1
    assert carets.index("^") == len("    9 | key:")


def test_a_place_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    span = Span("f.yaml", Position(1, 1), Position(4, 2))
    text = render_diagnostics([replace(QUOTA, span=span)], lambda _: "a: [1,", colour=False)
    assert "      | ^^^^^^\n" in text


@pytest.mark.parametrize("start", [1, 200, 390])
def test_a_long_line_is_cut_around_what_is_marked(start: int) -> None:
    line = "x" * (start - 1) + "MARK" + "y" * (400 - start)
    text, carets = drawn(line, start, start + 4)
    assert len(text) <= WIDTH
    assert text[carets.index("^") : carets.rindex("^") + 1] == "MARK"


def test_a_marked_text_longer_than_the_line_is_cut() -> None:
    text, carets = drawn("z" * 500, 1, 501)
    assert len(text) <= WIDTH
    assert len(carets) <= WIDTH


def test_a_place_beyond_the_line_is_no_error() -> None:
    _, carets = drawn("ab", 50, 60)
    assert carets.endswith("^")


def test_foreign_characters_in_a_line_or_a_text_do_not_act() -> None:
    evil = replace(QUOTA, summary="a\x1b]0;t\x07b\u202ec\u200bd\nsecond", detail="\x9b31m")
    text = render_diagnostics([evil], lambda _: "  k: \x1b[2J", colour=False)
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "second" in text.splitlines()[0]


def test_why_and_fix_are_folded_and_words_stay_whole() -> None:
    text = render_diagnostics([QUOTA], line_of, colour=False)
    folded = text.splitlines()[4:]
    assert max(map(len, folded)) <= WIDTH
    assert "`update.order: delete-first`" in " ".join(" ".join(folded).split())


def test_errors_come_first_whatever_the_order_found() -> None:
    text = render_diagnostics((NOTE, TWICE, QUOTA), line_of, colour=False)
    assert [line.split("[")[0] for line in text.splitlines() if "]:" in line] == [
        "error",
        "warning",
        "note",
    ]


def test_the_verdict_of_a_validation_counts_errors_and_warnings() -> None:
    good = validate_report((TWICE, TWICE), line_of, functions=2)
    bad = validate_report((QUOTA,), line_of)
    assert render_validate(good, colour=False) == (
        "Success! The stack is valid: 2 functions, 2 warnings."
    )
    assert render_validate(bad, colour=False) == "Invalid. 1 error."


def test_a_failure_of_the_world_says_what_why_and_how_to_go_on(golden: Golden) -> None:
    error = LockHeld(
        "the state of inference@default is locked",
        holder="ci@runner-7",
        since="2026-03-02T09:30:00Z",
        epoch=4,
        remedy="wait for that run to end",
    )
    golden("text/failure.txt", render_failure(error, colour=False))
    found = json.loads(encode_failure(error, exit_code=6))
    assert (found["outcome"], found["exit_code"]) == ("error", 6)
    assert found["diagnostics"][0]["code"] == "locked"
