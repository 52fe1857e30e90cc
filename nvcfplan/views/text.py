"""Everything that is drawn as text, in one place to import it from."""

from __future__ import annotations

from nvcfplan.views.adoption_text import render_adoption
from nvcfplan.views.apply_text import render_apply
from nvcfplan.views.check_text import render_check, stale_because
from nvcfplan.views.diagnostic_text import render_diagnostics, render_failure, render_validate
from nvcfplan.views.difference_text import render_difference
from nvcfplan.views.drift_text import render_acknowledgements, render_drift
from nvcfplan.views.event_text import render_event
from nvcfplan.views.history_text import render_history, render_lock, render_run
from nvcfplan.views.neutralise import safe, safe_lines
from nvcfplan.views.plan_text import Level, render_footer, render_plan
from nvcfplan.views.state_text import render_state_list, render_state_show
from nvcfplan.views.verify_text import render_verify

__all__ = [
    "Level",
    "render_acknowledgements",
    "render_adoption",
    "render_apply",
    "render_check",
    "render_diagnostics",
    "render_difference",
    "render_drift",
    "render_event",
    "render_failure",
    "render_footer",
    "render_history",
    "render_lock",
    "render_plan",
    "render_run",
    "render_state_list",
    "render_state_show",
    "render_validate",
    "render_verify",
    "safe",
    "safe_lines",
    "stale_because",
]
