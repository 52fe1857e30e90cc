"""Who may call a function: which lists the service would refuse. Source: nvcf-api.md 2.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Severity
from nvcfplan.loading.findings import Finding
from nvcfplan.model import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.loading.stackfile import FunctionFile
    from nvcfplan.located import Path


def party_findings(base: Path, function: FunctionFile) -> Iterator[Finding]:
    path: Path = (*base, "authorizedParties")
    parties = function.authorized_parties or []
    for index, party in enumerate(parties):
        if (first := parties.index(party)) != index:
            yield Finding(
                code="duplicate-name",
                path=(*path, index),
                summary=f"`authorizedParties` names `{party}` twice",
                detail="the service refuses a list with duplicates",
                remedy="remove one of the two",
                related=(("the first", (*path, first)),),
            )
    if EVERYONE in parties:
        yield from _everyone((*path, parties.index(EVERYONE)), len(set(parties)))


def own_account_findings(functions: Mapping[str, FunctionFile], own: str) -> Iterator[Finding]:
    """Of functions by key, in a stack that is bound to the account `own`."""
    for key, function in functions.items():
        for index, party in enumerate(function.authorized_parties or ()):
            if party == own:
                yield Finding(
                    code="own-account-shared",
                    path=("functions", key, "authorizedParties", index),
                    summary=f"`{party}` is the account of this stack itself",
                    detail="the owner may call its functions anyway, and the service refuses a "
                    "list that names it",
                    remedy="remove it from `authorizedParties`",
                )


def _everyone(path: Path, count: int) -> Iterator[Finding]:
    if count > 1:
        yield Finding(
            code="everyone-with-others",
            path=path,
            summary=f"`{EVERYONE}` is everyone, and must stand alone",
            detail="the service refuses it beside other accounts",
            remedy=f"remove `{EVERYONE}`, or all the others",
        )
        return
    yield Finding(
        code="function-made-public",
        path=path,
        severity=Severity.WARNING,
        summary=f"`{EVERYONE}` makes the function public",
        detail="the service takes that from NVIDIA's own administrators alone, and lets nobody "
        "else change the list afterwards",
        remedy="name the accounts that are meant, unless the key is such an administrator's",
    )
