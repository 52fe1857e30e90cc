"""How a case talks to the remote: a method, a literal path, JSON; the same on either way there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

Json = dict[str, object]

NOBODY = "00000000-0000-4000-8000-00000000dead"
ACCOUNT = "nca-demo-0001"
FUNCTIONS = "/v2/nvcf/functions"

_EXAMPLES = Path(__file__).parent / "examples"


def example(name: str) -> Json:
    """One of the payloads written with the contract, unchanged."""
    return cast("Json", json.loads((_EXAMPLES / name).read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`headers`: keyed in lower case. `media_type`: empty where nothing is said of the body."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def json(self) -> Json:
        return cast("Json", json.loads(self.content))

    @property
    def detail(self) -> str:
        return str(self.json["detail"])

    @property
    def elements(self) -> list[Json]:
        """Of an answer that is an array itself."""
        return cast("list[Json]", json.loads(self.content))

    def one(self, key: str) -> Json:
        return cast("Json", self.json[key])

    def rows(self, key: str) -> list[Json]:
        return cast("list[Json]", self.json[key])


Send = Callable[[str, str, Mapping[str, str], bytes], Answer]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a function, with the literal paths that name it."""

    function: str
    id: str

    @property
    def path(self) -> str:
        return f"{FUNCTIONS}/{self.function}/versions/{self.id}"

    @property
    def deployment(self) -> str:
        return f"/v2/nvcf/deployments/functions/{self.function}/versions/{self.id}"

    @property
    def secrets(self) -> str:
        return f"/v2/nvcf/secrets/functions/{self.function}/versions/{self.id}"

    @property
    def subject(self) -> str:
        """As the service's texts name it."""
        return f"Function id '{self.function}', version '{self.id}'"


@dataclass(frozen=True, slots=True)
class Remote:
    """`send`: method, path with query, headers, body."""

    send: Send
    headers: Mapping[str, str] = field(default_factory=lambda: {"Authorization": "Bearer key"})

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """`headers`: in place of the usual ones. `raw`: in place of JSON."""
        given = dict(self.headers if headers is None else headers)
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        if content:
            given["Content-Type"] = "application/json"
        return self.send(method, path, given, content)

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def good(self, method: str, path: str, body: object = None) -> Answer:
        answer = self.call(method, path, body)
        assert answer.status in (200, 204), (method, path, answer.status, answer.content)
        return answer

    def create(self, body: Json | None = None) -> Version:
        return _version(self.good("POST", FUNCTIONS, body or container()))

    def create_version(self, of: Version, body: Json | None = None) -> Version:
        path = f"{FUNCTIONS}/{of.function}/versions"
        return _version(self.good("POST", path, body or container()))

    def post(self, version: Version, *specifications: Json) -> Answer:
        return self.call("POST", version.deployment, deployment(*specifications))

    def deploy(self, version: Version, *specifications: Json) -> Json:
        answer = self.post(version, *specifications)
        assert answer.status == 200, answer.content
        return answer.one("deployment")

    def deployed(self, *specifications: Json, body: Json | None = None) -> Version:
        """A new version that has become ACTIVE."""
        version = self.create(body)
        self.deploy(version, *specifications)
        self.advance(600)
        assert self.status(version) == "ACTIVE"
        return version

    def status(self, version: Version) -> object:
        return self.good("GET", version.path).one("function")["status"]

    def deployment(self, version: Version) -> Json:
        return self.good("GET", version.deployment).one("deployment")

    def specifications(self, version: Version) -> list[Json]:
        return cast("list[Json]", self.deployment(version)["deploymentSpecifications"])

    def health(self, version: Version) -> list[Json]:
        """Empty where the answer has no healthInfo."""
        return cast("list[Json]", self.deployment(version).get("healthInfo", []))

    def instances(self, version: Version) -> list[Json]:
        function = self.good("GET", version.path).one("function")
        return cast("list[Json]", function.get("activeInstances", []))

    def specification_path(self, version: Version, instance_type: str) -> str:
        """Of the specification of this type, for PATCH."""
        answer = self.deployment(version)
        (id_,) = (
            one["gpuSpecificationId"]
            for one in cast("list[Json]", answer["deploymentSpecifications"])
            if one["instanceType"] == instance_type
        )
        return f"/v2/nvcf/deployments/{answer['deploymentId']}/gpu-specifications/{id_}"

    def free(self, cluster: str, gpu: str = "H100") -> int:
        """GPUs free in the allocator's eyes."""
        answer = self.good("GET", f"/v1/si/accounts/{ACCOUNT}/clusters")
        (usage,) = (
            cast("dict[str, dict[str, int]]", one["gpuUsage"])
            for one in answer.elements
            if one["clusterName"] == cluster
        )
        return usage[gpu]["available"]

    def advance(self, seconds: float) -> None:
        self.good("POST", "/emulator/advance", {"seconds": seconds})

    def emulate(self, act: str, **fields: object) -> None:
        """What other tenants, callers and troubles do: `grab`, `fault`, `queue` and the like."""
        self.good("POST", f"/emulator/{act}", fields)


def _version(answer: Answer) -> Version:
    function = answer.one("function")
    return Version(str(function["id"]), str(function["versionId"]))


def container(**fields: object) -> Json:
    return {
        "name": "chat",
        "inferenceUrl": "/v1/chat/completions",
        "containerImage": "nvcr.io/acme/chat:1",
        **fields,
    }


def chart(**fields: object) -> Json:
    return {
        "name": "rerank",
        "inferenceUrl": "/rank",
        "helmChart": "https://helm.ngc.nvidia.com/acme/charts/rerank-0.3.1.tgz",
        "helmChartServiceName": "rerank-svc",
        **fields,
    }


def h100(least: object = 1, most: object = 2, size: object = 1, **fields: object) -> Json:
    """A specification of the world `lab`: instances of `size` GPUs."""
    return {
        "gpu": "H100",
        "instanceType": f"LAB.H100_{size}x",
        "minInstances": least,
        "maxInstances": most,
        **fields,
    }


def deployment(*specifications: Json) -> Json:
    return {"deploymentSpecifications": list(specifications)}


def without(content: Json, *keys: str) -> Json:
    return {key: value for key, value in content.items() if key not in keys}


def problem(status: int, kind: str, title: str, detail: str, instance: str) -> Json:
    """The service's error body, whole."""
    return {
        "type": f"urn:nv-boot:problem-details:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
