"""The line that a comment carries for other requests: whole, or as if it were not there."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.documents import decode_claims, encode_claims
from nvcfplan.model import Digest, ResourceId
from nvcfplan.reports import Claim, Claims
from tests.budget import examples

DIGEST = Digest("sha256:" + "ab" * 32)
NETS = st.dictionaries(st.text(min_size=1, max_size=30), st.integers(1, 10**9), max_size=20)


def claims(nets: dict[str, int]) -> Claims:
    rows = tuple(Claim(resource=ResourceId(one), net=nets[one]) for one in sorted(nets))
    return Claims(stack="shop", environment="default", digest=DIGEST, claims=rows)


def line(content: bytes, *, digest: str = "", packed: bytes | None = None) -> str:
    told = digest or hashlib.sha256(content).hexdigest()
    body = base64.b64encode(zlib.compress(content) if packed is None else packed).decode()
    return f"<!-- nvcfplan-claims:v1:{told}:{body} -->"


@settings(max_examples=examples(500))
@given(nets=NETS, before=st.text(max_size=40))
def test_claims_read_back_from_a_comment_as_they_were(nets: dict[str, int], before: str) -> None:
    written = encode_claims(claims(nets))
    assert decode_claims(f"{before}\n{written}\n") == claims(nets)
    assert decode_claims(f"{before}\r\n{written}\r\n") == claims(nets)


def test_what_a_comment_carries_ends_no_comment_of_html_early() -> None:
    written = encode_claims(claims({"--> <b>": 5, "pool:x/H100": 7}))
    assert written.count("-->") == written.count("<!--") == 1
    assert "\n" not in written


def test_of_very_many_the_largest_are_kept() -> None:
    nets = {hashlib.sha256(str(number).encode()).hexdigest(): number for number in range(1, 3000)}
    written = encode_claims(claims(nets))
    assert len(written) <= 8_192
    found = decode_claims(written)
    assert found is not None
    least = min(one.net for one in found.claims)
    assert sorted(one.net for one in found.claims) == list(range(least, 3000))


def _stated(**changed: object) -> bytes:
    stated = {
        "stack": "shop",
        "environment": "default",
        "digest": DIGEST,
        "claims": [{"resource": "pool:x/H100", "net": 6}],
    }
    return json.dumps(stated | changed).encode()


def test_a_line_as_documented_reads() -> None:
    assert decode_claims(line(_stated())) == claims({"pool:x/H100": 6})


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "no line at all",
        "<!-- nvcfplan-claims:v1: -->",
        "<!-- nvcfplan-claims:v2:" + "0" * 64 + ":AAAA -->",
        line(_stated(), digest="0" * 64),
        line(b"[]"),
        line(b"\xff\xfe"),
        line(b"[" * 5_000),
        line(_stated(), packed=b"not packed"),
        line(_stated(), packed=zlib.compress(_stated())[:-3]),
        line(_stated(), packed=zlib.compress(_stated()) + b"more"),
        line(b" " * 1_000_000 + _stated()),
        line(_stated(stack="Not A Name")),
        line(_stated(environment="<script>")),
        line(_stated(more=1)),
        line(_stated(claims=[{"resource": "a", "net": 0}])),
        line(_stated(claims=[{"resource": "a", "net": -6}])),
        line(_stated(claims=[{"resource": "a", "net": 10**10}])),
        line(_stated(claims=[{"resource": "a", "net": 1.5}])),
        line(_stated(claims=[{"resource": "a", "net": 1}, {"resource": "a", "net": 2}])),
        line(_stated(claims=[{"resource": f"{n:04}", "net": 1} for n in range(2_000)])),
        "x" + line(_stated()),
        line(_stated()) + " x",
    ],
)
def test_whatever_is_off_is_as_if_it_were_not_there(comment: str) -> None:
    assert decode_claims(comment) is None


@settings(max_examples=examples(500))
@given(noise=st.binary(max_size=300))
def test_noise_never_breaks_the_reader(noise: bytes) -> None:
    assert decode_claims(line(b"", packed=noise)) is None
    assert decode_claims(line(noise)) is None
