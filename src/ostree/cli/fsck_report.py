"""What a verification found, in words and as a document (docs/json.md)."""

from __future__ import annotations

from ostree.cli.json_output import text_fields
from ostree.repo.fsck_result import BadObject
from ostree.repo.needed_by import NeededBy
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostree.cli.json_output import Json
    from ostree.repo.fsck_result import FsckResult
    from ostree.repo.repository import Repo
    from ostree.types import Checksum, ObjectName


class Finding:
    """A bad object, all that depends on it, and what became of it.

    Attributes:
        bad: What was found.
        paths: Where it is in the trees of its commits; the first of them.
        refs: The refs that point to one of its commits.
        repaired: Whether it was replaced by a good one.
        reason: Why it was not, if that was tried.
    """

    def __init__(self, bad: BadObject, paths: Sequence[str], refs: Sequence[str]) -> None:
        self.bad = bad
        self.paths = paths
        self.refs = refs
        self.repaired = False
        self.reason: str | None = None


def findings_of(repo: Repo, found: Sequence[BadObject]) -> dict[ObjectName, Finding]:
    """The bad objects of a verification, each once."""
    bad = {each.name: each for each in found}
    commits = sorted({commit for each in found for commit in each.commits})
    paths = NeededBy(repo, list(bad)).paths(commits)
    refs = _refs_by_commit(repo)
    return {
        name: Finding(each, paths[name], _refs_to((*each.commits, name.checksum), refs))
        for name, each in bad.items()
    }


def findings_below(
    repo: Repo, names: Sequence[ObjectName], found: Iterable[Finding]
) -> dict[ObjectName, Finding]:
    """Objects that nobody missed as long as what leads to them was missing."""
    commits = {
        commit
        for finding in found
        for commit in (*finding.bad.commits, finding.bad.name.checksum)
        if finding.bad.name.type is ObjectType.COMMIT or commit in finding.bad.commits
    }
    needed_by = NeededBy(repo, names).commits(sorted(commits))
    return findings_of(
        repo,
        [
            BadObject(name, f"Object missing: {name}", needed_by[name], missing=True)
            for name in names
        ],
    )


def _refs_by_commit(repo: Repo) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for refspec, commit in repo.refs.all().items():
        found.setdefault(commit, []).append(refspec)
    for (collection, name), commit in repo.refs.mirrored().items():
        found.setdefault(commit, []).append(f"({collection}, {name})")
    return found


def _refs_to(commits: Iterable[Checksum], refs: dict[str, list[str]]) -> list[str]:
    return sorted({ref for commit in commits for ref in refs.get(commit, ())})


def report_lines(findings: Iterable[Finding], whole: Sequence[Checksum]) -> list[str]:
    """What a repair did, for people."""
    lines = []
    findings = list(findings)
    for finding in findings:
        if finding.repaired:
            lines.append(f"Repaired {finding.bad.name}")
        else:
            lines.append(f"Not repaired: {finding.bad.name}: {finding.reason}")
        lines += [f"  {path}" for path in finding.paths]
    commits = sorted({commit for finding in findings for commit in finding.bad.commits})
    refs = sorted({ref for finding in findings for ref in finding.refs})
    if commits:
        lines.append(f"Commits touched: {', '.join(commits)}")
    if refs:
        lines.append(f"Refs touched: {', '.join(refs)}")
    lines += [f"Commit is complete again: {commit}" for commit in whole]
    return lines


def fsck_json(
    result: FsckResult, findings: Iterable[Finding], whole: Sequence[Checksum]
) -> dict[str, Json]:
    """The whole result."""
    return {
        "commits": result.commits,
        "objects": result.objects,
        "partial": result.partial,
        "partial_from_fsck": result.partial_from_fsck,
        "corrupted": result.corrupted,
        "bad": [_finding_json(finding) for finding in findings],
        "marked_partial": list(result.marked),
        "complete_again": list(whole),
        "tombstones": list(result.tombstones),
    }


def _finding_json(finding: Finding) -> dict[str, Json]:
    bad = finding.bad
    return {
        "checksum": bad.name.checksum,
        "type": bad.name.type.extension,
        "missing": bad.missing,
        "message": bad.message,
        "commits": list(bad.commits),
        "paths": [text_fields("path", path) for path in finding.paths],
        "refs": list(finding.refs),
        "repaired": finding.repaired,
        "reason": finding.reason,
    }
