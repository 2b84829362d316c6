"""A root file system prepared for deployments: read, planned, done."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ostree.errors import NotFoundError, TreeError
from ostree.events import Message
from ostree.system.anonymous import random_name
from ostree.system.files import (
    describe,
    open_directory,
    open_subdirectory,
    remove_tree,
    replace_file,
    replace_symlink,
)
from ostree.tree import byte_code
from ostree.tree.planning import plan_preparation
from ostree.tree.scanning import scan
from ostree.tree.step import Action

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.events import Listener
    from ostree.tree.planning import Plan, PrepareOptions
    from ostree.tree.step import Step


def prepare(
    path: str,
    options: PrepareOptions,
    *,
    compile_python: bool = False,
    dry_run: bool = False,
    on_event: Listener,
) -> Plan:
    """Bring a root file system into the shape that deployments have.

    Nothing is changed unless all of it can be.  Each step is done at once or not at all, and
    another run after an interrupted one does the rest.

    Args:
        path: The directory.
        options: How it is prepared.
        compile_python: Whether Python sources get byte code that is good in a deployment.
        dry_run: Plan only.
        on_event: Is told each step before it is done.

    Raises:
        NotFoundError: there is no such directory.
        TreeError: it cannot be prepared; nothing has changed, unless the message begins with a
            step.
    """
    with _open_tree(path) as root_fd:
        try:
            facts = scan(root_fd)
            if compile_python:
                facts = facts._replace(stale_code=byte_code.find(path, facts.entries))
            plan = plan_preparation(facts, options)
        except OSError as error:
            raise TreeError(f"Reading {path}: {_text(error)}") from error
        if plan.problems:
            raise TreeError(_say(path, plan), problems=tuple(plan.problems))
        if not dry_run:
            for step in plan.steps:
                on_event(Message(step.describe()))
                _carry_out(path, root_fd, step)
        return plan


def _say(path: str, plan: Plan) -> str:
    if len(plan.problems) == 1:
        return f"Preparing {path}: {plan.problems[0]}"
    return f"Preparing {path}: " + "".join(f"\n  {problem}" for problem in plan.problems)


def _text(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{os.fsdecode(error.filename)}: {reason}" if error.filename else reason


@contextmanager
def _open_tree(path: str) -> Iterator[int]:
    try:
        fd = open_directory(path)
    except OSError as error:
        raise NotFoundError(describe(f"opendir({path})", error)) from error
    try:
        ours, running = os.fstat(fd), os.stat("/")
        if (ours.st_dev, ours.st_ino) == (running.st_dev, running.st_ino):
            raise TreeError(f"{path} is the root of the running system")
        yield fd
    finally:
        os.close(fd)


def _carry_out(root: str, root_fd: int, step: Step) -> None:
    try:
        if step.action is Action.COMPILE:
            byte_code.compile_directory(root, step.path, step.target)
            return
        with _parent(root_fd, step.path) as (fd, name):
            _act(root_fd, step, fd, name)
    except OSError as error:
        raise TreeError(f"{step.describe()}: {error.strerror or error}") from error


def _act(root_fd: int, step: Step, fd: int, name: str) -> None:
    match step.action:
        case Action.MOVE:
            with _parent(root_fd, step.target) as (target_fd, target):
                os.rename(name, target, src_dir_fd=fd, dst_dir_fd=target_fd)
        case Action.LINK:
            try:
                os.symlink(step.target, name, dir_fd=fd)
            except FileExistsError:
                replace_symlink(step.target, name, fd)
        case Action.DIRECTORY:
            _make_directory(name, fd, step.mode)
        case Action.REMOVE:
            remove_tree(name, fd)
        case Action.WRITE:
            replace_file(name, step.content, fd, mode=step.mode)
        case _:
            raise NotImplementedError(step.action)


def _make_directory(name: str, dir_fd: int, mode: int) -> None:
    """Make a directory that has its mode, whatever the umask, from the moment it has its name."""
    temporary = random_name(".tmp-")
    os.mkdir(temporary, 0o700, dir_fd=dir_fd)
    try:
        os.chmod(temporary, mode, dir_fd=dir_fd)
        os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except OSError:
        os.rmdir(temporary, dir_fd=dir_fd)
        raise


@contextmanager
def _parent(root_fd: int, path: str) -> Iterator[tuple[int, str]]:
    """The directory that a path is in, without following links, and its name there."""
    *above, name = path.split("/")
    fd = os.dup(root_fd)
    try:
        for component in above:
            deeper = open_subdirectory(fd, component)
            os.close(fd)
            fd = deeper
        yield fd, name
    finally:
        os.close(fd)
