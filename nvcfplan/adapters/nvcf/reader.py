"""What is there and what may be used: the `LiveReader` port over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.adapters.nvcf import requests
from nvcfplan.adapters.nvcf.inventory import merged, quotas_of, twice_named
from nvcfplan.adapters.nvcf.refusals import route_of
from nvcfplan.adapters.nvcf.translation import (
    is_foreign,
    live_deployment,
    live_functions,
    live_version_in_full,
)
from nvcfplan.applying import LiveReader
from nvcfplan.errors import AccountMismatch, RemoteError, RemoteMissing
from nvcfplan.model import Account, AccountIdentity, Readable, Taken, Unread, VersionLimit
from nvcfplan.wire.accounts import (
    AccountAnswer,
    AllocatorClusterList,
    ClusterGroupList,
    QuotaRules,
)
from nvcfplan.wire.deployments import OneDeployment
from nvcfplan.wire.functions import FunctionList, OneFunction
from nvcfplan.wire.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence

    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.adapters.nvcf.raw import RawRequest
    from nvcfplan.model import FunctionId, LiveDeployment, LiveFunction, LiveVersion, VersionId

AnswerT = TypeVar("AnswerT", bound=Answer)
ResultT = TypeVar("ResultT")
FirstT = TypeVar("FirstT")
SecondT = TypeVar("SecondT")

_READING_ATTEMPTS = 3
"""A reading that fails is only "not checked": not worth a long wait on every plan."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """`body` None exactly when `note` is an `Unread`."""

    body: Answer | None
    note: Taken | Unread


class NvcfReader(LiveReader):
    """Learns the account's id from its own functions where it is not told it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._nca_id = client.target.nca_id
        self._looking_for_account = asyncio.Lock()

    async def account(self) -> Account:
        """Never fails as a whole: each reading that does is in `unread`, with what to do."""
        groups, clusters, limits, quotas = await _all(
            (
                self._reading(Readable.INVENTORY, requests.cluster_groups(), ClusterGroupList),
                self._clusters(),
                self._limits(),
                self._quotas(),
            )
        )
        if self._nca_id is None and isinstance(groups.body, ClusterGroupList):
            self._nca_id = _only_account_of(groups.body)
            if self._nca_id is not None:
                clusters, limits = await _all((self._clusters(), self._limits()))
        return self._account(groups, clusters, limits, quotas)

    async def functions(self) -> Sequence[LiveFunction]:
        """Raises: RemoteError; AccountMismatch, when they are not of the account we were told."""
        request = requests.list_functions()
        answer = await self._client.read(request, FunctionList)
        own = [one for one in answer.functions if not is_foreign(one)]
        self._learn_account({one.nca_id for one in own if one.nca_id})
        return live_functions(own, route_of(request, self._client.target))

    async def deployments(
        self, versions: Collection[tuple[FunctionId, VersionId]]
    ) -> Mapping[VersionId, LiveDeployment]:
        wanted = sorted(set(versions))
        found = await _all(self._deployment(*one) for one in wanted)
        rows = zip(wanted, found, strict=True)
        return {version: row for (_, version), row in rows if row is not None}

    async def version(self, function: FunctionId, version: VersionId) -> LiveVersion | None:
        request = requests.get_version(function, version)
        body, deployment = await _pair(
            self._one_function(request), self._deployment(function, version)
        )
        if body is None or is_foreign(body.function):
            return None
        route = route_of(request, self._client.target)
        return live_version_in_full(body.function, route, deployment)

    async def _one_function(self, request: RawRequest) -> OneFunction | None:
        try:
            return await self._client.read(request, OneFunction)
        except RemoteMissing:
            return None

    async def _deployment(self, function: FunctionId, version: VersionId) -> LiveDeployment | None:
        request = requests.get_deployment(function, version)
        try:
            answer = await self._client.read(request, OneDeployment)
        except RemoteMissing:
            return None
        return live_deployment(answer.deployment, route_of(request, self._client.target))

    async def _clusters(self) -> _Reading:
        nca_id = await self._own_account()
        if nca_id is None:
            return _unknown_account(Readable.CAPACITY, "GET /v1/si/accounts/{ncaId}/clusters")
        request = requests.allocator_clusters(nca_id)
        found = await self._reading(Readable.CAPACITY, request, AllocatorClusterList)
        body = found.body
        twice = twice_named(body.clusters) if isinstance(body, AllocatorClusterList) else ()
        if not twice:
            return found
        reason = f"two clusters are named {', '.join(twice)}: their pools cannot be told apart"
        remedy = "ask the owner of the clusters to name them apart"
        unread = Unread(
            what=Readable.CAPACITY, source=found.note.source, reason=reason, remedy=remedy
        )
        return _Reading(None, unread)

    async def _limits(self) -> _Reading:
        nca_id = await self._own_account()
        if nca_id is None:
            return _unknown_account(Readable.VERSION_LIMIT, "GET /v2/nvcf/accounts/{ncaId}")
        request = requests.account_limits(nca_id)
        return await self._reading(Readable.VERSION_LIMIT, request, AccountAnswer)

    async def _quotas(self) -> _Reading:
        org = self._client.target.org
        if org is None:
            unread = Unread(
                what=Readable.QUOTA,
                source="GET /v2/orgs/{org}/ngc/nvcf/gpu/quota/rules",
                reason="the organisation is not known",
                remedy="set NGC_ORG; a self-hosted service has no quota rules",
            )
            return _Reading(None, unread)
        return await self._reading(Readable.QUOTA, requests.quota_rules(org), QuotaRules)

    async def _reading(self, what: Readable, request: RawRequest, model: type[AnswerT]) -> _Reading:
        source = route_of(request, self._client.target)
        try:
            body = await self._client.read(request, model, attempts=_READING_ATTEMPTS)
        except RemoteError as error:
            unread = Unread(what=what, source=source, reason=error.summary, remedy=error.remedy)
            return _Reading(None, unread)
        return _Reading(body, Taken(what=what, source=source, read_at=self._client.clock.now()))

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

    def _account(
        self, groups: _Reading, clusters: _Reading, limits: _Reading, quotas: _Reading
    ) -> Account:
        found_groups, found_clusters = merged(
            groups.body.cluster_groups if isinstance(groups.body, ClusterGroupList) else None,
            clusters.body.clusters if isinstance(clusters.body, AllocatorClusterList) else None,
        )
        limit, limits_note = _version_limit(limits)
        notes = (groups.note, clusters.note, limits_note, quotas.note)
        target = self._client.target
        return Account(
            identity=AccountIdentity(endpoint=target.root, org=target.org, nca_id=self._nca_id),
            groups=found_groups,
            clusters=found_clusters,
            quotas=quotas_of(quotas.body) if isinstance(quotas.body, QuotaRules) else None,
            version_limit=limit,
            taken=tuple(note for note in notes if isinstance(note, Taken)),
            unread=tuple(note for note in notes if isinstance(note, Unread)),
        )


