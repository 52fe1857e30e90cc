"""What is a difference, what is not, and what each is carried out by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nvcfplan.differences import (
    CompareOptions,
    Difference,
    compare_function,
    describe,
    find_owned,
    needed_reads,
    remove_function,
)
from nvcfplan.model import (
    AccountIdentity,
    DesiredFunction,
    EnvironmentVariable,
    Health,
    LiveFunction,
    LiveVersion,
    ManagedFunction,
    OnRemove,
    RateLimit,
    Secret,
    SecretOrigin,
    SecretReference,
    State,
    Status,
    VersionId,
    with_defaults,
)
from nvcfplan.plans import Action, Means
from tests.planning.builders import ENVIRONMENT, STACK, running, specification, wanted

OPTIONS = CompareOptions(stack=STACK, environment=ENVIRONMENT, fingerprints={})
TOKEN = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")


def compare(
    desired: DesiredFunction,
    live: LiveFunction,
    *,
    state: State | None = None,
    options: CompareOptions = OPTIONS,
) -> Difference:
    owned = find_owned(STACK, ENVIRONMENT, [live], state).owned[desired.key]
    return compare_function(desired, owned, options)


def with_version(function: LiveFunction, **changes: object) -> LiveFunction:
    (version,) = function.versions
    return replace(function, versions=(replace(version, **changes),))  # type: ignore[arg-type]  # names are checked by replace


def with_config(desired: DesiredFunction, **fields: object) -> DesiredFunction:
    config = replace(desired.config, **fields)  # type: ignore[arg-type]  # names are checked by replace
    return replace(desired, config=config, managed=tuple(sorted({*desired.managed, *fields})))


def state_of(desired: DesiredFunction, fingerprint: str = "") -> State:
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
                function_id=running(desired).id,
                version_id=running(desired).versions[0].version_id,
                applied=desired,
                secret_fingerprints=(("HF_TOKEN", fingerprint),),
            ),
        ),
    )


def the_version(function: LiveFunction) -> LiveVersion:
    return function.versions[0]


def test_server_defaults_are_not_differences() -> None:
    chat = wanted("chat", specification())
    live = running(chat)
    filled = with_defaults(the_version(live).config)
    assert compare(chat, with_version(live, config=filled)).change.action is Action.NO_OP


def test_a_derived_health_block_is_not_carried_to_a_new_port() -> None:
    chat = with_config(wanted("chat", specification()), inference_port=9000)
    live = running(chat)
    filled = with_defaults(replace(the_version(live).config, inference_port=8000))
    difference = compare(chat, with_version(live, config=filled))
    assert difference.config is not None
    assert (difference.config.inference_port, difference.config.health) == (9000, None)


def test_what_the_stack_does_not_manage_is_carried_forward() -> None:
    chat = wanted("chat", specification(), image="app:2")
    health = Health(protocol="HTTP", uri="/live", port=1, timeout=timedelta(seconds=3),
                    expected_status_code=204)  # fmt: skip
    live = running(wanted("chat", specification(), image="app:1"))
    config = replace(
        the_version(live).config,
        container_args="--fast",
        health=health,
        container_environment=(EnvironmentVariable("LOG", "info"),),
    )
    carried = compare(chat, with_version(live, config=config)).config
    assert carried is not None
    assert (carried.container_args, carried.health) == ("--fast", health)
    assert carried.container_environment == (EnvironmentVariable("LOG", "info"),)


def test_one_changed_variable_is_one_attribute() -> None:
    before = with_config(
        wanted("chat", specification()),
        container_environment=(EnvironmentVariable("A", "1"), EnvironmentVariable("B", "1")),
    )
    after = with_config(
        before, container_environment=(EnvironmentVariable("A", "1"), EnvironmentVariable("B", "2"))
    )
    change = compare(after, running(before)).change
    assert [(one.path, one.before, one.after) for one in change.attributes] == [
        ("containerEnvironment.B", '"1"', '"2"')
    ]
    assert change.means == (Means.NEW_VERSION,)


def test_a_sensitive_variable_is_compared_and_never_shown() -> None:
    def secret(value: str, origin: SecretOrigin) -> tuple[EnvironmentVariable, ...]:
        return (EnvironmentVariable("TOKEN", Secret(value, SecretReference("T", origin, "x"))),)

    chat = wanted("chat", specification())
    desired = with_config(chat, container_environment=secret("s3cret-1", SecretOrigin.STACK))
    same = with_config(chat, container_environment=secret("s3cret-1", SecretOrigin.LIVE))
    other = with_config(chat, container_environment=secret("s3cret-2", SecretOrigin.LIVE))
    assert compare(desired, running(same)).change.action is Action.NO_OP
    difference = compare(desired, running(other))
    assert [one.is_sensitive for one in difference.change.attributes] == [True]
    assert "s3cret" not in repr(difference)


@pytest.mark.parametrize(
    ("fields", "means"),
    [
        ({"tags": ("team:a",)}, Means.METADATA),
        ({"rate_limit": RateLimit(rate_limit="10-S")}, Means.METADATA),
        ({"container_args": "-v"}, Means.NEW_VERSION),
        ({"health": None, "inference_url": "/v2"}, Means.NEW_VERSION),
    ],
)
def test_each_attribute_has_its_means(fields: dict[str, object], means: Means) -> None:
    chat = wanted("chat", specification())
    assert compare(with_config(chat, **fields), running(chat)).change.means == (means,)


def test_a_rate_limit_that_goes_needs_a_new_version() -> None:
    limited = with_config(wanted("chat", specification()), rate_limit=RateLimit(rate_limit="1-S"))
    free = with_config(limited, rate_limit=None)
    assert compare(free, running(limited)).change.means == (Means.NEW_VERSION,)


def test_a_description_alone_waits_for_the_next_version() -> None:
    before = wanted("chat", specification())
    after = with_config(before, description="better words")
    change = compare(after, running(before)).change
    assert (change.action, change.reason) == (Action.NO_OP, "waits-for-next-version")
    now = replace(OPTIONS, now=True)
    assert compare(after, running(before), options=now).change.means == (Means.NEW_VERSION,)


def test_bounds_are_patched_and_concurrency_is_put() -> None:
    chat = wanted("chat", specification(low=1, high=2))
    wider = wanted("chat", specification(low=1, high=3))
    assert compare(wider, running(chat)).change.means == (Means.SPECIFICATION,)
    (one,) = chat.specifications
    busier = replace(
        one,
        specification=replace(one.specification, max_request_concurrency=8),
        managed=(*one.managed, "max_request_concurrency"),
    )
    change = compare(replace(chat, specifications=(busier,)), running(chat)).change
    assert change.means == (Means.DEPLOYMENT,)


def test_reordered_specifications_are_the_same() -> None:
    chat = wanted("chat", specification("x", clusters=("a",)), specification("y", clusters=("b",)))
    live = running(chat)
    deployment = the_version(live).deployment
    assert deployment is not None
    reversed_rows = replace(deployment, specifications=deployment.specifications[::-1])
    assert compare(chat, with_version(live, deployment=reversed_rows)).change.action is Action.NO_OP


def test_two_equal_placements_pair_by_their_bounds() -> None:
    chat = wanted("chat", specification("x", low=1, high=1), specification("y", low=3, high=3))
    live = running(chat)
    deployment = the_version(live).deployment
    assert deployment is not None
    swapped = replace(deployment, specifications=deployment.specifications[::-1])
    assert compare(chat, with_version(live, deployment=swapped)).change.action is Action.NO_OP


def test_a_free_form_value_is_described_leaf_by_leaf() -> None:
    assert [(one.path, one.before, one.after) for one in describe(
        '{"a":1,"b":{"c":[1,2]}}', '{"a":2,"b":{"c":[1]}}')] == [  # type: ignore[arg-type]  # plain text is enough here
        ("a", "1", "2"),
        ("b.c.1", "2", None),
    ]  # fmt: skip


def test_the_first_secret_needs_a_new_version_and_another_one_does_not() -> None:
    chat = replace(
        wanted("chat", specification()), secrets=(TOKEN,), managed=("deployment", "secrets")
    )
    live = running(chat)
    assert compare(chat, live).change.means == (Means.NEW_VERSION,)
    two = replace(chat, secrets=(TOKEN, replace(TOKEN, name="OTHER")))
    has_one = with_version(live, secret_names=("HF_TOKEN",))
    assert compare(two, has_one).change.means == (Means.SECRETS,)


def test_a_secret_whose_value_changed_is_put_where_both_fingerprints_are_known() -> None:
    chat = replace(
        wanted("chat", specification()), secrets=(TOKEN,), managed=("deployment", "secrets")
    )
    live = with_version(running(chat), secret_names=("HF_TOKEN",))
    changed = replace(OPTIONS, fingerprints={("chat", "HF_TOKEN"): "new"})
    state = state_of(chat, "old")
    assert compare(chat, live, state=state, options=changed).change.means == (Means.SECRETS,)
    assert compare(chat, live, state=state).change.action is Action.NO_OP


def test_live_secrets_the_stack_does_not_name_stop_a_new_version() -> None:
    chat = wanted("chat", specification(), image="app:2")
    live = with_version(running(wanted("chat", specification())), secret_names=("HF_TOKEN",))
    assert [one.code for one in compare(chat, live).diagnostics] == ["secret-unavailable"]


def test_tags_somebody_took_off_are_put_back_while_state_knows_the_version() -> None:
    chat = wanted("chat", specification())
    bare = with_version(running(chat), config=replace(chat.config, tags=()))
    difference = compare(chat, bare, state=state_of(chat))
    assert (difference.change.means, difference.change.reason) == (
        (Means.METADATA,),
        "ownership-tags-missing",
    )


def test_somebody_elses_edit_is_marked_on_the_attribute() -> None:
    chat = wanted("chat", specification(low=1, high=4))
    edited = running(wanted("chat", specification(low=2, high=4)))
    (change,) = compare(chat, edited, state=state_of(chat)).change.attributes
    assert (change.before, change.after, change.live) == ("2", "1", "2")


def test_functions_without_our_tags_are_not_ours() -> None:
    chat = wanted("chat", specification())
    foreign = with_version(running(chat), config=chat.config)
    assert find_owned(STACK, ENVIRONMENT, [foreign], None).owned == {}
    assert find_owned(STACK, "other", [running(chat)], None).owned == {}


def test_two_functions_that_claim_one_key_are_an_error() -> None:
    chat = running(wanted("chat", specification()))
    twin = replace(chat, id="f-twin")  # type: ignore[arg-type]  # plain text is enough here
    found = find_owned(STACK, ENVIRONMENT, [chat, twin], None)
    assert [one.code for one in found.diagnostics] == ["function-claimed-twice"]


def test_only_deployed_and_current_versions_are_read() -> None:
    chat = running(wanted("chat", specification()))
    (version,) = chat.versions
    stored = replace(version, version_id=VersionId("v0"), status=Status.INACTIVE, deployment=None)
    both = replace(chat, versions=(stored, version))
    assert needed_reads(STACK, ENVIRONMENT, [both], None) == ((chat.id, version.version_id),)


@pytest.mark.parametrize(
    ("on_remove", "action"),
    [
        (OnRemove.DELETE, Action.DELETE),
        (OnRemove.UNDEPLOY, Action.UPDATE),
        (OnRemove.FORGET, Action.FORGET),
    ],
)
def test_what_leaves_the_stack_goes_as_its_lifecycle_says(
    on_remove: OnRemove, action: Action
) -> None:
    live = running(wanted("chat", specification()))
    owned = find_owned(STACK, ENVIRONMENT, [live], None).owned["chat"]
    assert remove_function(owned, on_remove).change.action is action
