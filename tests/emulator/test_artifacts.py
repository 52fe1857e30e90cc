"""Images, charts and instance types that a function, or its kind, cannot be deployed with."""

from __future__ import annotations

import base64

import pytest

from nvcfplan.emulator.rules import (
    ArtifactCheck,
    GpuRule,
    InstanceTypeRule,
    RegistryRule,
    Usage,
)
from tests.emulator.account import (
    Account,
    Answer,
    Deployable,
    Json,
    chart,
    cluster,
    container,
    rows,
    spec,
    world,
)

FUNCTIONS = "/v2/nvcf/functions"
NGC = RegistryRule(hostname="nvcr.io", name="NGC", types=("CONTAINER",), has_credential=True)
CHART = "https://helm.example/charts/rerank-0.3.1.tgz"
GONE = "nvcr.io/acme/gone:1"


def throwing(**knobs: object) -> Account:
    given: dict[str, object] = {"registries": (NGC,), "missing_artifacts": (GONE,), **knobs}
    return Account.of(world(artifact_check=ArtifactCheck.THROW, **given))


def created(answer: Answer) -> Deployable:
    assert answer.status == 200, answer.body
    return Deployable(str(answer.function["id"]), str(answer.function["versionId"]))


@pytest.mark.parametrize(
    ("fields", "kind", "host"),
    [
        ({"containerImage": "harbor.example.com/a/b:1"}, "CONTAINER", "harbor.example.com"),
        (
            {"models": [{"name": "m", "version": "1", "uri": "https://models.example/m"}]},
            "MODEL",
            "models.example",
        ),
        (
            {"resources": [{"name": "r", "version": "1", "uri": "https://files.example/r"}]},
            "RESOURCE",
            "files.example",
        ),
    ],
)
def test_function_needs_a_credential_for_each_registry(fields: Json, kind: str, host: str) -> None:
    account = throwing()
    answer = account.call("POST", FUNCTIONS, container(**fields))
    assert answer.status == 400
    assert answer.detail == f"Missing {kind} registry credential for hostname '{host}'"
    assert account.get(FUNCTIONS).json == {"functions": []}


def test_chart_needs_a_credential_too() -> None:
    answer = throwing().call("POST", FUNCTIONS, chart())
    assert "Missing HELM registry credential for hostname 'helm.example'" in answer.detail


def test_credential_that_is_added_lets_the_function_pass() -> None:
    account = throwing(registries=())
    assert account.call("POST", FUNCTIONS, container()).status == 400
    value = base64.b64encode(b"$oauthtoken:nvapi-x").decode()
    secret = {"name": "ngc", "value": value}
    account.call(
        "POST",
        "/v2/nvcf/registry-credentials",
        {"registryHostname": "nvcr.io", "secret": secret, "artifactTypes": ["CONTAINER"]},
    )
    assert account.call("POST", FUNCTIONS, container()).status == 200


def test_missing_image_is_refused_for_functions_and_versions() -> None:
    account = throwing()
    made = account.create()
    for path in (FUNCTIONS, f"{FUNCTIONS}/{made.function}/versions"):
        answer = account.call("POST", path, container(containerImage=GONE))
        assert answer.status == 400
        assert f"Artifact '{GONE}' not found in CONTAINER registry" in answer.detail
        assert "Account 'nca-demo-0001', Function id '" in answer.detail


def test_deployment_is_checked_again_after_names_and_before_room() -> None:
    full = cluster(capacity=8)
    account = throwing(clusters=(full,), registries=())
    account.emulator.grab("lab-1", "H100", 8)
    value = base64.b64encode(b"$oauthtoken:nvapi-x").decode()
    added = account.call(
        "POST",
        "/v2/nvcf/registry-credentials",
        {
            "registryHostname": "nvcr.io",
            "secret": {"name": "ngc", "value": value},
            "artifactTypes": ["CONTAINER"],
        },
    )
    assert added.status == 200
    made = account.create()
    credential = added.json["registryCredential"]
    assert isinstance(credential, dict)
    answer = account.post(made, spec())
    assert "with capacity" in answer.detail
    in_use = account.call(
        "DELETE", f"/v2/nvcf/registry-credentials/{credential['registryCredentialId']}"
    )
    assert in_use.status == 400
    assert "Invalid InstanceType" in account.post(made, spec(instance_type="x")).detail


def test_log_only_tells_and_goes_on() -> None:
    account = Account.of(
        world(artifact_check=ArtifactCheck.LOG, registries=(NGC,), missing_artifacts=(GONE,))
    )
    made = account.create(containerImage=GONE)
    account.deploy(made, spec())
    told = [one.words for one in account.emulator.events() if one.kind == "artifact-unchecked"]
    assert len(told) == 2
    assert all(f"'{GONE}' not found" in one for one in told)


