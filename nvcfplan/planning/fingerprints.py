"""What a plan rests on, written down so that apply can tell whether it still holds.

Instance counts, times and healthy-to-degraded-and-back are left out: they move by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.differences import Difference, flatten_config, flatten_specification, has_row
from nvcfplan.model import (
    Account,
    Json,
    LiveVersion,
    PoolId,
    ResourceId,
    Status,
    canonical_json,
    own_tags,
    parse_json,
)
from nvcfplan.plans import PreImage, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.capacity import Limits

ALIKE = frozenset({Status.ACTIVE, Status.DEGRADING, Status.DEGRADED})


def pre_images(differences: Iterable[Difference]) -> tuple[PreImage, ...]:
    """Of every version that a change looks at, by address and version."""
    images = [
        PreImage(
            address=difference.change.address,
            function=version.function_id,
            version=version.version_id,
            fields=image_of(version),
        )
        for difference in differences
        if difference.owned is not None
        for version in difference.owned.versions
        if has_row(version) or version.version_id == difference.owned.current.version_id
    ]
    return tuple(sorted(images, key=lambda one: (one.address, one.version)))


def image_of(version: LiveVersion) -> Json:
    """Path -> value of everything a plan compares; sensitive values are masked."""
    fields: dict[str, object] = {
        path: parse_json(one.text) for path, one in flatten_config(version.config).items()
    }
    fields["status"] = Status.ACTIVE if version.status in ALIKE else version.status
    fields["ownershipTags"] = list(own_tags(version.config.tags))
    if version.secret_names is not None:
        fields["secrets"] = list(version.secret_names)
    rows = version.deployment.specifications if version.deployment else ()
    fields["deployment.specifications"] = sorted(
        canonical_json(
            {path: one.text for path, one in flatten_specification(row.specification).items()}
        )
        for row in rows
    )
    return canonical_json(fields)


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
