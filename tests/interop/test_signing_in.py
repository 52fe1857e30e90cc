"""How the SDK gets to the account: its configuration, and what of it the emulator answers."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest
from ngcbase.errors import AuthenticationException, NgcException
from ngcsdk import APIClient, Client

from tests.interop.served import KEY, ORG, serve

if TYPE_CHECKING:
    from pathlib import Path


def test_org_of_a_key_is_asked_for() -> None:
    client = Client()
    client.configure(api_key=KEY)
    assert client.config.org_name == ORG


def test_another_org_than_that_of_the_key_is_refused() -> None:
    with pytest.raises(NgcException, match="doesn't match organization"):
        Client().configure(api_key=KEY, org_name="other")


def test_key_that_is_no_good_is_refused() -> None:
    with pytest.raises(AuthenticationException, match="Invalid SAK key"):
        Client().configure(api_key="nvapi-nobodys", org_name=ORG)


def test_older_key_is_exchanged_for_a_token() -> None:
    """One that is no scoped key: GET /token with basic authentication, then /v2/orgs."""
    client = Client()
    client.configure(api_key="older-interop-key", org_name=ORG)
    assert client.cloud_function.functions.list().functions == []


def test_http_address_given_to_the_client_itself_is_kept(tmp_path: Path) -> None:
    """With a JWT, of which the SDK asks nobody; `NGC_CLI_API_URL` it would turn into https."""
    plain = serve(tmp_path)
    try:
        client = APIClient(base_url=plain.url)
        client.config.app_key = _jwt()
        client.config.org_name = "demo"
        assert client.cloud_function.functions.list().functions == []
    finally:
        plain.stop()


def _jwt() -> str:
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": "interop", "exp": int(time.time()) + 3600})
    coded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts]
    return ".".join([*(one.rstrip("=") for one in coded), "c2ln"])
