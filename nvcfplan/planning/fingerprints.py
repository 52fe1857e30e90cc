"""What a plan rests on, written down so that apply can tell whether it still holds.

Instance counts, times and healthy-to-degraded-and-back are left out: they move by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.differences import Difference, flatten_config, flatten_specification, has_row
from nvcfplan.model import (
    Account,
    Json,
    LiveSharing,
    LiveVersion,
    OperationId,
    PoolId,
    ResourceId,
    Status,
    VersionId,
    canonical_json,
    operation_of,
    own_tags,
    parse_json,
)
from nvcfplan.planning.ways.counts import running_by_row
from nvcfplan.plans import Action, Failed, Plan, PreImage, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.capacity import Limits
    from nvcfplan.differences import OwnedFunction

ALIKE = frozenset({Status.ACTIVE, Status.DEGRADING, Status.DEGRADED})
ROWS: Final = "deployment.specifications"
SECRETS: Final = "secrets"
STANDING: Final = frozenset({"status", ROWS})
"""The fields of an image that says only whether a version is deployed."""


def pre_images(differences: Iterable[Difference]) -> tuple[PreImage, ...]:
    """Every version of ours of the functions that change, by address and version.

    What nothing is done to may be edited by others meanwhile, so it has no image.
    """
    images = [
        PreImage(
            address=difference.change.address,
            function=version.function_id,
            version=version.version_id,
            fields=_fields(version, difference),
            is_current=version.version_id == difference.owned.current.version_id,
            running=tuple(sorted(running_by_row(version).items())),
            late=_late(version, difference.owned),
            failed=_failed(version, difference),
            is_returning=difference.owned.is_returning
            and version.version_id == difference.owned.current.version_id,
        )
        for difference in differences
        if difference.owned is not None and difference.change.action is not Action.NO_OP
        for version in difference.owned.versions
    ]
    return tuple(sorted(images, key=lambda one: (one.address, one.version)))


def returning_in(plan: Plan) -> frozenset[VersionId]:
    """Kept versions that the plan makes carry their functions again."""
    return frozenset(one.version for one in plan.fingerprint.live if one.is_returning)


def _late(version: LiveVersion, owned: OwnedFunction) -> OperationId | None:
    return operation_of(version.config.tags) if version.version_id in owned.late else None


def _failed(version: LiveVersion, difference: Difference) -> Failed | None:
    if difference.owned is None or version.version_id not in difference.owned.failed:
        return None
    return Failed.OVER if version in difference.surplus else Failed.KEPT


def _fields(version: LiveVersion, difference: Difference) -> Json:
    assert difference.owned is not None, "what was seen is somebody's"
    if not _is_touched(version, difference):
        return standing_of(version)
    return image_of(version, sharing_of(version, difference.owned))


def sharing_of(version: LiveVersion, owned: OwnedFunction) -> LiveSharing | None:
    """With the version that carries the function stands who may call the function."""
    return owned.sharing if version.version_id == owned.current.version_id else None


def _is_touched(version: LiveVersion, difference: Difference) -> bool:
    return (
        difference.change.action is not Action.UPDATE
        or has_row(version)
        or version in difference.surplus
        or (difference.owned is not None and version == difference.owned.current)
    )


def standing_of(version: LiveVersion) -> Json:
    """Only whether it is deployed: of a stored version that stays stored."""
    return canonical_json(_standing(version))


def image_of(version: LiveVersion, sharing: LiveSharing | None = None) -> Json:
    """Path -> value of everything a plan compares; sensitive values are masked.

    `sharing`: of its function, where that was read.
    """
    fields: dict[str, object] = {
        path: parse_json(one.text) for path, one in flatten_config(version.config).items()
    }
    fields["ownershipTags"] = list(own_tags(version.config.tags))
    if version.secret_names is not None:
        fields[SECRETS] = list(version.secret_names)
    if sharing is not None:
        fields["authorizedParties"] = list(sharing.parties)
    fields |= _standing(version)
    return canonical_json(fields)


def _standing(version: LiveVersion) -> dict[str, object]:
    rows = version.deployment.specifications if version.deployment else ()
    return {
        "status": Status.ACTIVE if version.status in ALIKE else version.status,
        ROWS: sorted(
            canonical_json(
                {path: one.text for path, one in flatten_specification(row.specification).items()}
            )
            for row in rows
        ),
    }


def inventory_rows(limits: Limits) -> tuple[tuple[ResourceId, Json], ...]:
    """That each pool relied on exists and offers its types. Numbers are proved again instead."""
    return tuple((one.id, inventory_row(one, limits.account)) for one in limits.resources)


def inventory_row(resource: Resource, account: Account) -> Json:
    return canonical_json({str(pool): _offered(pool, account) for pool in resource.pools})


def _offered(pool: PoolId, account: Account) -> Sequence[str]:
    return sorted(
        offer.name
        for cluster in account.clusters or ()
        for one in cluster.pools
        if one.id == pool
        for offer in one.instance_types
    )