def _version_limit(limits: _Reading) -> tuple[VersionLimit | None, Taken | Unread]:
    body = limits.body
    if not isinstance(body, AccountAnswer):
        return None, limits.note
    allowed, stored = body.max_functions_allowed, body.current_number_functions
    if allowed is None or stored is None:
        return None, Unread(
            what=Readable.VERSION_LIMIT,
            source=limits.note.source,
            reason="the answer names no limit",
            remedy="nothing to do: the service itself tests the limit",
        )
    return VersionLimit(limit=allowed, stored=stored), limits.note


def _unknown_account(what: Readable, source: str) -> _Reading:
    unread = Unread(
        what=what,
        source=source,
        reason="the account's id is not known, and there is no function of its own to learn it by",
        remedy="set NVCF_NCA_ID",
    )
    return _Reading(None, unread)


def _only_account_of(groups: ClusterGroupList) -> str | None:
    """We own, or are named in, every group we see that is not open to all.

    So an account that alone is in all of those is ours. Source: nvcf-api.md 2.2.
    """
    candidates: set[str] | None = None
    for group in groups.cluster_groups:
        authorized = group.authorized_nca_ids
        if not authorized or "*" in authorized:
            continue
        named = {*authorized, *filter(None, (group.nca_id,))}
        candidates = named if candidates is None else candidates & named
    return next(iter(candidates)) if candidates and len(candidates) == 1 else None


async def _pair(
    first: Coroutine[object, object, FirstT], second: Coroutine[object, object, SecondT]
) -> tuple[FirstT, SecondT]:
    one, other = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        return await asyncio.gather(one, other)
    finally:
        await _ended((one,))
        await _ended((other,))


async def _all(
    coroutines: Iterable[Coroutine[object, object, ResultT]],
) -> list[ResultT]:
    """Together; the first failure ends the others and is raised alone."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Future[ResultT]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