def test_nothing_is_looked_up_by_default() -> None:
    account = Account.of(world(missing_artifacts=(GONE,)))
    account.deploy(account.create(containerImage=GONE), spec())
    assert "artifact-unchecked" not in account.kinds()


class TestChart:
    TEXT = "Helm chart validation error(s) from NVCF ReVal service: image is not set"

    def test_chart_that_does_not_render_is_refused_at_deployment(self) -> None:
        account = Account.of(world(refused_charts=((CHART, self.TEXT),)))
        made = created(account.call("POST", FUNCTIONS, chart()))
        answer = account.post(made, spec())
        assert answer.status == 400
        assert answer.detail == self.TEXT
        assert account.status(made) == "INACTIVE"
        other = chart(helmChart="https://helm.example/charts/rerank-0.4.0.tgz")
        account.deploy(created(account.call("POST", FUNCTIONS, other)), spec())

    def test_names_of_all_specifications_come_before_the_chart(self) -> None:
        account = Account.of(world(refused_charts=((CHART, self.TEXT),)))
        made = created(account.call("POST", FUNCTIONS, chart()))
        answer = account.post(made, spec(), spec(instance_type="nonsense"))
        assert "Invalid InstanceType 'nonsense'" in answer.detail

    def test_policy_and_configuration_are_kept_as_sent(self) -> None:
        account = Account.of(world())
        made = created(account.call("POST", FUNCTIONS, chart()))
        policy: Json = {
            "name": "unrestricted",
            "extraKubernetesTypes": [{"group": "g", "version": "v1", "kind": "K"}],
        }
        fields: Json = {"helmValidationPolicy": policy, "configuration": {"a": None, "b": [{}]}}
        account.deploy(made, {**spec(), **fields})
        (shown,) = rows(account.get(made.deployment).deployment, "deploymentSpecifications")
        assert shown["helmValidationPolicy"] == policy
        assert shown["configuration"] == {"a": None, "b": [{}]}

    @pytest.mark.parametrize(
        ("policy", "field"),
        [
            ({}, "helmValidationPolicy.name"),
            ({"name": "Strict"}, "helmValidationPolicy.name"),
            ({"name": "Default", "extraKubernetesTypes": []}, "extraKubernetesTypes"),
            (
                {"name": "Default", "extraKubernetesTypes": [{"group": "g", "version": "v"}]},
                "helmValidationPolicy.extraKubernetesTypes.0.kind",
            ),
            (
                {
                    "name": "Default",
                    "extraKubernetesTypes": [{"group": " ", "version": "v", "kind": "k"}],
                },
                "extraKubernetesTypes",
            ),
        ],
    )
    def test_policy_out_of_bounds_is_refused(self, policy: Json, field: str) -> None:
        account = Account.of(world())
        made = created(account.call("POST", FUNCTIONS, chart()))
        answer = account.post(made, {**spec(), "helmValidationPolicy": policy})
        assert answer.status == 400
        assert f"{field}, rejected=[" in answer.detail


def test_empty_configuration_is_one_too_many_for_a_container() -> None:
    account = Account.of(world())
    answer = account.post(account.create(), {**spec(), "configuration": {}})
    assert (answer.status, "configuration field" in answer.detail) == (400, True)


class TestUsage:
    """An instance type may be for containers only, or for charts only."""

    @pytest.fixture
    def account(self) -> Account:
        types = tuple(
            InstanceTypeRule(name=f"T.{usage}", gpu_count=1, usage=usage) for usage in Usage
        )
        gpus = (
            GpuRule(name="H100", capacity=8, instance_types=types),
            GpuRule(name="L4", capacity=8, instance_types=types[1:2]),
        )
        return Account.of(world(cluster(gpus=gpus)))

    def test_containers_and_charts_see_their_own(self, account: Account) -> None:
        box = account.create()
        helm = created(account.call("POST", FUNCTIONS, chart()))
        taken = {
            (name, kind): account.post(made, spec(0, 1, instance_type=kind)).status
            for name, made in (("box", box), ("helm", helm))
            for kind in ("T.container", "T.helm")
        }
        assert taken == {
            ("box", "T.container"): 200,
            ("box", "T.helm"): 400,
            ("helm", "T.container"): 400,
            ("helm", "T.helm"): 200,
        }

    def test_the_api_lists_those_for_charts(self, account: Account) -> None:
        (group,) = rows(account.get("/v2/nvcf/clusterGroups").json, "clusterGroups")
        (gpu,) = rows(group, "gpus")
        assert [one["name"] for one in rows(gpu, "instanceTypes")] == ["T.any", "T.helm"]
