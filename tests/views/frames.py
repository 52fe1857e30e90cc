"""What a comment says beside its plan, for tests."""

from __future__ import annotations

from nvcfplan.model import Digest
from nvcfplan.reports import CommentFrame

FRAME = CommentFrame(
    stack="inference",
    environment="default",
    digest=Digest("sha256:" + "5e" * 32),
    tool_version="0.1.0",
    commit="0123abc",
    apply="merge this request, or run `nvcfplan apply inference.nvcfplan`",
    full_text="the job summary",
)
