"""What is shown of a refusal: the sentence that says why, not what it was wrapped in."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvcfplan.adapters.nvcf.raw import RawAnswer, RawRequest
from nvcfplan.adapters.nvcf.refusals import failure_of
from nvcfplan.adapters.nvcf.words import Redaction
from nvcfplan.applying import FailureClass

PAYLOADS = Path(__file__).parent / "payloads"
DEPLOY = RawRequest(
    method="POST", path="/deployments/functions/f/versions/v", scope="deploy_function"
)


@pytest.mark.parametrize(
    ("payload", "kind", "shown"),
    [
        (
            "error-capacity-sync.problem.json",
            FailureClass.CAPACITY,
            "There are no available clusters with capacity for H100 GPU or AZURE.GPU.H100_8x "
            "instance type",
        ),
        (
            "error-quota-requestStatus.json",
            FailureClass.QUOTA,
            "INVALID_REQUEST: Validation failed - [All allocated GPU instances in use - contact "
            "your support team]",
        ),
    ],
)
def test_a_refusal_shows_its_reason_in_the_servers_words(
    payload: str, kind: FailureClass, shown: str
) -> None:
    answer = RawAnswer(status=400, body=(PAYLOADS / payload).read_bytes())
    failure = failure_of(DEPLOY, answer, Redaction(()))
    assert (failure.kind, failure.message) == (kind, shown)
