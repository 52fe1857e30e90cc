"""Asking before anything is changed. Only the full word `yes` counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.errors import SettingsError

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal

APPLY: Final = """
Do you want to perform these actions?
  nvcfplan will perform the actions described above.
  Only 'yes' will be accepted to approve.

  Enter a value: """

DESTROY: Final = """
Do you really want to destroy all resources?
  nvcfplan will remove everything this stack manages, as shown above.
  There is no undo. Only 'yes' will be accepted to confirm.

  Enter a value: """

ROLLBACK: Final = """
Do you want to undo this run?
  nvcfplan will undo the steps shown above, last one first.
  Only 'yes' will be accepted to approve.

  Enter a value: """


ACCEPT: Final = """
Do you want to write these changes?
  nvcfplan will change the stack's files as shown above, and nothing else.
  Only 'yes' will be accepted to approve.

  Enter a value: """

UNLOCK: Final = """
Do you really want to take this lock away?
  Its holder has not renewed it all this time. Should it live after all, it will
  stop before its next request. Nothing is deleted.
  Only 'yes' will be accepted to confirm.

  Enter a value: """


_SAVED: Final = "save the plan with `nvcfplan plan -out FILE` and apply that, or pass -auto-approve"
_WITHOUT_ASKING: Final = {
    UNLOCK: "pass -force",
    ACCEPT: "look at it with -dry-run, then pass -auto-approve",
}


def is_approved(terminal: Terminal, question: str, *, auto_approve: bool) -> bool:
    """Raises: SettingsError when nobody is there to be asked."""
    if auto_approve:
        return True
    if not terminal.is_interactive or terminal.wants_json:
        raise SettingsError(
            "this needs approval, and there is no terminal to ask at",
            detail="nothing was changed",
            remedy=_WITHOUT_ASKING.get(question, _SAVED),
        )
    answer = terminal.ask(question)
    terminal.report("")
    return answer == "yes"
