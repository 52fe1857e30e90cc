"""Who else may invoke a function. Source: nvcf-api.md 2.4."""

from __future__ import annotations

from nvcfplan.wire.protocol import Answer, Request


class PartyEntry(Request):
    """`nca_id`: an account, or `*` for everyone."""

    nca_id: str
    client_id: str | None = None


class AuthorizationsRequest(Request):
    """POST: takes the place of all there were."""

    authorized_parties: list[PartyEntry]


class AuthorizationRequest(Request):
    """PATCH of `add` and `remove`."""

    authorized_party: PartyEntry


class PartyAnswer(Answer):
    nca_id: str


class AuthorizationsAnswer(Answer):
    """`version_id` None: of all versions. No `authorized_parties` after a DELETE."""

    id: str
    nca_id: str
    version_id: str | None = None
    authorized_parties: list[PartyAnswer] | None = None


class OneAuthorizations(Answer):
    function: AuthorizationsAnswer


class AuthorizationsList(Answer):
    """GET of a function: one per version, what it inherits included."""

    functions: list[AuthorizationsAnswer]


class SharingAnswer(Answer):
    """Either of the two, as a client reads the GET of a function."""

    function: AuthorizationsAnswer | None = None
    functions: list[AuthorizationsAnswer] | None = None
