"""Whether a function is shared with its own account: the service refuses that, whoever asks.

Source: nvcf-api.md 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.model import Account, DesiredFunction


def check_sharing(function: DesiredFunction, account: Account) -> Iterator[Diagnostic]:
    own = account.identity.nca_id
    if own is None or own not in function.authorized_parties:
        return
    yield Diagnostic(
        code="own-account-shared",
        severity=Severity.ERROR,
        summary=f"{function.address} is shared with {own}, which is the account itself",
        detail="the owner may call its functions anyway, and the service refuses a list that "
        "names it",
        remedy="remove it from `authorizedParties`",
        subject=Subject(function.address, "authorizedParties"),
    )
