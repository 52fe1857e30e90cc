"""Who may call a function, out of what the service shows of each of its versions.

Source: nvcf-api.md 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.model import LiveSharing, VersionId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.wire.authorizations import AuthorizationsAnswer, SharingAnswer


def live_sharing(answer: SharingAnswer) -> LiveSharing | None:
    """None: no version is shown.

    What all versions have in common is the function's list: each shows that and its own as one.
    An answer for the function as a whole is that list itself.
    """
    if answer.function is not None:
        return LiveSharing(parties=_parties(answer.function))
    shown = answer.functions or []
    if not shown:
        return None
    parties = tuple(sorted(set(_parties(shown[0])).intersection(*map(_parties, shown))))
    return LiveSharing(parties=parties, beyond=_beyond(shown, parties))


def _beyond(
    shown: Sequence[AuthorizationsAnswer], parties: tuple[str, ...]
) -> tuple[tuple[VersionId, tuple[str, ...]], ...]:
    found = {
        VersionId(one.version_id): tuple(sorted(set(_parties(one)) - set(parties)))
        for one in shown
        if one.version_id is not None
    }
    return tuple((version, found[version]) for version in sorted(found) if found[version])


def _parties(answer: AuthorizationsAnswer) -> tuple[str, ...]:
    return tuple(sorted({party.nca_id for party in answer.authorized_parties or ()}))
