"""Which edits of the stack's files make it ask for what others have made of the account.

What cannot be written without writing more, or without writing a secret, is left, with its place
and what to do by hand. Whether the edited files come to what was meant is for the caller to see:
`judge_acceptance` says so from what they were read as.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.authoring.edit import Editor
from nvcfplan.authoring.fields import taken_over
from nvcfplan.authoring.origins import Origins
from nvcfplan.authoring.splicing import spliced
from nvcfplan.authoring.spots import Spot
from nvcfplan.diagnostics import Span
from nvcfplan.differences import compare_function, conceal, find_owned
from nvcfplan.drifting import Finding, compare_options

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from nvcfplan.authoring.edit import Refused
    from nvcfplan.authoring.splicing import Splice
    from nvcfplan.differences import Difference, Holdings
    from nvcfplan.drifting import Drift, Sight
    from nvcfplan.loading import LoadedStack
    from nvcfplan.model import Address, DesiredFunction, Stack

EDITED: Final = "edited"
"""The code of findings that a stack file can take over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten:
    """A finding that no file takes over. `span` None: it is about nothing that stands in one."""

    finding: Finding
    span: Span | None
    why: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """`files`: what the files are to hold, by name; only those that change.

    `taken`: findings that are gone then.
    """

    files: Mapping[str, bytes]
    taken: tuple[Finding, ...]
    unwritten: tuple[Unwritten, ...]

    @property
    def is_in_vain(self) -> bool:
        """There are edits to take over, and none of them can be."""
        return not self.taken and any(one.finding.code == EDITED for one in self.unwritten)


def draft_acceptance(
    sight: Sight, drift: Drift, loaded: LoadedStack, given: Collection[str] = ()
) -> Draft:
    """`given`: variables that the command line sets."""
    written = loaded.written
    origins = Origins(written.variables, written.documents, given)
    splices: dict[str, list[Splice]] = {}
    taken: list[Finding] = []
    left = [_beyond_files(one) for one in drift.drifted if one.code != EDITED]
    for desired, findings, difference in _edited(sight, drift):
        secret = [one for one in findings if _is_secret_value(one)]
        rest = [one for one in findings if one not in secret]
        document, plain = written.functions[desired.key]
        path = ("functions", desired.key)
        left += [_secret(one, document.span((*path, *one.subject.split(".")))) for one in secret]
        wanted = {one.subject for one in rest}
        changes = [one for one in difference.change.attributes if one.path in wanted]
        node = document.node(path)
        assert node is not None, desired.key
        assert isinstance(plain, dict), desired.key
        editor = Editor(document, origins)
        editor.change(Spot(node, plain, (), None), taken_over(plain, changes, difference.matching))
        refused = {one.subject: found for one in rest if (found := _of(one, editor.refused))}
        left += [_refused(one, refused[one.subject]) for one in rest if one.subject in refused]
        taken += [one for one in rest if one.subject not in refused]
        for file, some in editor.splices.items():
            splices.setdefault(file, []).extend(some)
    return Draft(files=_files(loaded, splices), taken=tuple(taken), unwritten=tuple(left))


def judge_acceptance(sight: Sight, draft: Draft, stack: Stack) -> tuple[Address, ...]:
    """Functions that come out otherwise than was meant once the files are edited.

    `stack`: as the edited files have it. What is taken over must be all that is no difference any
    more, and nothing else of the stack may have moved.
    """
    before = {one.key: one for one in sight.stack.functions}
    after = {one.key: one for one in stack.functions}
    others = (replace(sight.stack, functions=()), replace(stack, functions=()))
    if before.keys() != after.keys() or others[0] != others[1]:
        return tuple(one.address for one in sight.stack.functions)
    gone: dict[Address, set[str]] = {}
    for one in draft.taken:
        gone.setdefault(one.address, set()).add(one.subject)
    holdings = _holdings(sight)
    return tuple(
        one.address
        for key, one in before.items()
        if not (
            one == after[key]
            if one.address not in gone
            else _is_as_meant((one, after[key]), gone[one.address], sight, holdings)
        )
    )


def _is_as_meant(
    functions: tuple[DesiredFunction, DesiredFunction],
    gone: Collection[str],
    sight: Sight,
    holdings: Holdings,
) -> bool:
    before, after = functions
    is_same_policy = (before.update, before.lifecycle, before.depends_on) == (
        after.update,
        after.lifecycle,
        after.depends_on,
    )
    owned = holdings.owned[before.key]
    options = compare_options(sight.stack)
    differing = [
        {one.path for one in compare_function(function, owned, options).change.attributes}
        for function in functions
    ]
    is_managed = {*before.managed} <= {*after.managed}
    return is_same_policy and is_managed and differing[1] == differing[0] - {*gone}


def _edited(
    sight: Sight, drift: Drift
) -> Iterator[tuple[DesiredFunction, Sequence[Finding], Difference]]:
    """By function, what was edited of it."""
    holdings, options = _holdings(sight), compare_options(sight.stack)
    for desired in sight.stack.functions:
        found = [
            one for one in drift.drifted if one.code == EDITED and one.address == desired.address
        ]
        if found:
            difference = compare_function(desired, holdings.owned[desired.key], options)
            yield desired, found, difference


def _holdings(sight: Sight) -> Holdings:
    stack = sight.stack
    return conceal(find_owned(stack.name, stack.environment, sight.live, sight.state), stack)


def _files(loaded: LoadedStack, splices: Mapping[str, Sequence[Splice]]) -> Mapping[str, bytes]:
    sources = {one.source.file: one.source for one in loaded.written.documents}
    return {
        file: sources[file].encoded(spliced(sources[file].text, some))
        for file, some in sorted(splices.items())
        if some
    }


def _of(finding: Finding, refused: Sequence[Refused]) -> Refused | None:
    """What was refused of it: the whole, or a part."""
    for one in refused:
        if (
            one.path == finding.subject
            or one.path.startswith(f"{finding.subject}.")
            or finding.subject.startswith(f"{one.path}.")
        ):
            return one
    return None


def _is_secret_value(finding: Finding) -> bool:
    """Of a secret only the name is written; a variable's value would be."""
    is_variable = finding.subject.startswith("containerEnvironment.")
    return finding.is_sensitive and is_variable and finding.after is not None


def _secret(finding: Finding, span: Span) -> Unwritten:
    return Unwritten(
        finding=finding,
        span=span,
        why="its value is a secret, and is written nowhere",
        remedy="write it there by hand, or put the old one back with `nvcfplan drift -fix`",
    )


def _refused(finding: Finding, refused: Refused) -> Unwritten:
    return Unwritten(finding=finding, span=refused.span, why=refused.why, remedy=refused.remedy)


def _beyond_files(finding: Finding) -> Unwritten:
    match finding.code:
        case "undeployed":
            why = "taken over, its placement would be lost from the file"
            remedy = (
                "`nvcfplan drift -fix` deploys it again; to keep it so write `deployment: null`"
            )
        case "function-deleted":
            why = "a function that is gone has nothing to take over"
            remedy = "`nvcfplan drift -fix` creates it again; to keep it so remove it from the file"
        case "foreign-version-serving":
            why = "a stack says nothing of versions that it did not make"
            remedy = "undeploy it, or write what it has into the stack and apply that"
        case "function-in-no-stack":
            why = "what it was made from is not known in full"
            remedy = finding.remedy
        case _:
            why = "it is nothing that a stack file says"
            remedy = finding.remedy
    return Unwritten(finding=finding, span=None, why=why, remedy=remedy)
