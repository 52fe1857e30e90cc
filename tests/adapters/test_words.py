"""Redaction: a secret that comes back, in whatever spelling, is not shown."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvcfplan.adapters.nvcf.words import KnownSecrets, Redaction
from tests.budget import examples

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda text: _in_json(text),
    "json, unescaped": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json in json": lambda text: _in_json(_in_json(text)),
    "url": lambda text: quote(text, safe=""),
    "query": quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 of more": lambda text: _fully(f"user:{text}\n", text),
    "base64 of a little more": lambda text: _fully(f"=={text}", text),
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
    "json by Go": lambda text: _in_json(text).replace("<", "\\u003c").replace("&", "\\u0026"),
    "json by PHP": lambda text: _in_json(text).replace("/", "\\/"),
    "html": html.escape,
    "a path": quote,
    "a query that escapes little": lambda text: quote(text, safe="/:?@!$&'()*+,;="),
}


def _fully(text: str, within: str) -> str:
    """In base64, what tells of `within` alone."""
    written = base64.b64encode(text.encode()).decode()
    before = len(text.partition(within)[0].encode())
    ends = before + len(within.encode())
    return written[-(-before * 8 // 6) : ends * 8 // 6]


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="()"), min_size=8, max_size=400
).filter(lambda text: text not in "(sensitive value)")
"""Whole characters only; a parenthesis would let the mask itself bring one back."""


@given(SECRETS, st.sampled_from(sorted(WRITERS)), st.text(), st.text())
@example("a.*[b\\d+$^", "raw", "", "")
@example("line one of it\nline two of it", "json in json", "{", "}")
@example('quote " and \\ and é', "json in json", "", "")
@settings(max_examples=examples(2000), deadline=None)
def test_no_spelling_of_a_secret_stays(secret: str, writer: str, before: str, after: str) -> None:
    written = WRITERS[writer](secret)
    shown = Redaction((secret,)).apply(f"{before}{written}{after}")
    assert "(sensitive value)" in shown
    assert secret not in shown.replace("(sensitive value)", "")
    assert written not in shown.replace("(sensitive value)", "")


@given(st.lists(SECRETS, min_size=1, max_size=5))
@settings(max_examples=examples(500), deadline=None)
def test_of_many_secrets_none_stays_though_one_is_within_another(secrets: list[str]) -> None:
    known = KnownSecrets()
    nested = [*secrets, secrets[0] + secrets[-1]]
    known.learn(*nested)
    shown = known.redaction.apply(" | ".join(nested))
    assert [one for one in nested if one in shown.replace("(sensitive value)", "")] == []


def test_each_line_of_a_long_value_is_a_secret_too() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----"
    redaction = Redaction((key,))
    assert redaction.apply("log: MIIEvQIBADANBgkqhkiG9w0") == "log: (sensitive value)"


@given(SECRETS, st.text(), st.data())
@settings(max_examples=examples(500), deadline=None)
def test_what_is_left_of_a_secret_where_a_text_was_cut_is_no_longer_than_a_word(
    secret: str, around: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(secret) - 1))
    redaction = Redaction((secret,))
    for shown in (redaction.apply(around + secret[:cut]), redaction.apply(secret[cut:] + around)):
        assert len(secret) < 12 or secret[:12] not in shown or secret[:12] in around
        assert len(secret) < 12 or secret[-12:] not in shown or secret[-12:] in around


@pytest.mark.parametrize("word", ["true", "1", "", "none"])
def test_a_word_is_not_learnt_for_every_text_would_be_mangled(word: str) -> None:
    known = KnownSecrets()
    known.learn(word)
    assert known.redaction.apply("true or none of 1") == "true or none of 1"


def test_what_is_known_is_not_shown_by_accident() -> None:
    known = KnownSecrets()
    known.learn("canary-0123456789")
    assert "canary" not in f"{known!r} {known.redaction!r}"
