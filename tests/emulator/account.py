"""A short way to talk to an emulated account: literal paths and JSON, no client of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    Landing,
    WorldFile,
)
from nvcfplan.emulator.serving import Emulator

NOBODY = "00000000-0000-0000-0000-000000000000"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def json(self) -> Json:
        return cast("Json", json.loads(self.body))

    @property
    def detail(self) -> str:
        """Of a problem, a `requestStatus` or an allocator's error."""
        status = self.json.get("requestStatus")
        if isinstance(status, dict):
            return str(status["statusDescription"])
        return str(self.json["error" if "error" in self.json else "detail"])

    @property
    def rows(self) -> list[Json]:
        return cast("list[Json]", json.loads(self.body))

    @property
    def deployment(self) -> Json:
        return cast("Json", self.json["deployment"])

    @property
    def function(self) -> Json:
        return cast("Json", self.json["function"])


@dataclass(frozen=True, slots=True)
class Deployable:
    function: str
    version: str

    @property
    def path(self) -> str:
        return f"/v2/nvcf/functions/{self.function}/versions/{self.version}"

    @property
    def deployment(self) -> str:
        return f"/v2/nvcf/deployments/functions/{self.function}/versions/{self.version}"

    @property
    def secrets(self) -> str:
        return f"/v2/nvcf/secrets/functions/{self.function}/versions/{self.version}"


class Account:
    def __init__(self, emulator: Emulator, authorization: str | None = "Bearer any") -> None:
        self.emulator = emulator
        self.authorization = authorization

    @classmethod
    def of(cls, rules: WorldFile | None = None) -> Account:
        return cls(Emulator.open(None, rules))

    def by(self, token: str) -> Account:
        """The same account, used with this bearer token."""
        return Account(self.emulator, f"Bearer {token}")

    def call(
        self, method: str, path: str, body: object = None, *, raw: bytes | None = None
    ) -> Answer:
        path, _, query = path.partition("?")
        pairs = (part.split("=") for part in query.split("&") if part)
        incoming = Incoming(
            method=method,
            path=path,
            query={name: value for name, value in pairs},
            authorization=self.authorization,
            body=raw if raw is not None else b"" if body is None else json.dumps(body).encode(),
        )
        served = self.emulator.exchange(incoming)
        reply = served.reply
        return Answer(reply.status, reply.body, reply.media_type, reply.headers)

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def create(self, name: str = "chat", **fields: object) -> Deployable:
        answer = self.call("POST", "/v2/nvcf/functions", container(name, **fields))
        assert answer.status == 200, answer.body
        return _deployable(answer)

    def create_version(self, of: Deployable, name: str = "chat", **fields: object) -> Deployable:
        path = f"/v2/nvcf/functions/{of.function}/versions"
        answer = self.call("POST", path, container(name, **fields))
        assert answer.status == 200, answer.body
        return _deployable(answer)

    def post(self, target: Deployable, *specifications: Json) -> Answer:
        body = {"deploymentSpecifications": list(specifications)}
        return self.call("POST", target.deployment, body)

    def deploy(self, target: Deployable, *specifications: Json) -> Json:
        answer = self.post(target, *specifications)
        assert answer.status == 200, answer.body
        return answer.deployment

    def deployed(self, *specifications: Json, name: str = "chat") -> Deployable:
        """A new function that has become ACTIVE."""
        target = self.create(name)
        self.deploy(target, *specifications)
        self.emulator.advance(600)
        assert self.status(target) == "ACTIVE"
        return target

    def status(self, target: Deployable) -> object:
        return self.get(target.path).function["status"]

    def instances(self, target: Deployable) -> list[Json]:
        return cast("list[Json]", self.get(target.path).function.get("activeInstances", []))

    def locations(self, target: Deployable) -> list[str]:
        return sorted(str(one["location"]) for one in self.instances(target))

    def specification_ids(self, target: Deployable) -> dict[str, str]:
        """By instance type."""
        deployment = self.get(target.deployment).deployment
        found = rows(deployment, "deploymentSpecifications")
        return {str(one["instanceType"]): str(one["gpuSpecificationId"]) for one in found}

    def patch(self, target: Deployable, instance_type: str, **fields: object) -> Answer:
        deployment = self.get(target.deployment).deployment["deploymentId"]
        id_ = self.specification_ids(target)[instance_type]
        path = f"/v2/nvcf/deployments/{deployment}/gpu-specifications/{id_}"
        return self.call("PATCH", path, fields)

    def free(self, cluster: str = "lab-1", gpu: str = "H100") -> int:
        for one in self.get(f"/v1/si/accounts/{self.emulator.nca_id}/clusters").rows:
            if one["clusterName"] == cluster:
                usage = cast("dict[str, dict[str, int]]", one["gpuUsage"])
                return usage[gpu]["available"]
        raise AssertionError(f"no cluster {cluster}")

    def kinds(self) -> list[str]:
        return [one.kind for one in self.emulator.events()]


def rows(content: Json, key: str) -> list[Json]:
    return cast("list[Json]", content[key])


def _deployable(answer: Answer) -> Deployable:
    return Deployable(str(answer.function["id"]), str(answer.function["versionId"]))


def container(name: object = "chat", **fields: object) -> Json:
    return {
        "name": name,
        "inferenceUrl": "/v1/chat/completions",
        "containerImage": "nvcr.io/acme/chat:1",
        **fields,
    }


def chart(name: object = "rerank", **fields: object) -> Json:
    return {
        "name": name,
        "inferenceUrl": "/rank",
        "helmChart": "https://helm.example/charts/rerank-0.3.1.tgz",
        "helmChartServiceName": "rerank-svc",
        **fields,
    }


def spec(
    least: object = 1, most: object = 2, *, instance_type: object = "LAB.H100_1x", **fields: object
) -> Json:
    return {
        "gpu": "H100",
        "instanceType": instance_type,
        "minInstances": least,
        "maxInstances": most,
        **fields,
    }


def cluster(name: str = "lab-1", capacity: int = 8, **fields: object) -> ClusterRule:
    """Of the group `lab`, with H100 in instances of 1, 2 and 4."""
    types = tuple(
        InstanceTypeRule(name=f"LAB.H100_{count}x", gpu_count=count, is_default=count == 1)
        for count in (1, 2, 4)
    )
    given: dict[str, object] = {
        "name": name,
        "groups": ("lab",),
        "region": "us-west-2",
        "provider": "ON-PREM",
        "gpus": (GpuRule(name="H100", capacity=capacity, instance_types=types),),
        **fields,
    }
    return ClusterRule(**given)  # type: ignore[arg-type] # fields of the rule, by name


def world(*clusters: ClusterRule, **knobs: object) -> WorldFile:
    """One cluster of eight H100 unless others are named."""
    given: dict[str, object] = {
        "groups": (GroupRule(name="lab", nca_id="nca-demo-0001"),),
        "clusters": clusters or (cluster(),),
        "landing": Landing.FIRST,
        **knobs,
    }
    return WorldFile(**given)  # type: ignore[arg-type] # fields of the rules, by name
