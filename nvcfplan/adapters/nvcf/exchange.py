"""One call as one request, and the raw answer as the result the machine is told. Pure.

What has to be read first (secret values, rows, tags) comes in by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nvcfplan.adapters.nvcf import requests
from nvcfplan.adapters.nvcf.answers import NotJson, error_words, fit, read_json
from nvcfplan.adapters.nvcf.raw import Lost, NotSent, RawAnswer
from nvcfplan.adapters.nvcf.refusals import failure_of, is_definite
from nvcfplan.adapters.nvcf.translation import checked_id
from nvcfplan.applying import Done, Failure, FailureClass, Refused, Unanswered
from nvcfplan.errors import RemoteGarbled
from nvcfplan.model import FunctionId, VersionId
from nvcfplan.plans import (
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    SetAuthorizations,
    SetSecrets,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)
from nvcfplan.wire.authorizations import OneAuthorizations
from nvcfplan.wire.deployments import OneDeployment, OneSpecification
from nvcfplan.wire.functions import OneFunction
from nvcfplan.wire.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.adapters.nvcf.raw import RawOutcome, RawRequest
    from nvcfplan.adapters.nvcf.words import Redaction
    from nvcfplan.applying import Call
    from nvcfplan.model import SecretReference

AnswerT = TypeVar("AnswerT", bound=Answer)


def request_for(
    call: Call, values: Mapping[SecretReference, str], live_tags: Sequence[str] = ()
) -> RawRequest:
    """For every task but `UpdateDeployment` (`updating`) and those that only look.

    `values` holds every reference that the task names; `live_tags` is for `UpdateMetadata`.
    """
    match call.task:
        case CreateFunction(config=config, secrets=secrets):
            return requests.create_function(config, secrets, call.operation, values)
        case CreateVersion(config=config, secrets=secrets):
            return requests.create_version(
                bound_function(call), config, secrets, operation=call.operation, values=values
            )
        case Deploy(specifications=specifications):
            return requests.deploy(*bound_version(call), specifications)
        case UpdateMetadata(metadata=metadata):
            return requests.update_metadata(*bound_version(call), metadata, live_tags)
        case SetSecrets(secrets=secrets):
            return requests.set_secrets(*bound_version(call), secrets, values)
        case SetAuthorizations(parties=parties):
            return requests.set_authorizations(bound_function(call), parties)
        case Undeploy(graceful=graceful):
            return requests.undeploy(*bound_version(call), graceful=graceful)
        case DeleteVersion():
            return requests.delete_version(*bound_version(call))
        case _:
            raise AssertionError(f"{call.step} is not one request")


def result_of(
    call: Call, request: RawRequest, outcome: RawOutcome, redaction: Redaction
) -> Done | Refused | Unanswered:
    match outcome:
        case NotSent(why=why):
            failure = Failure(kind=FailureClass.UNREACHABLE, message=f"not sent: {why}")
            return Refused(call.id, failure)
        case Lost(why=why):
            return Unanswered(call.id, why)
        case RawAnswer() if outcome.is_success:
            return _done(call, outcome)
        case RawAnswer():
            return _not_done(call, request, outcome, redaction)


def bound_function(call: Call) -> FunctionId:
    assert call.bound is not None, f"{call.step} has no function yet"
    return call.bound[0]


def bound_version(call: Call) -> tuple[FunctionId, VersionId]:
    function = bound_function(call)
    version = call.bound[1] if call.bound else None
    assert version is not None, f"{call.step} has no version yet"
    return function, version


def _done(call: Call, answer: RawAnswer) -> Done | Unanswered:
    """A success whose body does not read has happened all the same: its ids must be looked up."""
    function, version = call.bound or (None, None)
    try:
        match call.task:
            case CreateFunction() | CreateVersion():
                return _created(call, _body(answer, OneFunction, call))
            case Deploy():
                _body(answer, OneDeployment, call)
            case UpdateDeployment():
                _updated(answer, call)
            case Undeploy() | UpdateMetadata():
                _body(answer, OneFunction, call)
            case SetAuthorizations():
                _body(answer, OneAuthorizations, call)
            case _:
                pass
    except (NotJson, RemoteGarbled) as fault:
        return Unanswered(call.id, f"HTTP {answer.status}, and the body does not read: {fault}")
    return Done(call.id, function, version)


def _created(call: Call, body: OneFunction) -> Done | Unanswered:
    function = FunctionId(checked_id(body.function.id, str(call.step)))
    version = VersionId(checked_id(body.function.version_id, str(call.step)))
    if call.bound is not None and isinstance(call.task, CreateVersion):
        expected = call.bound[0]
        if function != expected:
            return Unanswered(call.id, f"the answer is for function {function}, not {expected}")
    return Done(call.id, function, version)


def _body(answer: RawAnswer, model: type[AnswerT], call: Call) -> AnswerT:
    return fit(model, read_json(answer.body), str(call.step))


def _updated(answer: RawAnswer, call: Call) -> None:
    """PATCH answers with the row, PUT with the deployment."""
    value = read_json(answer.body)
    is_row = isinstance(value, dict) and "gpuSpecification" in value
    fit(OneSpecification if is_row else OneDeployment, value, str(call.step))


def _not_done(
    call: Call, request: RawRequest, answer: RawAnswer, redaction: Redaction
) -> Done | Refused | Unanswered:
    if _is_gone_already(call, answer):
        function, version = bound_version(call)
        return Done(call.id, function, version)
    if is_definite(request, answer):
        return Refused(call.id, failure_of(request, answer, redaction))
    said = redaction.shown(error_words(answer.body).text)
    return Unanswered(call.id, f"HTTP {answer.status}" + (f": {said}" if said else ""))


def _is_gone_already(call: Call, answer: RawAnswer) -> bool:
    """What was to go is not there: done, by an earlier attempt or by somebody else.

    Only when the service itself says so: a page of something between proves nothing.
    """
    is_removal = isinstance(call.task, Undeploy | DeleteVersion)
    return is_removal and answer.status == 404 and error_words(answer.body).is_structured
