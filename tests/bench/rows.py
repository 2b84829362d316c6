"""What is measured: each row prepares its input, runs one command, and checks what came out."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from bench.material import ONE, TWO
from bench.measuring import Usage, ask, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.material import Material

    #: Takes the data and the command.
    Row = Callable[[Material, str], Usage]


def startup(data: Material, program: str) -> Usage:
    """The cheapest useful command, twenty times."""
    command = [program, f"--repo={data.repository('bare')}", "rev-parse", ONE]
    runs = [execute(command) for _ in range(20)]
    return Usage(
        sum(run.wall for run in runs),
        sum(run.processor for run in runs),
        max(run.peak for run in runs),
    )


def commit(data: Material, program: str, *, mode: str, sync: bool = False) -> Usage:
    """Commit the tree into an empty repository."""
    repository = data.new_repository(mode, sync=sync)
    os.sync()
    usage = execute(data.commit(program, repository))
    data.check(repository, ONE, ONE)
    data.remove(repository)
    return usage


def recommit(data: Material, program: str) -> Usage:
    """Commit the tree once more where every object exists."""
    repository = data.repository("bare")
    usage = execute(data.commit(program, repository))
    data.check(repository, ONE, ONE)
    return usage


def recommit_cached(data: Material, program: str) -> Usage:
    """The same with the stat cache; the reference has none, and reads all files."""
    repository = data.known()
    usage = execute(data.commit(program, repository))
    data.check(repository, ONE, ONE)
    return usage


def checkout(data: Material, program: str, *, mode: str, flag: str) -> Usage:
    """Check the tree out."""
    destination = data.fresh()
    repository = data.repository(mode)
    usage = execute([program, f"--repo={repository}", "checkout", flag, ONE, str(destination)])
    shutil.rmtree(destination)
    return usage


def on(data: Material, program: str, *, mode: str, words: tuple[str, ...]) -> Usage:
    """A command that only reads."""
    return execute([program, f"--repo={data.repository(mode)}", *words])


def on_refs(data: Material, program: str, *, words: tuple[str, ...]) -> Usage:
    """A command on very many refs."""
    return execute([program, f"--repo={data.many_refs()}", *words])


def pull_local(
    data: Material, program: str, *, source: str, mode: str, sync: bool = False
) -> Usage:
    """Copy the commit from another repository."""
    origin = data.repository(source)
    repository = data.new_repository(mode, sync=sync)
    os.sync()
    usage = execute([program, f"--repo={repository}", "pull-local", str(origin), ONE])
    data.check(repository, ONE, ONE)
    data.remove(repository)
    return usage


def pull_http(
    data: Material, program: str, *, update: tuple[str, ...] = (), sync: bool = False
) -> Usage:
    """Fetch a commit over loopback; an update starts from the release before."""
    repository = data.new_repository("bare", sync=sync)
    add = [data.maker, f"--repo={repository}", "remote", "add", "--no-gpg-verify"]
    ask([*add, "origin", data.url])
    ref = TWO if update else ONE
    if update:
        start = str(data.repository("bare"))
        ask([data.maker, f"--repo={repository}", "pull-local", "--remote=origin", start, ONE])
    os.sync()
    usage = execute([program, f"--repo={repository}", "pull", *update, "origin", ref])
    data.check(repository, f"origin:{ref}", ref)
    data.remove(repository)
    return usage


def delta_generate(data: Material, program: str) -> Usage:
    """Make the static delta between the releases."""
    repository = data.fresh()
    shutil.copytree(data.repository("archive"), repository, symlinks=True)
    command = [program, f"--repo={repository}", "static-delta", "generate"]
    usage = execute([*command, f"--from={ONE}", f"--to={TWO}"])
    shutil.rmtree(repository)
    return usage


def prune(data: Material, program: str) -> Usage:
    """Remove what only the second release needs."""
    repository = data.fresh()
    shutil.copytree(data.repository("archive"), repository, symlinks=True)
    ask([data.maker, f"--repo={repository}", "refs", "--delete", TWO])
    usage = execute([program, f"--repo={repository}", "prune", "--refs-only"])
    shutil.rmtree(repository)
    return usage


def deploy(data: Material, program: str, *, sync: bool = False) -> Usage:
    """Make a deployment of a commit that is there."""
    root = data.fresh(on_disk=sync)
    root.mkdir()
    for words in (("init-fs", str(root)), (f"--sysroot={root}", "os-init", "bench")):
        ask([data.maker, "admin", *words])
    (root / "boot/loader.0").mkdir(parents=True)
    (root / "boot/loader").symlink_to("loader.0")
    repository = root / "ostree/repo"
    ask([data.maker, f"--repo={repository}", "config", "set", "core.fsync", "false"])
    source = str(data.repository("bare"))
    ask([data.maker, f"--repo={repository}", "pull-local", "--remote=origin", source, ONE])
    if sync:
        ask([data.maker, f"--repo={repository}", "config", "set", "core.fsync", "true"])
    os.sync()
    try:
        command = [program, "admin", f"--sysroot={root}", "deploy", "--os=bench"]
        usage = execute([*command, f"origin:{ONE}"])
    finally:
        # Deployments cannot be changed until somebody says so.
        for deployment in root.glob("ostree/deploy/*/deploy/*"):
            subprocess.run(["chattr", "-i", deployment], check=False, stderr=subprocess.DEVNULL)
        data.remove(root)
    return usage


#: The rows in the order of the table.
ROWS: dict[str, Row] = {
    "startup": startup,
    "commit-bare": partial(commit, mode="bare"),
    "commit-bare-user": partial(commit, mode="bare-user"),
    "commit-archive": partial(commit, mode="archive"),
    "recommit": recommit,
    "recommit-cached": recommit_cached,
    "checkout-hardlink": partial(checkout, mode="bare", flag="-H"),
    "checkout-copy": partial(checkout, mode="archive", flag="-U"),
    "ls-recursive": partial(on, mode="bare", words=("ls", "-R", ONE)),
    "diff": partial(on, mode="bare", words=("diff", ONE, TWO)),
    "fsck-bare": partial(on, mode="bare", words=("fsck", "--quiet")),
    "fsck-archive": partial(on, mode="archive", words=("fsck", "--quiet")),
    "refs-2000": partial(on_refs, words=("refs",)),
    "summary-2000": partial(on_refs, words=("summary", "-u")),
    "pull-local-bare-archive": partial(pull_local, source="bare", mode="archive"),
    "pull-local-archive-bare": partial(pull_local, source="archive", mode="bare"),
    "pull-http": pull_http,
    "pull-http-update": partial(pull_http, update=("--disable-static-deltas",)),
    "pull-http-delta": partial(pull_http, update=("--require-static-deltas",)),
    "delta-generate": delta_generate,
    "prune": prune,
    "admin-deploy": deploy,
    "commit-bare-sync": partial(commit, mode="bare", sync=True),
    "commit-archive-sync": partial(commit, mode="archive", sync=True),
    "pull-local-sync": partial(pull_local, source="archive", mode="bare", sync=True),
    "pull-http-sync": partial(pull_http, sync=True),
    "admin-deploy-sync": partial(deploy, sync=True),
}
#: Those that fetch from a server.
OVER_HTTP = frozenset(name for name in ROWS if name.startswith("pull-http"))
