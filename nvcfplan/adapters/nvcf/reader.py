"""What is there and what may be used: the `LiveReader` port over HTTP."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.nvcf import reads
from nvcfplan.adapters.nvcf.account import AccountReader
from nvcfplan.adapters.nvcf.refusals import route_of
from nvcfplan.adapters.nvcf.sharing import live_sharing
from nvcfplan.adapters.nvcf.together import all_of, both_of
from nvcfplan.adapters.nvcf.translation import (
    is_foreign,
    live_deployment,
    live_functions,
    live_version_in_full,
)
from nvcfplan.applying import EVERYTHING, LiveReader
from nvcfplan.errors import AccountMismatch, RemoteError, RemoteGarbled, RemoteMissing
from nvcfplan.model import Secret
from nvcfplan.wire.authorizations import SharingAnswer
from nvcfplan.wire.capacity_view import DeploymentList
from nvcfplan.wire.deployments import OneDeployment
from nvcfplan.wire.functions import FunctionList, OneFunction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.adapters.nvcf.raw import RawRequest
    from nvcfplan.model import (
        Account,
        FunctionId,
        LiveDeployment,
        LiveFunction,
        LiveSharing,
        LiveVersion,
        Readable,
        VersionId,
    )

_log = logging.getLogger(__name__)
_NOT_OFFERED: Final = frozenset({403, 404, 405, 501})


class NvcfReader(LiveReader):
    """Learns the account's id from its own functions where it is not told it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._nca_id = client.target.nca_id
        self._looking_for_account = asyncio.Lock()
        self._readings = AccountReader(client, self._own_account)

    async def account(self, wanted: Collection[Readable] = EVERYTHING) -> Account:
        """Never fails as a whole: each reading that does is in `unread`, with what to do."""
        found = await self._readings.read(wanted)
        self._nca_id = self._nca_id or found.identity.nca_id
        return found

    async def functions(self) -> Sequence[LiveFunction]:
        """Raises: RemoteError; AccountMismatch, when they are not of the account we were told."""
        request = reads.list_functions()
        answer = await self._client.read(request, FunctionList)
        own = [one for one in answer.functions if not is_foreign(one)]
        self._learn_account({one.nca_id for one in own if one.nca_id})
        found = live_functions(own, route_of(request, self._client.target))
        self._learn_secrets(version for function in found for version in function.versions)
        return found

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        """One request for all where the layout has it, else one each.

        A version that the whole list does not show may still have a row that drains.
        """
        if not versions:
            return {}
        known = await self._org_deployments()
        wanted = sorted({one for one in versions if one[1] not in known})
        found = await all_of(self._deployment(*one) for one in wanted)
        rows = zip(wanted, found, strict=True)
        return {**known, **{version: row for (_, version), row in rows if row is not None}}

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        found, deployment = await both_of(
            self.details(function, version), self._deployment(function, version)
        )
        return None if found is None else replace(found, deployment=deployment)

    async def details(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        request = reads.get_version(function, version)
        body = await self._one_function(request)
        if body is None or is_foreign(body.function):
            return None
        found = live_version_in_full(body.function, route_of(request, self._client.target))
        self._learn_secrets((found,))
        return found

    async def sharing(self, function: FunctionId) -> LiveSharing | None:
        try:
            answer = await self._client.read(reads.function_parties(function), SharingAnswer)
        except RemoteMissing:
            return None
        return live_sharing(answer)

    async def _one_function(self, request: RawRequest) -> OneFunction | None:
        try:
            return await self._client.read(request, OneFunction)
        except RemoteMissing:
            return None

    async def _deployment(self, function: FunctionId, version: VersionId) -> LiveDeployment | None:
        request = reads.get_deployment(function, version)
        try:
            answer = await self._client.read(request, OneDeployment)
        except RemoteMissing:
            return None
        return self._shown(
            live_deployment(answer.deployment, route_of(request, self._client.target))
        )

    async def _org_deployments(self) -> Mapping[VersionId, LiveDeployment]:
        """Empty where nobody answers so: then each row is asked for, as on the service itself."""
        if not self._client.target.is_hosted:
            return {}
        request = reads.org_deployments()
        route = route_of(request, self._client.target)
        try:
            answer = await self._client.read(request, DeploymentList)
            rows = [live_deployment(one, route) for one in answer.deployments]
        except RemoteError as error:
            if not isinstance(error, RemoteGarbled) and error.status not in _NOT_OFFERED:
                raise
            _log.info("%s; reading each deployment by itself", error.summary)
            return {}
        return {one.version_id: self._shown(one) for one in rows}

    def _learn_secrets(self, versions: Iterable[LiveVersion]) -> None:
        self._client.known.learn(
            *(
                variable.value.reveal()
                for version in versions
                for variable in version.config.container_environment
                if isinstance(variable.value, Secret)
            )
        )

    def _shown(self, row: LiveDeployment) -> LiveDeployment:
        """What went wrong is told in the container's own words, and it may print what it is given.

        A text may be long and of several lines here: who shows it cuts it.
        """
        if not row.health:
            return row
        redaction = self._client.redaction
        notes = tuple(replace(one, error=redaction.apply(one.error)) for one in row.health)
        return replace(row, health=notes)

    async def _own_account(self) -> str | None:
        """One list of functions at most, and only where nobody told us. None: no own function."""
        async with self._looking_for_account:
            if self._nca_id is None:
                try:
                    await self.functions()
                except RemoteError:
                    return None
            return self._nca_id

    def _learn_account(self, seen: set[str]) -> None:
        if len(seen) != 1:
            return
        found = next(iter(seen))
        told = self._client.target.nca_id
        if told is not None and told != found:
            raise AccountMismatch(
                f"the functions belong to account {found}, not to {told}",
                detail=f"{self._client.target.root} answered with functions of another account "
                "than the one that was named",
                remedy="correct NVCF_NCA_ID, or use a key of that account",
            )
        self._nca_id = found
