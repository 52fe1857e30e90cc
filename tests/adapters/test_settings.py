"""Which service, as whom, and with which secret values: from options and what people export."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.settings.credentials import resolve_credential
from nvcfplan.adapters.settings.endpoints import resolve_endpoint
from nvcfplan.adapters.settings.secrets import MOST_BYTES, LocalSecrets
from nvcfplan.errors import SettingsError
from nvcfplan.model import Secret, SecretOrigin, SecretReference
from tests.adapters.fakes import CANARY

if TYPE_CHECKING:
    from pathlib import Path

NGC = "https://api.ngc.nvidia.com"


@pytest.mark.parametrize(
    ("explicit", "environment", "base_url", "source"),
    [
        ("https://a.test", {"NGC_ENDPOINT": NGC}, "https://a.test/v2/nvcf", "--endpoint"),
        (
            None,
            {"NGC_ENDPOINT": NGC, "NVCF_BASE_HTTP_URL": "https://b.test"},
            f"{NGC}/v2/nvcf",
            "NGC_ENDPOINT",
        ),
        (
            None,
            {"NVCF_BASE_HTTP_URL": "http://127.0.0.1:8080/"},
            "http://127.0.0.1:8080/v2/nvcf",
            "NVCF_BASE_HTTP_URL",
        ),
        (
            None,
            {"NGC_ENDPOINT": "", "NVCF_BASE_HTTP_URL": "https://b.test"},
            "https://b.test/v2/nvcf",
            "NVCF_BASE_HTTP_URL",
        ),
        ("https://a.test/v2/nvcf/", {}, "https://a.test/v2/nvcf", "--endpoint"),
    ],
)
def test_the_first_endpoint_named_is_the_one_used(
    explicit: str | None, environment: dict[str, str], base_url: str, source: str
) -> None:
    found = resolve_endpoint(explicit, environment)
    assert (found.base_url, found.source) == (base_url, source)


@pytest.mark.parametrize(
    ("address", "environment", "path", "org"),
    [
        (NGC, {"NGC_ORG": "acme"}, "/v2/orgs/acme/nvcf", "acme"),
        (NGC, {"NGC_CLI_ORG": "acme"}, "/v2/orgs/acme/nvcf", "acme"),
        (NGC, {"NGC_ORG": "one", "NGC_CLI_ORG": "two"}, "/v2/orgs/one/nvcf", "one"),
        ("https://api.stg.ngc.nvidia.com", {"NGC_ORG": "a"}, "/v2/orgs/a/nvcf", "a"),
        (NGC, {}, "/v2/nvcf", None),
        ("https://api.nvcf.nvidia.com", {"NGC_ORG": "acme"}, "/v2/nvcf", "acme"),
        ("https://evil-api.ngc.nvidia.com.test", {"NGC_ORG": "acme"}, "/v2/nvcf", "acme"),
    ],
)
def test_the_organisation_stands_in_the_path_of_ngc_alone(
    address: str, environment: dict[str, str], path: str, org: str | None
) -> None:
    found = resolve_endpoint(address, environment)
    assert (found.base_url, found.org) == (address + path, org)


def test_an_organisation_in_the_address_wins_over_the_variable() -> None:
    found = resolve_endpoint(f"{NGC}/v2/orgs/here/nvcf", {"NGC_ORG": "there"})
    assert (found.base_url, found.org) == (f"{NGC}/v2/orgs/here/nvcf", "here")


def test_an_organisation_given_as_an_option_wins() -> None:
    found = resolve_endpoint(NGC, {"NGC_ORG": "acme"}, org="other")
    assert found.base_url == f"{NGC}/v2/orgs/other/nvcf"


def test_a_team_is_accepted_left_out_and_warned_about() -> None:
    by_variable = resolve_endpoint(NGC, {"NGC_ORG": "acme", "NGC_TEAM": "ml"})
    in_path = resolve_endpoint(f"{NGC}/v2/orgs/acme/teams/ml/nvcf", {})
    for found in (by_variable, in_path):
        assert found.base_url == f"{NGC}/v2/orgs/acme/nvcf"
        assert [one.code for one in found.warnings] == ["team-ignored"]
    assert resolve_endpoint(NGC, {"NGC_ORG": "acme"}).warnings == ()


def test_the_account_id_is_taken_over() -> None:
    assert resolve_endpoint(NGC, {"NVCF_NCA_ID": "nca-1"}).nca_id == "nca-1"
    assert resolve_endpoint(NGC, {}).nca_id is None


def test_no_endpoint_is_an_error_that_teaches() -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_endpoint(None, {"NGC_ORG": "acme", "NGC_API_KEY": CANARY})
    assert "NGC_ENDPOINT=https://api.ngc.nvidia.com" in caught.value.remedy
    assert "NVCF_BASE_HTTP_URL" in caught.value.remedy
    assert "--emulator" in caught.value.remedy


@pytest.mark.parametrize(
    "address",
    [
        "api.ngc.nvidia.com",
        "ftp://a.test",
        "https://",
        "https://a.test:99999",
        "https://a.test:port",
        "https://a.test/other/path",
        "https://a.test/?key=x",
        "https://a.test/#x",
        "https://[::1",
        "https://a.test/v2/orgs/a/b/nvcf",
    ],
)
def test_an_endpoint_that_cannot_be_one_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="NGC_ENDPOINT is not a usable endpoint"):
        resolve_endpoint(None, {"NGC_ENDPOINT": address})


def test_a_key_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_endpoint(f"https://user:{CANARY}@a.test", {})
    assert CANARY not in f"{caught.value}{caught.value.detail}{caught.value.remedy}"
    with pytest.raises(SettingsError) as caught:
        resolve_endpoint(f"https://a.test/?k={CANARY}", {})
    assert CANARY not in f"{caught.value}{caught.value.detail}{caught.value.remedy}"


@pytest.mark.parametrize("org", ["a/b", "..", "a b", "x?y", ""])
def test_an_organisation_that_would_bend_the_path_is_not_used(org: str) -> None:
    if org:
        with pytest.raises(SettingsError, match="organisation"):
            resolve_endpoint(NGC, {"NGC_ORG": org})
    else:
        assert resolve_endpoint(NGC, {"NGC_ORG": org}).org is None


ORDER = ("NVCF_TOKEN", "NGC_CLI_API_KEY", "NGC_API_KEY", "NVCF_API_KEY")


def test_keys_are_looked_for_in_the_order_of_nvidias_own_tools() -> None:
    environment = {name: f"key-{name}" for name in ORDER}
    for name in ORDER:
        found = resolve_credential(None, environment)
        assert (found.source, found.token.reveal()) == (name, f"key-{name}")
        environment[name] = " "
    with pytest.raises(SettingsError) as caught:
        resolve_credential(None, environment)
    assert all(name in caught.value.detail for name in ORDER)
    assert "NGC_API_KEY" in caught.value.remedy


def test_a_given_key_wins() -> None:
    assert resolve_credential("given", {"NVCF_TOKEN": "other"}).token.reveal() == "given"


@pytest.mark.parametrize("tail", ["\nX-Evil: 1", " more", "ü", "\0x"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_unshown(tail: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_credential(None, {"NGC_API_KEY": CANARY + tail})
    assert "NGC_API_KEY" in caught.value.summary
    assert CANARY not in f"{caught.value}{caught.value.detail}{caught.value.remedy}"


def test_a_credential_shows_itself_masked() -> None:
    found = resolve_credential(None, {"NGC_API_KEY": f" {CANARY}\n"})
    assert found.token.reveal() == CANARY
    assert CANARY not in repr(found)


def env(name: str) -> SecretReference:
    return SecretReference("S", SecretOrigin.ENV, name)


def file(name: str) -> SecretReference:
    return SecretReference("S", SecretOrigin.FILE, name)


def value_of(source: LocalSecrets, reference: SecretReference) -> str | None:
    found = source.resolve(reference)
    return None if found is None else found.reveal()


def test_a_secret_comes_from_a_variable() -> None:
    source = LocalSecrets({"A": "value", "EMPTY": ""})
    assert value_of(source, env("A")) == "value"
    assert value_of(source, env("B")) is None
    assert value_of(source, env("EMPTY")) is None


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"v", "v"),
        (b"v\n", "v"),
        (b"v\r\n", "v"),
        (b"v\n\n", "v\n"),
        (b" v ", " v "),
        (b"", None),
        (b"\n", None),
        (b"\xff", None),
        (b"x" * MOST_BYTES, "x" * MOST_BYTES),
        (b"x" * (MOST_BYTES + 1), None),
        (b"x" * 10_000_000, None),
    ],
)
def test_a_secret_comes_from_a_file_without_its_last_line_end(
    tmp_path: Path, content: bytes, value: str | None
) -> None:
    (tmp_path / "s").write_bytes(content)
    assert value_of(LocalSecrets({}, root=tmp_path), file("s")) == value
    assert value_of(LocalSecrets({}), file(str(tmp_path / "s"))) == value


def test_only_a_regular_file_holds_a_secret(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real").write_text("v")
    source = LocalSecrets({}, root=tmp_path)
    assert value_of(source, file("pipe")) is None
    assert value_of(source, file(".")) is None
    assert value_of(source, file("missing")) is None
    assert value_of(source, file("a\0b")) is None
    assert value_of(source, file("link")) == "v"


def test_a_sensitive_value_of_the_stack_is_found_by_its_place() -> None:
    reference = SecretReference("P", SecretOrigin.STACK, "chat/P")
    source = LocalSecrets({}, stack={"chat/P": Secret("v", reference)})
    assert value_of(source, reference) == "v"
    assert value_of(source, SecretReference("P", SecretOrigin.STACK, "other/P")) is None


def test_a_value_that_stays_in_the_account_is_not_found_here() -> None:
    reference = SecretReference("P", SecretOrigin.LIVE, "f/v/P")
    assert LocalSecrets({"P": "v"}).resolve(reference) is None
    assert LocalSecrets({"P": "v"}).fingerprint(reference, b"k") is None


def test_fingerprints_tell_equality_under_one_key_and_nothing_else() -> None:
    source = LocalSecrets({"A": CANARY, "B": CANARY, "C": "other"})
    prints = [source.fingerprint(env(name), b"key") for name in "ABC"]
    assert prints[0] == prints[1] != prints[2]
    assert source.fingerprint(env("A"), b"another") != prints[0]
    assert prints[0] is not None
    assert len(prints[0]) == 64
    assert CANARY not in f"{prints}{source!r}"
