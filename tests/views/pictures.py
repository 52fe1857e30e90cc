"""The pages as pictures, for somebody to look at: light, dark and on paper, narrow and wide.

    python -m tests.views.pictures DIRECTORY

Needs Chromium, and pdftoppm for paper; without them it fails and says what is missing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.reports import Operation, apply_report, plan_report, validate_report
from nvcfplan.views.html import Page, draw_faults_page, draw_page
from tests.documents import builders
from tests.views import runs
from tests.views.frames import FRAME
from tests.views.situations import SITUATIONS, thousand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.diagnostics import Span

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS: Final = (400, 1400)
SCHEMES: Final = {"light": "1", "dark": "0"}
HEIGHT: Final = 3200
PAGES: Final = 6
"""Of paper; what comes after them looks the same."""
TIME_LIMIT: Final = 120


class Missing(Exception):
    """A program that pictures cannot be taken without."""


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        take_pictures(Path(arguments[0]))
    except Missing as why:
        print(f"no pictures: {why}", file=sys.stderr)
        return 1
    return 0


def take_pictures(directory: Path) -> None:
    """Raises: Missing; subprocess.CalledProcessError."""
    browser = _program(*BROWSERS)
    printer = _program("pdftoppm")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        page = directory / f"{name}.html"
        page.write_text(text, encoding="utf-8")
        for width in WIDTHS:
            for scheme, number in SCHEMES.items():
                picture = directory / f"{name}-{width}-{scheme}.png"
                _browse(
                    browser, page, f"--screenshot={picture}", f"--window-size={width},{HEIGHT}",
                    f"--blink-settings=preferredColorScheme={number}",
                )  # fmt: skip
                _has_been_drawn(picture)
        _print(browser, printer, page)


def pages() -> dict[str, str]:
    found = {
        name: draw_page(Page(report=plan_report(plan), frame=FRAME, snippets=_line))
        for name, plan in SITUATIONS.items()
    }
    found["thousand"] = draw_page(Page(report=plan_report(thousand()), frame=FRAME, snippets=_line))
    faults = validate_report(builders.infeasible().plan.diagnostics * 2, _line)
    found["unreadable"] = draw_faults_page(faults, FRAME)
    carried_out = builders.heterogeneous(), builders.delete_first()
    for name, plan, events in (
        ("run-applied", carried_out[0], runs.slower(carried_out[0])),
        ("run-incomplete", carried_out[1], runs.incomplete(carried_out[1])),
    ):
        run = apply_report(Operation.APPLY, plan, events)
        page = Page(report=plan_report(plan), frame=FRAME, snippets=_line, run=run)
        found[name] = draw_page(page)
    return found


def _line(span: Span) -> str:
    return f"{' ' * (span.start.column - 1)}maxInstances: 8"


def _print(browser: str, printer: str, page: Path) -> None:
    paper = page.with_suffix(".pdf")
    _browse(browser, page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    for width in WIDTHS:
        stem = page.with_name(f"{page.stem}-{width}-print")
        scale = ("-png", "-l", str(PAGES), "-scale-to-x", str(width), "-scale-to-y", "-1")
        subprocess.run([printer, *scale, str(paper), str(stem)], check=True, timeout=TIME_LIMIT)
        for picture in page.parent.glob(f"{stem.name}-*.png"):
            _has_been_drawn(picture)


def _browse(browser: str, page: Path, *options: str) -> None:
    subprocess.run(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options,
         page.resolve().as_uri()],
        check=True, timeout=TIME_LIMIT, capture_output=True,
    )  # fmt: skip


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise Missing(f"none of {', '.join(names)} is installed")
    return found


def _has_been_drawn(picture: Path) -> None:
    """A picture of nothing is small."""
    if not picture.is_file() or picture.stat().st_size < 4_096:
        raise Missing(f"{picture} was not drawn")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
