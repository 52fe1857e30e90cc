"""One step as one mutating request: the `StepPerformer` port over HTTP.

What a request needs is read before it is sent; if that fails, the step is refused and nothing
has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.nvcf import reads, requests
from nvcfplan.adapters.nvcf.exchange import bound_version, request_for, result_of
from nvcfplan.adapters.nvcf.raw import RawAnswer
from nvcfplan.adapters.nvcf.updating import ways_to_update
from nvcfplan.applying import Failure, FailureClass, Refused, StepPerformer, failure_of_error
from nvcfplan.errors import RemoteError
from nvcfplan.model import FunctionId, SecretOrigin, VersionId
from nvcfplan.plans import (
    CreateFunction,
    CreateVersion,
    SetSecrets,
    UpdateDeployment,
    UpdateMetadata,
)
from nvcfplan.wire.deployments import OneDeployment
from nvcfplan.wire.functions import OneFunction

if TYPE_CHECKING:
    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.applying import Call, Done, SecretSource, Unanswered
    from nvcfplan.model import SecretReference
    from nvcfplan.wire.functions import FunctionAnswer

_MISSING_ROUTE: Final = frozenset({404, 405, 501})


class _Unresolved(Exception):
    """Carries why a step cannot be sent."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class NvcfPerformer(StepPerformer):
    def __init__(self, client: Client, secrets: SecretSource) -> None:
        self._client = client
        self._secrets = secrets

    async def perform(self, call: Call) -> Done | Refused | Unanswered:
        """Sends one mutating request at most; a PATCH that the service does not have is none."""
        try:
            if isinstance(call.task, UpdateDeployment):
                return await self._update(call, call.task)
            values = await self._values(call)
            tags = await self._tags(call)
        except RemoteError as error:
            return Refused(call.id, failure_of_error(error))
        except _Unresolved as unresolved:
            return Refused(call.id, unresolved.failure)
        request = request_for(call, values, tags)
        redaction = self._client.redaction.also(*values.values(), *_literal_secrets(call))
        return result_of(call, request, await self._client.send(request), redaction)

    async def _update(self, call: Call, task: UpdateDeployment) -> Done | Refused | Unanswered:
        bound = bound_version(call)
        answer = await self._client.read(reads.get_deployment(*bound), OneDeployment)
        ways = ways_to_update(task, answer.deployment, bound)
        if isinstance(ways, Failure):
            return Refused(call.id, ways)
        request = ways.first
        outcome = await self._client.send(request)
        is_missing = isinstance(outcome, RawAnswer) and outcome.status in _MISSING_ROUTE
        if is_missing and ways.where_missing is not None:
            request = ways.where_missing
            outcome = await self._client.send(request)
        return result_of(call, request, outcome, self._client.redaction)

    async def _tags(self, call: Call) -> tuple[str, ...]:
        if not isinstance(call.task, UpdateMetadata) or call.task.metadata.tags is None:
            return ()
        live = await self._read_version(*bound_version(call))
        return tuple(live.tags or ())

    async def _values(self, call: Call) -> dict[SecretReference, str]:
        """Raises: _Unresolved, naming every value that is missing; RemoteError."""
        values: dict[SecretReference, str] = {}
        missing: list[str] = []
        versions: dict[tuple[FunctionId, VersionId], FunctionAnswer] = {}
        for reference in _references(call):
            value = await self._value(call, reference, versions)
            if value is None:
                missing.append(_why_missing(reference))
            else:
                values[reference] = value
        if missing:
            kind = FailureClass.SECRET_UNAVAILABLE
            raise _Unresolved(Failure(kind=kind, message="; ".join(missing)))
        return values

    async def _value(
        self,
        call: Call,
        reference: SecretReference,
        versions: dict[tuple[FunctionId, VersionId], FunctionAnswer],
    ) -> str | None:
        if reference.origin is not SecretOrigin.LIVE:
            secret = self._secrets.resolve(reference)
            return None if secret is None else secret.reveal()
        if reference in _secret_references(call):
            return None  # the service lists the names of secrets, never their values
        place = _live_place(reference)
        if place is None:
            return None
        function, version, key = place
        if (function, version) not in versions:
            versions[function, version] = await self._read_version(function, version)
        found = versions[function, version].container_environment or ()
        return next((one.value for one in found if one.key == key), None)

    async def _read_version(self, function: FunctionId, version: VersionId) -> FunctionAnswer:
        request = reads.get_version(function, version)
        return (await self._client.read(request, OneFunction)).function


def _references(call: Call) -> tuple[SecretReference, ...]:
    match call.task:
        case CreateFunction(config=config) | CreateVersion(config=config):
            return (*requests.references_of(config), *_secret_references(call))
        case _:
            return _secret_references(call)


def _secret_references(call: Call) -> tuple[SecretReference, ...]:
    match call.task:
        case CreateFunction(secrets=secrets) | CreateVersion(secrets=secrets):
            return secrets
        case SetSecrets(secrets=secrets):
            return secrets
        case _:
            return ()


def _literal_secrets(call: Call) -> tuple[str, ...]:
    """Values that stand in the plan's memory: they too may come back in an explanation."""
    match call.task:
        case CreateFunction(config=config) | CreateVersion(config=config):
            return requests.revealed_secrets(config)
        case _:
            return ()


def _live_place(reference: SecretReference) -> tuple[FunctionId, VersionId, str] | None:
    parts = reference.locator.split("/", 2)
    if len(parts) != 3:
        return None
    return FunctionId(parts[0]), VersionId(parts[1]), parts[2]


def _why_missing(reference: SecretReference) -> str:
    name, locator = reference.name, reference.locator
    match reference.origin:
        case SecretOrigin.ENV:
            return f"{name}: the environment variable {locator} is not set"
        case SecretOrigin.FILE:
            return f"{name}: {locator} is not a readable file of at most 32 KiB of text"
        case SecretOrigin.STACK:
            return f"{name}: its value is no longer in the stack's files ({locator})"
        case SecretOrigin.LIVE:
            return (
                f"{name}: its value cannot be read back from the service ({locator}); "
                "state it in the stack file, by fromEnv or fromFile"
            )
