"""The commit is read from the repository's files; the CI job from what CI systems export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.settings.origins import commit_of, job_page

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "1" * 40, "2" * 40


def repository(path: Path, *, head: str = "ref: refs/heads/main\n") -> Path:
    home = path / ".git"
    (home / "refs" / "heads").mkdir(parents=True)
    (home / "HEAD").write_text(head)
    return home


def test_a_branch_is_followed_to_its_commit_from_any_directory_below(tmp_path: Path) -> None:
    home = repository(tmp_path)
    (home / "refs" / "heads" / "main").write_text(f"{ONE}\n")
    below = tmp_path / "stacks" / "chat"
    below.mkdir(parents=True)
    assert commit_of(below) == ONE


def test_a_packed_branch_is_found_and_a_loose_one_comes_first(tmp_path: Path) -> None:
    home = repository(tmp_path)
    (home / "packed-refs").write_text(f"# pack-refs with: peeled\n{TWO} refs/heads/main\n^{ONE}\n")
    assert commit_of(tmp_path) == TWO
    (home / "refs" / "heads" / "main").write_text(ONE)
    assert commit_of(tmp_path) == ONE


def test_a_detached_head_is_the_commit_itself(tmp_path: Path) -> None:
    repository(tmp_path, head=f"{TWO}\n")
    assert commit_of(tmp_path) == TWO


def test_a_linked_worktree_shares_the_branches_of_its_repository(tmp_path: Path) -> None:
    home = repository(tmp_path / "main")
    (home / "refs" / "heads" / "topic").write_text(ONE)
    linked = home / "worktrees" / "topic"
    linked.mkdir(parents=True)
    (linked / "HEAD").write_text("ref: refs/heads/topic\n")
    (linked / "commondir").write_text("../..\n")
    tree = tmp_path / "topic"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {linked}\n")
    assert commit_of(tree) == ONE


@pytest.mark.parametrize(
    "head",
    [
        "",
        "nonsense",
        "ref: ../../etc/passwd",
        "ref: refs/../../secret",
        "\0\0",
        "ref: refs/heads/none",
    ],
)
def test_a_head_that_makes_no_sense_is_no_commit_and_no_failure(tmp_path: Path, head: str) -> None:
    repository(tmp_path, head=head)
    assert commit_of(tmp_path) == ""


def test_branches_that_name_each_other_come_to_nothing(tmp_path: Path) -> None:
    home = repository(tmp_path)
    (home / "refs" / "heads" / "main").write_text("ref: refs/heads/main")
    assert commit_of(tmp_path) == ""


@pytest.mark.parametrize(
    ("environment", "page"),
    [
        ({}, ""),
        ({"CI_JOB_URL": "https://gitlab.example/-/jobs/7"}, "https://gitlab.example/-/jobs/7"),
        (
            {
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_REPOSITORY": "acme/infra",
                "GITHUB_RUN_ID": "42",
            },
            "https://github.example/acme/infra/actions/runs/42",
        ),
        ({"GITHUB_SERVER_URL": "https://github.example"}, ""),
        ({"BUILD_URL": "javascript:alert(1)"}, ""),
    ],
)
def test_the_page_of_the_job_is_told_in_ci_only(environment: dict[str, str], page: str) -> None:
    assert job_page(environment) == page
