"""Who may call a function, as either form of the service's answer tells it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.nvcf.raw import RawAnswer, RawRequest
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.emulator.serving import Emulator
from nvcfplan.errors import Forbidden
from nvcfplan.model import FunctionId, LiveSharing, VersionId
from tests.adapters.counted import client_on, deploy_all, function, world
from tests.adapters.fakes import Script, answer, client_of, problem, run

if TYPE_CHECKING:
    import httpx2

F = FunctionId("f1")
ROUTE = "GET /v2/nvcf/authorizations/functions/f1"


def sharing(given: httpx2.Response) -> LiveSharing | None:
    async def read() -> LiveSharing | None:
        async with client_of(Script({ROUTE: [given]})) as client:
            return await NvcfReader(client).sharing(F)

    return run(read())


def entry(version: str | None, *parties: str) -> dict[str, object]:
    said: dict[str, object] = {"id": "f1", "ncaId": "nca", "versionId": version}
    return said | {"authorizedParties": [{"ncaId": one} for one in parties]}


def test_what_all_versions_have_in_common_is_the_functions_list() -> None:
    given = {"functions": [entry("v2", "c", "b"), entry("v1", "b", "x", "c")]}
    found = sharing(answer(given))
    assert found == LiveSharing(parties=("b", "c"), beyond=((VersionId("v1"), ("x",)),))


def test_an_answer_for_the_function_as_a_whole_is_its_list() -> None:
    assert sharing(answer({"function": entry(None, "c", "b")})) == LiveSharing(parties=("b", "c"))


def test_a_function_that_nobody_else_may_call_has_an_empty_list() -> None:
    bare: dict[str, object] = {"id": "f1", "ncaId": "nca", "versionId": "v1"}
    assert sharing(answer({"functions": [bare]})) == LiveSharing(parties=())


def test_a_function_that_is_gone_has_no_list() -> None:
    assert sharing(problem(404, "Function id 'f1': Not found in account 'nca'")) is None
    assert sharing(answer({"functions": []})) is None


def test_a_key_without_the_permission_is_told_which_one() -> None:
    with pytest.raises(Forbidden) as raised:
        sharing(problem(403, "no"))
    assert "authorize_clients" in raised.value.remedy


def test_the_service_is_read_as_it_was_written() -> None:
    async def scenario() -> LiveSharing | None:
        emulator = Emulator.open(None, world({"a": 8}))
        await deploy_all(emulator, [function(1, cluster="a")])
        async with client_on(emulator, Counter()) as client:
            reader = NvcfReader(client)
            (found,) = await reader.functions()
            body: dict[str, object] = {"authorizedParties": [{"ncaId": "z"}, {"ncaId": "b"}]}
            path = f"/authorizations/functions/{found.id}"
            outcome = await client.send(RawRequest(method="POST", path=path, scope="", body=body))
            assert isinstance(outcome, RawAnswer), outcome
            assert outcome.is_success, outcome.body
            return await reader.sharing(found.id)

    assert run(scenario()) == LiveSharing(parties=("b", "z"))
