"""What stands beside functions: secrets, sharing, telemetry, registry credentials, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ngcbase.errors import (
    BadRequestException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)

from tests.interop.test_life_cycle import create, h100

if TYPE_CHECKING:
    import ngcsdk


def test_secrets_are_replaced_and_rate_limits_come_and_go(client: ngcsdk.Client) -> None:
    functions = client.cloud_function.functions
    ids = create(client, secrets=["TOKEN:old"])
    functions.update_secrets(*ids, secrets=["TOKEN:new"])
    functions.update(*ids, rate_limit_pattern="100-S", rate_limit_sync_check=True)
    assert functions.info(*ids).function.rateLimit.rateLimit == "100-S"


def test_sharing_is_added_read_and_taken_away(client: ngcsdk.Client) -> None:
    ids = create(client)
    sharing = client.cloud_function.functions.authorizations
    for friend in ("nca-friend-0001", "nca-friend-0002"):
        sharing.add(*ids, nca_id=friend)
    assert sharing_of(client, ids) == ["nca-friend-0001", "nca-friend-0002"]
    with pytest.raises(ResourceAlreadyExistsException):
        sharing.add(*ids, nca_id="nca-friend-0002")
    sharing.remove(*ids, nca_id="nca-friend-0001")
    assert sharing_of(client, ids) == ["nca-friend-0002"]
    with pytest.raises(ResourceNotFoundException):
        sharing.remove(*ids, nca_id="nca-friend-0001")
    sharing.clear(*ids)
    assert sharing_of(client, ids) == []


def sharing_of(client: ngcsdk.Client, ids: tuple[str, str]) -> list[str]:
    answer = client.cloud_function.functions.authorizations.info(*ids)
    return sorted(one.ncaId for one in answer.function.get("authorizedParties") or [])


def test_telemetry_is_kept_while_a_function_names_it(client: ngcsdk.Client) -> None:
    telemetries = client.cloud_function.telemetry_endpoints
    made = telemetries.create(
        "logs", "https://logs.example.com", "HTTP", "GRAFANA_CLOUD", ["LOGS"], "k", instance="1"
    )
    id_ = made.telemetry.telemetryId
    assert [one.telemetryId for one in telemetries.list().telemetries] == [id_]
    ids = create(client, logs_telemetry_id=id_)
    with pytest.raises(BadRequestException):
        telemetries.delete(id_)
    client.cloud_function.functions.delete(*ids)
    telemetries.delete(id_)
    assert telemetries.list().telemetries == []


def test_registry_credential_is_made_renewed_and_deleted(client: ngcsdk.Client) -> None:
    credentials = client.cloud_function.registry_credentials
    made = credentials.create("hub", "docker.io", ["CONTAINER"], "secret", username="me")
    id_ = made.registryCredential.registryCredentialId
    with pytest.raises(ResourceAlreadyExistsException):
        credentials.create("hub", "docker.io", ["CONTAINER"], "secret", username="me")
    credentials.update(id_, "other", username="me")
    shown = credentials.info(id_).registryCredential
    assert (shown.registryHostname, shown.provisionedBy) == ("docker.io", "USER")
    credentials.delete(id_)
    assert id_ not in listed(client)


def listed(client: ngcsdk.Client) -> list[str]:
    answer = client.cloud_function.registry_credentials.list()
    return [one.registryCredentialId for one in answer.registryCredentials]


def test_logs_of_a_deployment_are_empty(client: ngcsdk.Client) -> None:
    ids = create(client)
    deployments = client.cloud_function.functions.deployments
    deployments.create(*ids, targeted_deployment_specifications=[h100(0)])
    assert list(deployments.query_logs(*ids)) == []
