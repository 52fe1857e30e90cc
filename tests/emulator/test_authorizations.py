"""Who else may use a function: two lists, their order of checks, what a new version takes over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.budget import examples
from tests.emulator.account import NOBODY, Account, Answer, Deployable, Json, world

ANA, BEN = "nca-ana", "nca-ben"


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def whole(made: Deployable) -> str:
    return f"/v2/nvcf/authorizations/functions/{made.function}"


def single(made: Deployable) -> str:
    return f"{whole(made)}/versions/{made.version}"


def parties(*names: str) -> Json:
    return {"authorizedParties": [{"ncaId": name} for name in names]}


def party(name: str) -> Json:
    return {"authorizedParty": {"ncaId": name}}


def listed(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return named(answer.function)


def named(function: Json) -> list[str]:
    found = function["authorizedParties"]
    assert isinstance(found, list)
    return [one["ncaId"] for one in found]


def test_list_of_a_function_is_replaced_whole(account: Account) -> None:
    made = account.create()
    assert listed(account.call("POST", whole(made), parties(ANA, BEN))) == [ANA, BEN]
    answer = account.call("POST", whole(made), parties(BEN))
    assert answer.function == {
        "id": made.function,
        "ncaId": "nca-demo-0001",
        "authorizedParties": [{"ncaId": BEN}],
    }


def test_list_of_a_version_is_its_own(account: Account) -> None:
    made = account.create()
    account.call("POST", whole(made), parties(ANA))
    answer = account.call("POST", single(made), parties(BEN))
    assert listed(answer) == [BEN]
    assert answer.function["versionId"] == made.version
    assert listed(account.get(single(made))) == [ANA, BEN]


def test_reading_a_function_shows_every_version_with_what_it_inherits(account: Account) -> None:
    first = account.create()
    second = account.create_version(first)
    account.call("POST", whole(first), parties(ANA))
    account.call("POST", single(second), parties(BEN, ANA))
    answer = account.get(whole(first))
    functions = answer.json["functions"]
    assert isinstance(functions, list)
    assert {one["versionId"]: named(one) for one in functions} == {
        first.version: [ANA],
        second.version: [ANA, BEN],
    }


def test_new_version_takes_over_the_list_of_the_function_only(account: Account) -> None:
    first = account.create()
    account.call("POST", whole(first), parties(ANA))
    account.call("POST", single(first), parties(BEN))
    second = account.create_version(first)
    assert listed(account.get(single(second))) == [ANA]


def test_nobody_is_listed_at_first(account: Account) -> None:
    made = account.create()
    assert listed(account.get(single(made))) == []


def test_cleared_list_shows_nothing_and_leaves_the_other(account: Account) -> None:
    made = account.create()
    account.call("POST", whole(made), parties(ANA))
    account.call("POST", single(made), parties(BEN))
    answer = account.call("DELETE", single(made))
    assert answer.status == 200
    assert answer.function == {
        "id": made.function,
        "ncaId": "nca-demo-0001",
        "versionId": made.version,
    }
    assert listed(account.get(single(made))) == [ANA]
    account.call("DELETE", whole(made))
    assert listed(account.get(single(made))) == []


@pytest.mark.parametrize("place", [whole, single], ids=["function", "version"])
def test_party_is_added_once_and_removed_once(account: Account, place: object) -> None:
    made = account.create()
    path = whole(made) if place is whole else single(made)
    account.call("POST", path, parties(ANA))
    assert listed(account.call("PATCH", f"{path}/add", party(BEN))) == [ANA, BEN]
    again = account.call("PATCH", f"{path}/add", party(BEN))
    assert (again.status, "already authorized" in again.detail) == (409, True)
    assert listed(account.call("PATCH", f"{path}/remove", party(ANA))) == [BEN]
    gone = account.call("PATCH", f"{path}/remove", party(ANA))
    assert (gone.status, "not an authorized party" in gone.detail) == (404, True)


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_first_party_is_not_patched_in(account: Account, verb: str) -> None:
    made = account.create()
    answer = account.call("PATCH", f"{whole(made)}/{verb}", party(ANA))
    assert answer.status == 404
    assert "Does not have any authorized parties to be patched" in answer.detail


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (parties(), "must not be empty"),
        ({}, "must not be null"),
        (parties(ANA, ANA), "Duplicate authorized accounts"),
        (parties("*", ANA), "Multiple authz parties"),
        (parties(" "), "must not be blank"),
        ({"authorizedParties": [{}]}, "must not be null"),
        (parties("nca-demo-0001"), "Authorized party mapped to account 'nca-demo-0001'"),
        (parties("*"), "Only NVIDIA Super Admin can make a function public"),
    ],
)
def test_list_that_makes_no_sense_is_refused(account: Account, body: Json, message: str) -> None:
    made = account.create()
    account.call("POST", whole(made), parties(BEN))
    answer = account.call("POST", whole(made), body)
    assert answer.status == 400
    assert message in answer.detail
    assert listed(account.get(single(made))) == [BEN]


def test_account_that_does_not_exist_is_refused() -> None:
    account = Account.of(world(accounts=(ANA,)))
    made = account.create()
    assert listed(account.call("POST", whole(made), parties(ANA))) == [ANA]
    answer = account.call("PATCH", f"{whole(made)}/add", party(BEN))
    assert (answer.status, answer.detail) == (400, f"Account '{BEN}' not found")


def test_everyone_cannot_be_added_or_removed(account: Account) -> None:
    made = account.create()
    account.call("POST", whole(made), parties(ANA))
    for verb in ("add", "remove"):
        answer = account.call("PATCH", f"{whole(made)}/{verb}", party("*"))
        assert answer.status == 400
        assert f"Invalid authz account '*' specified for {verb} operation" in answer.detail


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("GET", "", None),
        ("POST", "", parties(ANA)),
        ("DELETE", "", None),
        ("PATCH", "/add", party(ANA)),
        ("PATCH", "/remove", party(ANA)),
    ],
)
def test_function_that_is_not_there_is_not_found(
    account: Account, method: str, end: str, body: Json | None
) -> None:
    made = account.create()
    for path in (whole(Deployable(NOBODY, "")), single(Deployable(made.function, NOBODY))):
        answer = account.call(method, path + end, body)
        assert answer.status == 404
        assert "Not found in account 'nca-demo-0001'" in answer.detail


class TestPublic:
    """The super-admin, by the mirror of the account, opens a function to everyone."""

    @pytest.fixture
    def made(self, account: Account) -> Deployable:
        made = account.create()
        path = whole(made).replace("/v2/nvcf", "/v2/nvcf/accounts/nca-demo-0001")
        assert listed(account.call("POST", path, parties("*"))) == ["*"]
        return made

    @pytest.mark.usefixtures("made")
    def test_it_is_listed_among_the_public_ones(self, account: Account) -> None:
        for words, count in (("public", 1), ("public,private", 1), ("authorized", 0)):
            functions = account.get(f"/v2/nvcf/functions?visibility={words}").json["functions"]
            assert isinstance(functions, list)
            assert len(functions) == count

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_its_owner_cannot_close_it(
        self, account: Account, made: Deployable, method: str
    ) -> None:
        answer = account.call(method, whole(made), parties(ANA) if method == "POST" else None)
        assert answer.status == 400
        assert "public function" in answer.detail

    def test_its_owner_cannot_deploy_version_or_delete_it(
        self, account: Account, made: Deployable
    ) -> None:
        body = {"name": "chat", "inferenceUrl": "/", "containerImage": "nvcr.io/a/b:1"}
        calls = [
            account.post(
                made,
                {
                    "gpu": "H100",
                    "instanceType": "LAB.H100_1x",
                    "minInstances": 1,
                    "maxInstances": 1,
                },
            ),
            account.call("POST", f"/v2/nvcf/functions/{made.function}/versions", body),
            account.call("DELETE", made.path),
            account.call("DELETE", made.deployment),
            account.get(f"/v2/nvcf/queues/functions/{made.function}"),
        ]
        assert [(one.status, "public function" in one.detail) for one in calls] == [(400, True)] * 5

    def test_the_super_admin_closes_it_again(self, account: Account, made: Deployable) -> None:
        path = whole(made).replace("/v2/nvcf", "/v2/nvcf/accounts/nca-demo-0001")
        assert account.call("DELETE", path).status == 200
        assert account.call("DELETE", made.path).status == 204


ACCOUNTS = ("nca-a", "nca-b", "nca-c")
CHANGES = st.tuples(
    st.sampled_from(["replace", "add", "remove", "clear"]),
    st.booleans(),
    st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=3, unique=True),
)


@settings(max_examples=examples(200))
@given(st.lists(CHANGES, max_size=12))
def test_lists_are_sets_that_know_nothing_of_each_other(
    changes: list[tuple[str, bool, list[str]]],
) -> None:
    account = Account.of(world())
    made = account.create()
    lists: dict[str, list[str]] = {whole(made): [], single(made): []}
    for verb, is_whole, names in changes:
        path = whole(made) if is_whole else single(made)
        status = _change(account, path, verb, names)
        lists[path], expected = _changed(lists[path], verb, names)
        assert status == expected
    seen = listed(account.get(single(made)))
    assert seen == list(dict.fromkeys(lists[whole(made)] + lists[single(made)]))


def _change(account: Account, path: str, verb: str, names: list[str]) -> int:
    match verb:
        case "replace":
            return account.call("POST", path, parties(*names)).status
        case "clear":
            return account.call("DELETE", path).status
        case _:
            return account.call("PATCH", f"{path}/{verb}", party(names[0])).status


def _changed(before: list[str], verb: str, names: list[str]) -> tuple[list[str], int]:
    """The list afterwards, and the status of the answer."""
    first = names[0]
    match verb:
        case "replace":
            return names, 200
        case "clear":
            return [], 200
        case "add" if before and first not in before:
            return [*before, first], 200
        case "remove" if first in before:
            return [one for one in before if one != first], 200
        case "add" if before:
            return before, 409
    return before, 404
