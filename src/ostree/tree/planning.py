"""What has to be done to a root file system: facts in, steps out."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from ostree.tree import top_level
from ostree.tree.draft import Draft
from ostree.tree.facts import Kind
from ostree.tree.kernel import place_kernel
from ostree.tree.state import StateWriter
from ostree.tree.step import Action, Step
from ostree.tree.units import add_units
from ostree.tree.usr_merge import link_to_usr, merge_usr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ostree.tree.facts import TreeFacts
    from ostree.tree.units import ShippedFile


#: Names that files and links have before they are in their places.
_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]{16}")


class VarPolicy(Enum):
    """What becomes of ``/var``.

    ``AUTO`` is ``TMPFILES`` for a tree with systemd-tmpfiles, else ``TEMPLATE``.
    """

    AUTO = "auto"
    TMPFILES = "tmpfiles"
    TEMPLATE = "template"


class VarFiles(Enum):
    """What becomes of files with content in ``/var``, where it is emptied."""

    FACTORY = "factory"
    REFUSE = "refuse"


class PrepareOptions(NamedTuple):
    """How a tree is prepared.

    Attributes:
        var: What becomes of ``/var``.
        var_files: What becomes of its files.
        local_state: Whether ``/usr/local`` becomes state.
        keep: Entries of the root directory that stay whatever they hold.
        kernel_version: Which of several kernels is booted.
        owner: Whose everything in ``/var`` is, as (uid, gid), each None for that of the tree.
        units: What a tree with systemd gets besides.
        program: The command that the units call.
    """

    var: VarPolicy = VarPolicy.AUTO
    var_files: VarFiles = VarFiles.FACTORY
    local_state: bool = False
    keep: Collection[str] = ()
    kernel_version: str | None = None
    owner: tuple[int | None, int | None] = (None, None)
    units: Sequence[ShippedFile] = ()
    program: str = "/usr/bin/ostree"


class Plan(NamedTuple):
    """What has to be done.

    Attributes:
        steps: In their order; none if the tree is prepared already.
        notes: What the user should know.
        problems: Why nothing of it may be done.
    """

    steps: Sequence[Step]
    notes: Sequence[str]
    problems: Sequence[str]


def plan_preparation(facts: TreeFacts, options: PrepareOptions) -> Plan:
    """Everything that is left to do, for a plain tree, a prepared one or one in between.

    Doing any number of the steps from the first on, and planning again, leads to the same tree.
    """
    draft = Draft(facts)
    _check_root(draft)
    if not draft.problems:
        _prepare(draft, options)
    return Plan(draft.steps, draft.notes, draft.problems)


def _check_root(draft: Draft) -> None:
    for path in draft.facts.mounts:
        draft.problem(f"Something is mounted at /{path}; unmount it first")
    if draft.is_directory("ostree"):
        draft.problem("There is a directory /ostree: this is the root of a system with deployments")
    if draft.node("usr") is not None and not draft.is_directory("usr"):
        draft.problem("/usr is no directory")
    if not draft.names("") or draft.names("") == ["lost+found"]:
        draft.problem("There is nothing in it")


def _prepare(draft: Draft, options: PrepareOptions) -> None:
    _remove_temporaries(draft)
    merge_usr(draft)
    top_level.move_etc(draft)
    state = StateWriter(
        draft,
        snippets=_has_snippets(draft, options.var),
        factory=options.var_files is VarFiles.FACTORY,
        owner=options.owner,
    )
    top_level.remove_kernel_links(draft)
    top_level.move_state(draft, state)
    if options.local_state:
        top_level.move_usr_local(draft, state)
    place_kernel(draft, wanted=options.kernel_version)
    add_units(draft, options.units, options.program)
    state.move_databases()
    state.finish()
    link_to_usr(draft)
    top_level.make_mount_points(draft)
    if not state.snippets and draft.names("var"):
        draft.note(
            "The tree has no systemd-tmpfiles: /var stays, and the first deployment copies it."
        )
    top_level.forget_identity(draft)
    top_level.check_top_level(draft, options.keep)
    _compile(draft)


def _has_snippets(draft: Draft, policy: VarPolicy) -> bool:
    if policy is VarPolicy.AUTO:
        return draft.resolve("usr/bin/systemd-tmpfiles") is not None
    return policy is VarPolicy.TMPFILES


def _remove_temporaries(draft: Draft) -> None:
    """What an interrupted run has made and not yet put in place."""
    for path, entry in list(draft.walk("")):
        name = path.rpartition("/")[2]
        if _TEMPORARY.fullmatch(name) and not (entry.kind is Kind.DIRECTORY and draft.names(path)):
            draft.remove(path)


def _compile(draft: Draft) -> None:
    """Byte code last, when the sources are where they stay."""
    for code in draft.facts.stale_code:
        if code.modules:
            draft.steps.append(
                Step(Action.COMPILE, code.directory, code.interpreter, modules=code.modules)
            )
