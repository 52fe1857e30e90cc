"""What the account may use: each reading by the best source that answers, or "not checked".

The service layout has the allocator's view of clusters, the hosted one the capacity view and the
clusters an organisation brought itself. Source: nvcf-api.md 2.2, 2.3, 2.8, 9.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from nvcfplan.adapters.nvcf import reads
from nvcfplan.adapters.nvcf.answers import fit
from nvcfplan.adapters.nvcf.inventory import merged, merged_with_view, quotas_of, twice_named
from nvcfplan.adapters.nvcf.refusals import route_of
from nvcfplan.adapters.nvcf.together import all_of
from nvcfplan.errors import RemoteError
from nvcfplan.model import Account, AccountIdentity, Readable, Taken, Unread, VersionLimit
from nvcfplan.wire.accounts import (
    AllocatorClusterList,
    ClusterGroupList,
    QuotaRules,
)
from nvcfplan.wire.capacity_view import CapacityView
from nvcfplan.wire.front import OneAccount
from nvcfplan.wire.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.adapters.nvcf.raw import RawRequest
    from nvcfplan.model import Cluster, ClusterGroup

AnswerT = TypeVar("AnswerT", bound=Answer)

_READING_ATTEMPTS: Final = 3
"""A reading that fails is only "not checked": not worth a long wait on every plan."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """`body` None exactly when `note` is not a `Taken`; `note` None: it was not wanted."""

    body: Answer | None
    note: Taken | Unread | None


_UNWANTED: Final = _Reading(None, None)
_NO_ORG: Final = Unread(
    what=Readable.QUOTA,
    source="GET /v2/orgs/{org}/ngc/nvcf/gpu/quota/rules",
    reason="the organisation is not known",
    remedy="set NGC_ORG; a self-hosted service has no quota rules",
)
_LIMIT_IS_TESTED: Final = "nothing to do: the service itself tests the limit"


class AccountReader:
    """`own_account`: the account's id, learnt where nobody told it; None: it cannot be known."""

    def __init__(self, client: Client, own_account: Callable[[], Awaitable[str | None]]) -> None:
        self._client = client
        self._own_account = own_account

    async def read(self, wanted: Collection[Readable]) -> Account:
        """Never fails as a whole: each reading that does is in `unread`, with what to do."""
        groups, quotas = await all_of(
            (
                self._groups() if Readable.INVENTORY in wanted else _unwanted(),
                self._quotas() if Readable.QUOTA in wanted else _unwanted(),
            )
        )
        is_listed = isinstance(groups.body, ClusterGroupList)
        is_missing = Readable.INVENTORY in wanted and not is_listed
        nca_id = await self._account_id(groups)
        clusters, limits = await all_of(
            (
                self._clusters(nca_id, is_listed=is_listed)
                if Readable.CAPACITY in wanted or is_missing
                else _unwanted(),
                self._limits(nca_id) if Readable.VERSION_LIMIT in wanted else _unwanted(),
            )
        )
        if is_missing and isinstance(clusters.note, Taken):
            groups = replace(groups, note=replace(clusters.note, what=Readable.INVENTORY))
        if Readable.CAPACITY not in wanted and isinstance(clusters.note, Unread):
            clusters = _UNWANTED
        return self._account(nca_id, (groups, clusters, limits, quotas))

    async def _account_id(self, groups: _Reading) -> str | None:
        known = await self._own_account()
        if known is None and isinstance(groups.body, ClusterGroupList):
            return _only_account_of(groups.body)
        return known

    async def _groups(self) -> _Reading:
        return await self._reading(Readable.INVENTORY, reads.cluster_groups(), ClusterGroupList)

    async def _clusters(self, nca_id: str | None, *, is_listed: bool) -> _Reading:
        """`is_listed`: the groups are known. Those that an organisation brought are not all there
        are, so they only add to what the groups list.
        """
        target = self._client.target
        if not target.is_hosted or target.org is None:
            return await self._allocator_clusters(nca_id)
        view = await self._reading(
            Readable.CAPACITY, reads.capacity_view(target.org), CapacityView, under="gpus"
        )
        if isinstance(view.note, Taken) or not is_listed:
            return view
        request = reads.registered_clusters(target.org)
        brought = await self._cluster_list(request)
        return brought if isinstance(brought.note, Taken) else view

    async def _allocator_clusters(self, nca_id: str | None) -> _Reading:
        if nca_id is None:
            return _unknown_account(Readable.CAPACITY, "GET /v1/si/accounts/{ncaId}/clusters")
        return await self._cluster_list(reads.allocator_clusters(nca_id))

    async def _cluster_list(self, request: RawRequest) -> _Reading:
        """The allocator's answer and the front's are an array, without a name around it."""
        found = await self._reading(
            Readable.CAPACITY, request, AllocatorClusterList, under="clusters"
        )
        body = found.body
        twice = twice_named(body.clusters) if isinstance(body, AllocatorClusterList) else ()
        if not twice:
            return found
        unread = Unread(
            what=Readable.CAPACITY,
            source=route_of(request, self._client.target),
            reason=f"two clusters are named {', '.join(twice)}: their pools cannot be told apart",
            remedy="ask the owner of the clusters to name them apart",
        )
        return _Reading(None, unread)

    async def _limits(self, nca_id: str | None) -> _Reading:
        if nca_id is None:
            return _unknown_account(Readable.VERSION_LIMIT, "GET /v2/nvcf/accounts/{ncaId}")
        request = reads.account_limits(nca_id)
        if self._client.target.is_hosted:
            unread = Unread(
                what=Readable.VERSION_LIMIT,
                source=route_of(request, self._client.target),
                reason="the hosted service shows it to its administrators only",
                remedy=_LIMIT_IS_TESTED,
            )
            return _Reading(None, unread)
        return await self._reading(Readable.VERSION_LIMIT, request, OneAccount, under="account")

    async def _quotas(self) -> _Reading:
        org = self._client.target.org
        if org is None:
            return _Reading(None, _NO_ORG)
        return await self._reading(Readable.QUOTA, reads.quota_rules(org), QuotaRules)

    async def _reading(
        self,
        what: Readable,
        request: RawRequest,
        model: type[AnswerT],
        *,
        under: str | None = None,
    ) -> _Reading:
        """`under`: the field of the model that may stand for the whole answer."""
        source = route_of(request, self._client.target)
        try:
            value = await self._client.read_json(request, attempts=_READING_ATTEMPTS)
            is_bare = under and not (isinstance(value, dict) and under in value)
            body = fit(model, {under: value} if is_bare else value, source)
        except RemoteError as error:
            unread = Unread(what=what, source=source, reason=error.summary, remedy=error.remedy)
            return _Reading(None, unread)
        return _Reading(body, Taken(what=what, source=source, read_at=self._client.clock.now()))

    def _account(
        self, nca_id: str | None, found: tuple[_Reading, _Reading, _Reading, _Reading]
    ) -> Account:
        groups, clusters, limits, quotas = found
        found_groups, found_clusters = _merged(groups.body, clusters.body)
        limit, limits_note = _version_limit(limits)
        notes = (groups.note, clusters.note, limits_note, quotas.note)
        target = self._client.target
        return Account(
            identity=AccountIdentity(endpoint=target.root, org=target.org, nca_id=nca_id),
            groups=found_groups,
            clusters=found_clusters,
            quotas=quotas_of(quotas.body) if isinstance(quotas.body, QuotaRules) else None,
            version_limit=limit,
            taken=tuple(note for note in notes if isinstance(note, Taken)),
            unread=tuple(note for note in notes if isinstance(note, Unread)),
        )


async def _unwanted() -> _Reading:
    return _UNWANTED


def _merged(
    groups: Answer | None, clusters: Answer | None
) -> tuple[tuple[ClusterGroup, ...] | None, tuple[Cluster, ...] | None]:
    listed = groups.cluster_groups if isinstance(groups, ClusterGroupList) else None
    if isinstance(clusters, CapacityView):
        return merged_with_view(listed, clusters)
    return merged(listed, clusters.clusters if isinstance(clusters, AllocatorClusterList) else None)


def _version_limit(
    limits: _Reading,
) -> tuple[VersionLimit | None, Taken | Unread | None]:
    body = limits.body
    if not isinstance(body, OneAccount) or limits.note is None:
        return None, limits.note
    allowed = body.account.max_functions_allowed
    stored = body.account.current_number_functions
    if allowed is None or stored is None:
        return None, Unread(
            what=Readable.VERSION_LIMIT,
            source=limits.note.source,
            reason="the answer names no limit",
            remedy=_LIMIT_IS_TESTED,
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
