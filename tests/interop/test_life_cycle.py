"""From the inventory to an empty account, by the SDK's public methods alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ngcbase.errors import ResourceNotFoundException
from nvcf.api.deployment_spec import (
    DeploymentSpecification,
    TargetedDeploymentSpecification,
    get_available_gpus_from_cluster_groups,
)

if TYPE_CHECKING:
    import ngcsdk

    from tests.interop.served import Served

IMAGE = "docker.io/acme/chat:1"
"""Of a registry that the SDK does not ask first."""


def h100(least: int = 1, most: int = 2, **targets: list[str]) -> TargetedDeploymentSpecification:
    return TargetedDeploymentSpecification("H100", least, most, "NCP.GPU.H100_1x", **targets)


def l40s(least: int = 1, most: int = 2, **targets: list[str]) -> TargetedDeploymentSpecification:
    return TargetedDeploymentSpecification("L40S", least, most, "NCP.GPU.L40S_1x", **targets)


def create(client: ngcsdk.Client, name: str = "chat", **fields: object) -> tuple[str, str]:
    functions = client.cloud_function.functions
    made = functions.create(
        name=name, inference_url="/v1/chat", container_image=IMAGE, inference_port=8000, **fields
    )
    return str(made.function.id), str(made.function.versionId)


def becomes(client: ngcsdk.Client, emulator: Served, ids: tuple[str, str]) -> str:
    """Its status once it is DEPLOYING no more: asked each minute, for two hours."""
    for _ in range(120):
        found = client.cloud_function.functions.deployments.info(*ids)
        if found.deployment.functionStatus != "DEPLOYING":
            break
        emulator.tell("advance", seconds=60)
    return str(found.deployment.functionStatus)


def by_gpu(answer: object) -> dict[str, dict[str, object]]:
    assert isinstance(answer, dict)
    return {one["gpu"]: one for one in answer["deployment"]["deploymentSpecifications"]}


def test_gpus_are_listed_with_their_instance_types(client: ngcsdk.Client) -> None:
    gpus = client.cloud_function.gpus
    listed = gpus.list()
    assert sorted(listed) == ["H100", "L40S"]
    assert {one["instanceName"] for one in gpus.info("H100")["H100"]} == {
        "NCP.GPU.H100_1x",
        "NCP.GPU.H100_2x",
    }
    assert sorted(gpus.capacity(gpus=["L40S"])) == ["L40S"]
    quota = {one.name: one.clusters for one in gpus.quota().gpus}
    assert quota["H100"][0].limit == 8
    assert quota["L40S"] is None


def test_cluster_groups_are_what_the_sdk_makes_gpus_of(client: ngcsdk.Client) -> None:
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        answer = client.cloud_function.functions.deployments.list_cluster_groups()
    gpus = get_available_gpus_from_cluster_groups(answer.clusterGroups)
    found = {(one.backend, one.name): one.instances for one in gpus}
    assert found == {
        ("lab", "H100"): ["NCP.GPU.H100_1x", "NCP.GPU.H100_2x"],
        ("lab", "L40S"): ["NCP.GPU.L40S_1x"],
    }


def test_registered_clusters_are_a_list(client: ngcsdk.Client) -> None:
    listed = client.cloud_function.clusters.list()
    assert sorted(one["clusterName"] for one in listed) == ["lab-1", "lab-2"]


def test_function_and_version_are_created_listed_and_shown(client: ngcsdk.Client) -> None:
    functions = client.cloud_function.functions
    first = create(
        client,
        tags=["team-a"],
        container_environment_variables=["LOG_LEVEL:info"],
        secrets=["TOKEN:hidden"],
        health_uri="/health",
        description="a chat",
    )
    second = create(client, function_id=first[0])
    assert second[0] == first[0]
    assert {one.versionId for one in functions.list(first[0]).functions} == {first[1], second[1]}
    assert len(functions.list(name_pattern="ch*", access_filter=["private"]).functions) == 2
    assert functions.list(access_filter=["public"]).functions == []
    shown = functions.info(*first).function
    assert (shown.status, shown.tags, shown.description) == ("INACTIVE", ["team-a"], "a chat")
    assert shown.containerEnvironment == [{"key": "LOG_LEVEL", "value": "info"}]
    assert shown.health.uri == "/health"
    assert "secrets" not in shown


def test_two_specifications_become_active_are_scaled_and_go_gracefully(
    client: ngcsdk.Client, emulator: Served
) -> None:
    functions = client.cloud_function.functions
    deployments = functions.deployments
    ids = create(client)
    made = deployments.create(
        *ids, targeted_deployment_specifications=[h100(), l40s(regions=["us-east-1"])]
    )
    assert made.deployment.functionStatus == "DEPLOYING"
    assert becomes(client, emulator, ids) == "ACTIVE"

    assert [one.functionVersionId for one in deployments.list("ACTIVE").deployments] == [ids[1]]
    assert len(functions.info(*ids).function.activeInstances) == 2
    listed = functions.instances.list(*ids)
    assert len(listed["instances"]) == 2

    before = by_gpu(deployments.info(*ids))
    wanted = [
        {"H100": h100(1, 3), "L40S": l40s(0, 1)}[one["gpu"]]
        for one in deployments.info(*ids).deployment.deploymentSpecifications
    ]
    updated = by_gpu(deployments.update(*ids, targeted_deployment_specifications=wanted))
    assert (updated["H100"]["minInstances"], updated["H100"]["maxInstances"]) == (1, 3)
    assert (updated["L40S"]["minInstances"], updated["L40S"]["maxInstances"]) == (0, 1)
    assert updated["L40S"]["gpuSpecificationId"] == before["L40S"]["gpuSpecificationId"]

    gone = deployments.delete(*ids, graceful=True)
    assert gone["function"]["status"] == "INACTIVE"
    with pytest.raises(ResourceNotFoundException, match="Deployment not found"):
        deployments.info(*ids)
    functions.delete(*ids)
    assert functions.list().functions == []


def test_backend_of_the_older_specification_is_taken(
    client: ngcsdk.Client, emulator: Served
) -> None:
    ids = create(client)
    deployments = client.cloud_function.functions.deployments
    with pytest.warns(PendingDeprecationWarning):
        older = DeploymentSpecification("lab", "H100", 1, 1, "NCP.GPU.H100_1x")
    with pytest.warns(PendingDeprecationWarning):
        deployments.create(*ids, deployment_specifications=[older])
    assert becomes(client, emulator, ids) == "ACTIVE"
    assert by_gpu(deployments.info(*ids))["H100"]["backend"] == "lab"


def test_restart_deploys_the_same_specifications_again(
    client: ngcsdk.Client, emulator: Served
) -> None:
    """It sends back what it read, with all the service had added to it."""
    ids = create(client)
    deployments = client.cloud_function.functions.deployments
    deployments.create(*ids, targeted_deployment_specifications=[h100(), l40s()])
    becomes(client, emulator, ids)
    before = deployments.info(*ids).deployment
    deployments.restart(*ids)
    assert becomes(client, emulator, ids) == "ACTIVE"
    after = deployments.info(*ids).deployment
    assert after.deploymentId != before.deploymentId
    kept = ("gpu", "instanceType", "minInstances", "maxInstances")
    bounds = [
        sorted([one[name] for name in kept] for one in deployment.deploymentSpecifications)
        for deployment in (before, after)
    ]
    assert bounds[0] == bounds[1]
