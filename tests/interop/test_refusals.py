"""What the service refuses: which of its exceptions the SDK raises, and that it shows the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from ngcbase.errors import BadRequestException, NgcException, ResourceNotFoundException

from tests.interop.test_life_cycle import becomes, create, h100, l40s

if TYPE_CHECKING:
    import ngcsdk
    from nvcf.api.deployment_spec import TargetedDeploymentSpecification

    from tests.interop.served import Served


def refused(
    client: ngcsdk.Client, ids: tuple[str, str], *specifications: TargetedDeploymentSpecification
) -> str:
    """What the SDK shows of a 400; the version is as it was."""
    functions = client.cloud_function.functions
    with pytest.raises(BadRequestException) as caught:
        functions.deployments.create(*ids, targeted_deployment_specifications=[*specifications])
    assert caught.value.status_code == 400
    assert functions.info(*ids).function.status == "INACTIVE"
    return str(caught.value)


def test_unknown_gpu(client: ngcsdk.Client) -> None:
    other = h100()
    other.gpu = "H900"
    assert "Invalid GPU 'H900'" in refused(client, create(client), other)


def test_unknown_instance_type(client: ngcsdk.Client) -> None:
    other = h100()
    other.instance_type = "NCP.GPU.H900_1x"
    assert "Invalid InstanceType 'NCP.GPU.H900_1x'" in refused(client, create(client), other)


def test_unknown_region(client: ngcsdk.Client) -> None:
    text = refused(client, create(client), h100(regions=["eu-west-1"]))
    assert "no available clusters for" in text


def test_min_above_max_does_not_leave_the_sdk() -> None:
    with pytest.raises(NgcException, match="Max Instances must be more than or equal to"):
        h100(3, 2)


def test_min_above_max_that_did_leave_it_is_refused(client: ngcsdk.Client) -> None:
    """The SDK looks only when the specification is made."""
    changed = h100(3, 3)
    changed.max_instances = 2
    assert "Validation failed" in refused(client, create(client), changed)


def test_no_capacity_at_all(client: ngcsdk.Client, emulator: Served) -> None:
    emulator.tell("grab", cluster="lab-2", gpu="L40S", gpus=4)
    text = refused(client, create(client), l40s())
    assert "no available clusters with capacity" in text
    assert "reverting state to 'INACTIVE'" in text


def test_no_capacity_for_all_of_it_shows_as_an_error_later(
    client: ngcsdk.Client, emulator: Served
) -> None:
    emulator.tell("grab", cluster="lab-2", gpu="L40S", gpus=3)
    ids = create(client)
    deployments = client.cloud_function.functions.deployments
    deployments.create(*ids, targeted_deployment_specifications=[l40s(2, 2)])
    assert becomes(client, emulator, ids) == "ERROR"
    told = deployments.info(*ids).deployment.healthInfo
    assert "Capacity not available at this time" in told[0].error
    with pytest.raises(NgcException, match="already has a deployment"):
        deployments.create(*ids, targeted_deployment_specifications=[l40s()])
    deployments.delete(*ids)
    emulator.tell("give-back", cluster="lab-2", gpu="L40S", gpus=3)
    deployments.create(*ids, targeted_deployment_specifications=[l40s(2, 2)])
    assert becomes(client, emulator, ids) == "ACTIVE"


def test_quota_of_the_account(client: ngcsdk.Client) -> None:
    text = refused(client, create(client), h100(1, 9))
    assert "All allocated GPU instances in use" in text


def test_second_delete_of_deployment_and_version(client: ngcsdk.Client) -> None:
    functions = client.cloud_function.functions
    ids = create(client)
    functions.deployments.create(*ids, targeted_deployment_specifications=[h100(0)])
    functions.deployments.delete(*ids)
    with pytest.raises(ResourceNotFoundException, match="Deployment not found") as caught:
        functions.deployments.delete(*ids)
    assert caught.value.status_code == 404
    functions.delete(*ids)
    with pytest.raises(ResourceNotFoundException, match="Not found"):
        functions.delete(*ids)


def test_name_that_is_none(client: ngcsdk.Client) -> None:
    with pytest.raises(BadRequestException, match="Validation failed"):
        create(client, name="no spaces allowed")


def test_update_that_the_service_refuses(client: ngcsdk.Client) -> None:
    """In the status it has; how many specifications there are the SDK sees for itself."""
    ids = create(client)
    deployments = client.cloud_function.functions.deployments
    deployments.create(*ids, targeted_deployment_specifications=[h100(0)])
    with pytest.raises(NgcException, match="same amount of deployment specifications"):
        deployments.update(*ids, targeted_deployment_specifications=[h100(0), l40s(0)])
    changed = h100(2, 2)
    changed.max_instances = 1
    with pytest.raises(BadRequestException, match="Validation failed"):
        deployments.update(*ids, targeted_deployment_specifications=[changed])


def test_request_id_of_a_refusal_is_shown(client: ngcsdk.Client) -> None:
    other = h100()
    other.gpu = "H900"
    text = refused(client, create(client), other)
    assert re.search(r"Request Id: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ", text)
