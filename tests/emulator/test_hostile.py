"""Requests that no client in its right mind sends: refused, never an error of the emulator's."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.emulator.catalogue import ROUTES
from nvcfplan.emulator.layouts import templates
from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.rules import EmptyInventory
from tests.budget import examples
from tests.emulator.account import NOBODY, Account, Deployable, chart, spec, world
from tests.emulator.test_http import over_http

if TYPE_CHECKING:
    import httpx2

FUNCTIONS = "/v2/nvcf/functions"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"{} {}",
        b"\xff\xfe{\x00}\x00",
        b'{"name": "\xff"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 2}}',
        b"'a'",
        b'{"a": 1,}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_body_that_is_no_json_object_is_a_bad_request(body: bytes) -> None:
    account = Account.of(world())
    for method, path in (
        ("POST", FUNCTIONS),
        ("PUT", f"{FUNCTIONS}/{NOBODY}/versions/{NOBODY}"),
        ("POST", "/v2/orgs/demo/nvcf/functions"),
    ):
        answer = account.call(method, path, raw=body)
        assert (answer.status, answer.detail[:22]) == (400, "Failed to read request")


def test_body_nested_as_deep_as_allowed_comes_back_whole() -> None:
    nested: object = 1
    for _ in range(190):
        nested = {"a": nested}
    account = Account.of(world())
    made = account.call("POST", FUNCTIONS, chart()).function
    path = f"/v2/nvcf/deployments/functions/{made['id']}/versions/{made['versionId']}"
    body = {"deploymentSpecifications": [spec(configuration={"a": nested})]}
    answer = account.call("POST", path, body)
    assert answer.status == 200
    assert '{"a": ' * 190 in account.get(path).body.decode()


TEMPLATES = sorted({one for route in ROUTES for one in templates(route)})
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "X")
FIELDS = (
    "name", "inferenceUrl", "containerImage", "helmChart", "helmChartServiceName", "models",
    "secrets", "value", "tags", "deploymentSpecifications", "gpu", "instanceType",
    "minInstances", "maxInstances", "rateLimit", "telemetries", "authorizedParties",
    "authorizedParty", "ncaId", "endpoint", "provider", "types", "registryHostname", "secret",
    "artifactTypes", "parameters",
)  # fmt: skip
PARAMETERS = (
    "visibility", "includeSecrets", "graceful", "capacityValidation", "gpus", "regions",
    "instanceTypeUsage", "page", "instanceType", "artifactType",
)  # fmt: skip


def made() -> tuple[Account, Deployable]:
    """The same ids every time: they follow from the seed."""
    account = Account.of(world(empty_inventory=EmptyInventory.LIST))
    return account, account.create()


OURS = made()[1]
WORDS = st.text(max_size=8) | st.sampled_from(
    ["demo", "nca-demo-0001", OURS.function, OURS.version, NOBODY.upper(), "functions", "", ".."]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, -1, 10**400, 1e308, "H100", "LAB.H100_1x", "*"])
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
QUERIES = st.dictionaries(
    st.sampled_from(PARAMETERS),
    st.sampled_from(["true", "false", "private", "private,public", "DEFAULT"])
    | st.text(max_size=8),
    max_size=3,
)


@st.composite
def requests(draw: st.DrawFn) -> Incoming:
    parts = draw(st.sampled_from(TEMPLATES)).split("/")
    path = "/".join(draw(WORDS) if one.startswith("{") else one for one in parts)
    if draw(st.integers(0, 9)) == 0:
        path += draw(st.text(max_size=4))
    content = draw(st.binary(max_size=20) | VALUES.map(lambda one: json.dumps(one).encode()))
    right = [one.method for one in ROUTES if "/".join(parts) in templates(one)]
    return Incoming(
        method=draw(st.sampled_from([*METHODS, *right * len(METHODS)])),
        path=path,
        query=draw(QUERIES),
        authorization=draw(st.sampled_from([*["Bearer any"] * 9, "Basic x", "Bearer", None])),
        accept=draw(st.sampled_from(["application/json", "text/html", None])),
        media_type=draw(st.sampled_from([*["application/json"] * 5, "text/plain", None])),
        body=content,
    )


@given(asked=st.lists(requests(), min_size=1, max_size=6))
@settings(max_examples=examples(2000), deadline=None)
def test_no_request_is_an_error_of_the_emulators_own(asked: list[Incoming]) -> None:
    account, _ = made()
    for one in asked:
        reply = account.emulator.exchange(one).reply
        assert reply.status < 500, (one, reply)
        if "json" in reply.media_type and reply.body:
            json.loads(reply.body, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def spoken(client: httpx2.AsyncClient, request: bytes) -> bytes:
    """What a socket hears that says this, and then no more."""
    address = (client.base_url.host, client.base_url.port or 0)
    with socket.create_connection(address, timeout=10) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        heard = b""
        while chunk := wire.recv(65536):
            heard += chunk
    return heard


HEAD = b"POST /v2/nvcf/functions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer any\r\n"


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Content-Length: 99999999999\r\n\r\n{", b"413"),
        (b"Content-Length: 7000000\r\n\r\n" + b" " * 7_000_000, b"413"),
        (b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{", b"4"),
        (b"Content-Length: -1\r\n\r\n{}", b"400"),
        (b"Content-Length: x\r\n\r\n{}", b"400"),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"400"),
        (b"Content-Length: 1\r\n\r\n{}", b"400"),
        (b"\x00: x\r\n\r\n", b"400"),
    ],
    ids=lambda one: one[:40].decode("latin-1"),
)
def test_request_that_lies_about_its_body_is_refused(rest: bytes, status: bytes) -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        heard = await asyncio.to_thread(spoken, client, HEAD + rest)
        assert heard.startswith(b"HTTP/1.1 " + status), heard
        assert (await client.get(FUNCTIONS)).json() == {"functions": []}

    over_http(act)


def test_body_without_end_is_refused_while_it_comes() -> None:
    def upload(client: httpx2.AsyncClient) -> bytes:
        address = (client.base_url.host, client.base_url.port or 0)
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        with socket.create_connection(address, timeout=10) as wire:
            wire.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(8):
                wire.sendall(chunk)
            wire.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wire.recv(65536), b""))

    async def act(client: httpx2.AsyncClient) -> None:
        heard = await asyncio.to_thread(upload, client)
        assert heard.startswith(b"HTTP/1.1 413")

    over_http(act)


def test_names_below_localhost_are_this_machine() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        for host, status in (
            ("api.localhost", 200),
            ("sis.localhost:8080", 200),
            ("API-KEYS.LOCALHOST", 200),
            ("api.localhost.evil.example", 403),
            ("evillocalhost", 403),
        ):
            answer = await client.get(FUNCTIONS, headers={"Host": host})
            assert answer.status_code == status

    over_http(act)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /v2/nvcf/%ff%fe", b"404"),
        (b"GET /v2/nvcf/functions/%00/versions", b"400"),
        (b"GET /v2/nvcf/functions%2Fids", b"200"),
        (b"GET /v2/nvcf/functions?visibility=%ff", b"400"),
        (b"GET /v2/nvcf/functions?visibility=public&visibility=private", b"200"),
        (b"GET /v2/nvcf/functions/", b"404"),
        (b"GET //v2/nvcf/functions", b"404"),
        (b"GET /v2/nvcf/" + b"x" * 50_000, b"404"),
        (b"GET /" + b"x" * 100_000, b"4"),
        (b"HEAD /v2/nvcf/functions", b"405"),
        (b"OPTIONS *", b"4"),
        (b"CONNECT localhost:80", b"4"),
        (b"BREW /v2/nvcf/functions", b"405"),
    ],
    ids=lambda one: one[:40].decode("latin-1"),
)
def test_request_line_out_of_the_ordinary_gets_its_answer(line: bytes, status: bytes) -> None:
    head = b"Host: localhost\r\nAuthorization: Bearer any\r\nConnection: close\r\n\r\n"

    async def act(client: httpx2.AsyncClient) -> None:
        heard = await asyncio.to_thread(spoken, client, line + b" HTTP/1.1\r\n" + head)
        assert heard.startswith(b"HTTP/1.1 " + status), heard[:200]

    over_http(act)


@pytest.mark.parametrize("host", [b"", b"Host: localhost\r\n"])
def test_older_clients_are_answered(host: bytes) -> None:
    head = b"GET /v2/nvcf/functions HTTP/1.0\r\n" + host + b"Authorization: Bearer any\r\n\r\n"

    async def act(client: httpx2.AsyncClient) -> None:
        heard = await asyncio.to_thread(spoken, client, head)
        assert heard.startswith(b"HTTP/1.1 200"), heard[:200]

    over_http(act)
