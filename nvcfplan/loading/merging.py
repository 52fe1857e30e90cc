"""Several documents as one stack: one name, one account, every function once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Related, Severity
from nvcfplan.loading.conversion import (
    account_binding,
    declared_quota,
    desired_function,
    is_sensitive,
)
from nvcfplan.loading.dependencies import dependency_findings
from nvcfplan.loading.findings import located, subject_of
from nvcfplan.loading.sharing import own_account_findings
from nvcfplan.model import AccountBinding, Digest, Stack, canonical_json, digest_of, is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.loading.reading import Document
    from nvcfplan.loading.stackfile import FunctionFile, StackHead
    from nvcfplan.located import Path


def merge_faults(documents: Sequence[Document], *, is_complete: bool) -> Iterator[Diagnostic]:
    """What can be seen only across documents. Not `is_complete`: some file could not be read."""
    yield from _doubles(documents)
    yield from _names(documents, is_complete=is_complete)
    yield from _accounts(documents)
    if is_complete and documents and not any(_has(one, ("functions",)) for one in documents):
        yield Diagnostic(
            code="missing-key",
            severity=Severity.ERROR,
            summary="the stack has no `functions`",
            detail="an empty stack deletes every function it ever managed, so it must be meant",
            remedy="add `functions`, or `functions: {}` if the stack is to be empty",
            span=documents[0].tree.key_span(()),
        )
    yield from _dependencies(documents, is_complete=is_complete)
    yield from _own_account(documents)


def environment_faults(environment: str) -> Iterator[Diagnostic]:
    if not is_name(environment):
        yield Diagnostic(
            code="malformed-name",
            severity=Severity.ERROR,
            summary=f"the environment's name `{environment}` is not allowed",
            detail="it is written into the tags of every version",
            remedy="use a lower-case letter, then up to 39 lower-case letters, digits and hyphens",
        )


def merged(documents: Sequence[Document], environment: str) -> Stack:
    """The documents must be without fault, each and together."""
    functions = _functions(documents)
    quotas = {key: one for head in _heads(documents) for key, one in head.quotas.items()}
    return Stack(
        name=_name(documents),
        environment=environment,
        functions=tuple(desired_function(key, functions[key]) for key in sorted(functions)),
        account=_account(documents),
        quotas=tuple(declared_quota(key, quotas[key]) for key in sorted(quotas)),
    )


def inputs_digest(documents: Sequence[Document], stack: Stack) -> Digest:
    """Of all that was written, rendered; not of secret values, since a digest can be guessed at."""
    plain = {
        key: _masked(one, document.functions[key])
        for document in documents
        for key, one in document.plain.items()
    }
    account = stack.account
    content = {
        "account": [account.endpoint, account.org, account.nca_id],
        "environment": stack.environment,
        "functions": plain,
        "stack": stack.name,
    }
    if stack.quotas:
        content["quotas"] = {
            key: one.model_dump(mode="json")
            for head in _heads(documents)
            for key, one in head.quotas.items()
        }
    return digest_of(canonical_json(content))


def _masked(plain: object, function: FunctionFile) -> object:
    variables = function.container_environment or {}
    secret = {name for name, value in variables.items() if is_sensitive(name, value)}
    if not secret or not isinstance(plain, dict):
        return plain
    masked = {
        name: None if name in secret else value
        for name, value in plain["containerEnvironment"].items()
    }
    return {**plain, "containerEnvironment": masked}


def _heads(documents: Sequence[Document]) -> Iterator[StackHead]:
    return (one.head for one in documents if one.head)


def _functions(documents: Sequence[Document]) -> Mapping[str, FunctionFile]:
    return {key: one for document in documents for key, one in document.functions.items()}


def _name(documents: Sequence[Document]) -> str:
    return next(one.head.stack for one in documents if one.head and one.head.stack)


def _account(documents: Sequence[Document]) -> AccountBinding:
    heads = (one.head for one in documents if one.head and "account" in one.head.model_fields_set)
    return next((account_binding(head.account) for head in heads), AccountBinding())


def _has(document: Document, path: Path) -> bool:
    return document.tree.node(path) is not None


def _doubles(documents: Sequence[Document]) -> Iterator[Diagnostic]:
    first: dict[Path, Document] = {}
    for document in documents:
        quotas = document.head.quotas if document.head else {}
        named = [("functions", "function", key) for key in document.plain]
        named += [("quotas", "quota", key) for key in quotas]
        for section, noun, key in named:
            path = (section, key)
            if (before := first.setdefault(path, document)) is not document:
                yield _twice(
                    document, before, path, code=f"duplicate-{noun}",
                    summary=f"the {noun} `{key}` is defined twice",
                )  # fmt: skip


def _names(documents: Sequence[Document], *, is_complete: bool) -> Iterator[Diagnostic]:
    named = [one for one in documents if one.head and one.head.stack]
    for document in named[1:]:
        if document.head and named[0].head and document.head.stack != named[0].head.stack:
            yield _twice(
                document, named[0], ("stack",), code="two-stacks",
                summary=f"this file belongs to the stack `{document.head.stack}`, another to "
                f"`{named[0].head.stack}`",
            )  # fmt: skip
    if is_complete and documents and not named and all(one.head for one in documents):
        yield _nameless(documents)


def _nameless(documents: Sequence[Document]) -> Diagnostic:
    empty = next((one for one in documents if _has(one, ("stack",))), None)
    return Diagnostic(
        code="empty-value" if empty else "missing-key",
        severity=Severity.ERROR,
        summary=f"`stack` is {'empty' if empty else 'missing'}",
        detail="the stack's name says which functions of the account are its own",
        remedy="write `stack: NAME` in one of the files",
        span=(empty or documents[0]).tree.key_span(("stack",)),
    )


def _accounts(documents: Sequence[Document]) -> Iterator[Diagnostic]:
    bound = [one for one in documents if _has(one, ("account",))]
    for document in bound[1:]:
        yield _twice(
            document, bound[0], ("account",), code="duplicate-account",
            summary="the account is given twice",
        )  # fmt: skip


def _twice(
    document: Document, before: Document, path: Path, *, code: str, summary: str
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        summary=summary,
        remedy="remove one of the two",
        subject=subject_of(path),
        span=document.tree.key_span(path),
        related=(Related(message="the first is here", span=before.tree.key_span(path)),),
    )


def _own_account(documents: Sequence[Document]) -> Iterator[Diagnostic]:
    own = _account(documents).nca_id
    if own is None:
        return
    for document in documents:
        for finding in own_account_findings(document.functions, own):
            yield located(finding, document.tree)


def _dependencies(documents: Sequence[Document], *, is_complete: bool) -> Iterator[Diagnostic]:
    functions = _functions(documents)
    wanted = {key: one.depends_on for key, one in functions.items()}
    known = {key for document in documents for key in document.plain} if is_complete else None
    owner = {key: document for document in documents for key in document.functions}
    for finding in dependency_findings(wanted, known):
        yield located(finding, owner[str(finding.path[1])].tree)
