"""What a rehearsal begins from: the account as it is read for an apply, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import Document
from nvcfplan.capacity import with_declared
from nvcfplan.differences import match_values
from nvcfplan.documents import encode_state
from nvcfplan.model import OFFLINE, Account, FunctionConfig, LiveFunction, Snapshot, parse_json
from nvcfplan.planning import ApplyNeeds
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.reading import (
    read_live,
    refuse_other_label,
    refuse_other_scope,
    refuse_unbound_account,
)
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.plans import Plan
    from nvcfplan.workflows.ports import Actor, LookPorts

_LEASE_SECONDS: Final = 60
_ENVIRONMENT: Final = "containerEnvironment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`state`: the document as stored; None: there is none."""

    account: Account
    functions: tuple[LiveFunction, ...]
    state: bytes | None


async def look_at_scene(plan: Plan, ports: LookPorts) -> Seen:
    """Reads only. Raises: AccountMismatch; RemoteError; StateCorrupt."""
    scope = scope_of(plan.desired)
    refuse_unbound_account(plan.desired.account, ports.identity)
    state = (await current_state(scope, ports)).state
    account, functions = await read_live(scope, ports.reader, ApplyNeeds(plan=plan, state=state))
    refuse_other_label(plan.account, account.identity)
    stored = await ports.store.read(str(scope), Document.STATE)
    return Seen(
        account=with_declared(account, plan.desired.quotas),
        functions=functions,
        state=stored.content if stored else None,
    )


def look_at_snapshot(plan: Plan, snapshot: Snapshot) -> Seen:
    """As `look_at_scene`, by what a snapshot tells. Raises: AccountMismatch; SettingsError for one
    of another stack.
    """
    scope = scope_of(plan.desired)
    refuse_other_scope(snapshot, scope, "plan")
    refuse_unbound_account(plan.desired.account, snapshot.account.identity)
    refuse_other_label(plan.account.removeprefix(OFFLINE), snapshot.account.identity)
    matched = match_values(snapshot, plan.desired, _seen_values(plan))
    return Seen(
        account=with_declared(snapshot.account, plan.desired.quotas),
        functions=tuple(_played(one) for one in matched.live),
        state=None if matched.state is None else encode_state(matched.state),
    )


def _seen_values(plan: Plan) -> Iterator[tuple[str, str]]:
    """Of the environment, as it was when the plan was made."""
    for image in plan.fingerprint.live:
        fields = parse_json(image.fields)
        for path, value in fields.items() if isinstance(fields, dict) else ():
            if path.startswith(_ENVIRONMENT) and isinstance(value, str):
                yield path.removeprefix(_ENVIRONMENT), value


def _played(function: LiveFunction) -> LiveFunction:
    """Of what is not ours a snapshot holds no configuration, and it must run something."""
    versions = tuple(
        one if one.config.inference_url else replace(one, config=_played_config(one.config))
        for one in function.versions
    )
    return replace(function, versions=versions)


def _played_config(config: FunctionConfig) -> FunctionConfig:
    return replace(config, inference_url="/", container_image="nvcr.io/another/function:1")


async def put_state(plan: Plan, state: bytes | None, ports: LookPorts, actor: Actor) -> None:
    """Into an empty store, as it was where the plan was made."""
    if state is None:
        return
    scope = str(scope_of(plan.desired))
    lease = await ports.store.acquire(scope, actor.name, _LEASE_SECONDS)
    await ports.store.write(scope, Document.STATE, state, expected=None, lease=lease)
    await ports.store.release(lease)
