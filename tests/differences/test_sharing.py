"""Who may call a function: when that differs, from what, and by which call it is mended."""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.differences import CompareOptions, Difference, compare_function, find_owned
from nvcfplan.model import (
    AccountIdentity,
    DesiredFunction,
    LiveFunction,
    LiveSharing,
    ManagedFunction,
    State,
    VersionId,
    parse_json,
)
from nvcfplan.plans import Action, AttributeChange, Means
from tests.planning.builders import ENVIRONMENT, STACK, running, shared, specification, wanted

OPTIONS = CompareOptions(stack=STACK, environment=ENVIRONMENT, fingerprints={})
CHAT = wanted("chat", specification())


def live(*parties: str, beyond: tuple[str, ...] = ()) -> LiveFunction:
    """`beyond`: by a list of its only version's own."""
    function = running(CHAT)
    own = ((function.versions[0].version_id, beyond),) if beyond else ()
    return replace(function, sharing=LiveSharing(parties=parties, beyond=own))


def applied(desired: DesiredFunction) -> State:
    function = running(desired)
    return State(
        lineage="l",
        serial=1,
        account=AccountIdentity(endpoint="e", org=None, nca_id=None),
        stack=STACK,
        environment=ENVIRONMENT,
        secret_key="00",
        functions=(
            ManagedFunction(
                key=desired.key,
                function_id=function.id,
                version_id=function.versions[0].version_id,
                applied=desired,
            ),
        ),
    )


def compare(
    desired: DesiredFunction, function: LiveFunction, state: State | None = None
) -> Difference:
    owned = find_owned(STACK, ENVIRONMENT, [function], state).owned[desired.key]
    return compare_function(desired, owned, OPTIONS)


def only(difference: Difference) -> AttributeChange:
    (attribute,) = difference.change.attributes
    assert attribute.path == "authorizedParties"
    return attribute


def sides(attribute: AttributeChange) -> tuple[object, object, object]:
    return tuple(  # type: ignore[return-value]  # three, as many as are given
        None if side is None else parse_json(side)
        for side in (attribute.before, attribute.after, attribute.live)
    )


def codes(difference: Difference) -> list[str]:
    return [one.code for one in difference.diagnostics]


def test_the_same_list_is_no_difference() -> None:
    found = compare(shared(CHAT, "nca-b", "nca-c"), live("nca-b", "nca-c"))
    assert found.change.action is Action.NO_OP


def test_a_list_that_is_not_managed_is_left_alone() -> None:
    assert compare(CHAT, live("nca-b")).change.action is Action.NO_OP


def test_another_list_is_one_call_and_no_new_version() -> None:
    found = compare(shared(CHAT, "nca-b"), live("nca-c"))
    assert found.change.means == (Means.SHARING,)
    assert found.change.reason == "sharing-changed"
    assert found.config is None
    assert sides(only(found)) == (["nca-c"], ["nca-b"], None)


def test_a_managed_empty_list_takes_everybody_off() -> None:
    found = compare(shared(CHAT), live("nca-c"))
    assert (only(found).reason, sides(only(found))) == ("removed", (["nca-c"], [], None))


def test_an_edit_by_somebody_else_is_told_from_a_change_of_the_stack() -> None:
    desired = shared(CHAT, "nca-b")
    foreign = compare(desired, live("nca-b", "nca-x"), applied(desired))
    assert sides(only(foreign)) == (["nca-b", "nca-x"], ["nca-b"], ["nca-b", "nca-x"])
    ours = compare(shared(CHAT, "nca-b"), live("nca-c"), applied(shared(CHAT, "nca-c")))
    assert sides(only(ours)) == (["nca-c"], ["nca-b"], None)


def test_a_revocation_by_somebody_else_is_told_too() -> None:
    desired = shared(CHAT, "nca-b")
    found = compare(desired, live(), applied(desired))
    assert sides(only(found)) == ([], ["nca-b"], [])


def test_a_new_version_goes_with_the_call_and_does_not_replace_it() -> None:
    desired = shared(wanted("chat", specification(), image="app:2"), "nca-b")
    assert compare(desired, live()).change.means == (Means.NEW_VERSION, Means.SHARING)
    assert compare(desired, live("nca-b")).change.means == (Means.NEW_VERSION,)


def test_a_new_function_is_shared_by_a_call_of_its_own() -> None:
    new = compare_function(shared(CHAT, "nca-b"), None, OPTIONS)
    assert new.change.means == (Means.NEW_VERSION, Means.SHARING)
    unshared = compare_function(shared(CHAT), None, OPTIONS)
    assert unshared.change.means == (Means.NEW_VERSION,)


def test_what_leaves_the_stack_keeps_its_list_and_is_told_of() -> None:
    found = compare(CHAT, live("nca-b"), applied(shared(CHAT, "nca-b")))
    assert found.change.action is Action.NO_OP
    assert codes(found) == ["no-longer-managed"]


def test_who_may_call_one_version_alone_is_told_and_is_no_difference() -> None:
    found = compare(shared(CHAT, "nca-b"), live("nca-b", beyond=("nca-x",)))
    assert found.change.action is Action.NO_OP
    assert codes(found) == ["shared-by-version"]
    assert "nca-x" in found.diagnostics[0].summary


def test_what_stays_though_it_was_applied_may_be_the_only_versions_own() -> None:
    desired = shared(CHAT, "nca-b")
    found = compare(desired, live("nca-b", "nca-x"), applied(desired))
    assert codes(found) == ["shared-by-version"]


def test_a_list_that_could_not_be_read_is_not_compared() -> None:
    found = compare(shared(CHAT, "nca-b"), running(CHAT))
    assert (found.change.action, codes(found)) == (Action.NO_OP, ["sharing-not-compared"])


def test_the_list_is_found_whichever_version_carries_the_function() -> None:
    function = live("nca-c")
    (version,) = function.versions
    older = replace(version, version_id=VersionId("v0"))
    two = replace(function, versions=(older, version))
    assert Means.SHARING in compare(shared(CHAT, "nca-b"), two).change.means
