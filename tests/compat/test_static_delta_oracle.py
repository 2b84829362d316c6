"""Static deltas both ways with the reference: it applies ours, we apply its, and both say the same."""

from __future__ import annotations

import os
import random
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.running import ostree, succeed

if TYPE_CHECKING:
    from conftest import Oracle

pytestmark = pytest.mark.oracle

OWNER = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs")


def binary(rng: random.Random, size: int) -> bytes:
    """Something like a program: words that repeat, tables, a little noise."""
    words = [rng.randbytes(rng.randint(2, 24)) for _ in range(200)]
    out = bytearray()
    while len(out) < size:
        out += rng.choice(words) if rng.random() < 0.95 else bytes(rng.randint(1, 64))
    return bytes(out[:size])


def edited(rng: random.Random, data: bytes) -> bytes:
    """The next version: bytes changed, inserted, removed, blocks moved."""
    out = bytearray(data)
    for _ in range(max(1, len(out) // 3000)):
        at = rng.randrange(len(out) + 1)
        kind = rng.random()
        if kind < 0.5:
            out[at : at + 4] = rng.randbytes(len(out[at : at + 4]))
        elif kind < 0.8:
            out[at:at] = rng.randbytes(rng.randint(1, 40))
        else:
            del out[at : at + rng.randint(1, 40)]
    return bytes(out)


def make_pair(path: Path, seed: int) -> tuple[Path, Path]:
    """Two versions of a tree."""
    rng = random.Random(seed)
    old, new = path / "old", path / "new"
    for directory in ("bin", "lib/deep", "etc"):
        (old / directory).mkdir(parents=True)
    for index in range(30):
        where = rng.choice(("bin", "lib", "lib/deep", "etc"))
        name = rng.choice((f"file{index}", f"lib{index}.so.1.{seed}", f"data{index}.gz"))
        size = rng.choice((0, 1, 300, 5000, 60000, 200000))
        (old / where / name).write_bytes(binary(rng, size))
    os.symlink("file1", old / "bin" / "link")
    shutil.copytree(old, new, symlinks=True)
    for file in sorted(new.rglob("*")):
        if file.is_symlink() or file.is_dir():
            continue
        roll = rng.random()
        if roll < 0.4:
            file.write_bytes(edited(rng, file.read_bytes()))
        elif roll < 0.5:
            file.unlink()
        elif roll < 0.6:
            file.rename(file.with_name(file.name.split(".")[0] + ".so.2"))
        elif roll < 0.7:
            file.chmod(0o755)
    (new / "added").write_bytes(binary(rng, 70000))
    os.symlink("../lib", new / "etc" / "lib")
    return old, new


def commit(oracle: Oracle, repo: Path, *trees: Path) -> list[str]:
    oracle("init", f"--repo={repo}", "--mode=archive")
    return [
        oracle(
            "commit", f"--repo={repo}", "-b", "main", *OWNER, "--timestamp=@1000", tree
        ).stdout.strip()
        for tree in trees
    ]


def receiver(oracle: Oracle, path: Path, source: Path, commit: str, mode: str) -> Path:
    """A repository with the old commit."""
    oracle("init", f"--repo={path}", f"--mode={mode}")
    oracle("pull-local", f"--repo={path}", source, commit)
    return path


@pytest.mark.parametrize("mode", ["bare", "bare-user", "bare-user-only"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_applies_what_the_other_makes(
    oracle: Oracle, tmp_path: Path, mode: str, seed: int
) -> None:
    """Byte for byte the same objects, whoever made the delta and whoever applies it."""
    source = tmp_path / "source"
    old, new = commit(oracle, source, *make_pair(tmp_path, seed))
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    command = ("static-delta", "generate", f"--repo={source}", "--inline", f"--from={old}", new)
    oracle(*command, f"--filename={theirs}")
    assert ostree(*command, f"--filename={ours}").status == 0

    takers = {name: receiver(oracle, tmp_path / name, source, old, mode) for name in "abc"}
    oracle("static-delta", "apply-offline", f"--repo={takers['a']}", ours)
    succeed("static-delta", "apply-offline", f"--repo={takers['b']}", theirs)
    succeed("static-delta", "apply-offline", f"--repo={takers['c']}", ours)

    for taker in takers.values():
        oracle("refs", f"--repo={taker}", "--create=new", new)
        oracle("fsck", f"--repo={taker}")
        out = tmp_path / f"{taker.name}.out"
        oracle("checkout", "-U", f"--repo={taker}", new, out)
        assert snapshot(out) == snapshot(tmp_path / "new")


def test_the_reference_applies_every_kind_of_edit(oracle: Oracle, tmp_path: Path) -> None:
    """At the beginning, at the end, one behind the other: bytes inserted, removed, repeated."""
    rng = random.Random(7)
    base, noise = b"old" + rng.randbytes(5000), rng.randbytes(100)
    # What begins as before could be made of pieces without bsdiff.
    body = b"new" + base[3:]
    versions = [
        noise[:3] + base,
        base[9:],
        noise[:5] + base[40:],
        body + noise[:60],
        body[:-1],
        body[:2000] + noise[:4] + body[2004:2100] + noise[:20] + body[2090:],
        body[:2000] + body[500:900] + body[2000:],
        body[:2000] + body[2300:] + body[2000:2300],
    ]
    old, new = tmp_path / "old", tmp_path / "new"
    for tree in (old, new):
        tree.mkdir()
    for index, version in enumerate(versions):
        mark = index.to_bytes(2, "big")
        (old / f"file{index}").write_bytes(base + mark)
        (new / f"file{index}").write_bytes(version + mark)
    source = tmp_path / "source"
    before, after = commit(oracle, source, old, new)
    taker = receiver(oracle, tmp_path / "taker", source, before, "bare-user")
    delta = tmp_path / "delta"

    made = ostree(
        "static-delta",
        "generate",
        f"--repo={source}",
        "--inline",
        f"--filename={delta}",
        f"--from={before}",
        after,
    )
    oracle("static-delta", "apply-offline", f"--repo={taker}", delta)

    assert f"bsdiff={len(versions)} objects" in made.err
    oracle("fsck", f"--repo={taker}")
    oracle("checkout", "-U", f"--repo={taker}", after, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(new)


def snapshot(tree: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(tree)): (
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(tree.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("options", [(), ("--disable-bsdiff",), ("--max-chunk-size=0",)], ids=str)
def test_a_delta_is_no_larger_than_the_references(
    oracle: Oracle, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """The same objects are patched, the same are fallbacks; the sizes are as good as equal."""
    source = tmp_path / "source"
    old, new = commit(oracle, source, *make_pair(tmp_path, 5))
    command = ("static-delta", "generate", f"--repo={source}", f"--from={old}", new, *options)

    theirs = oracle(*command)
    theirs_size = size_of(source)
    oracle("static-delta", "delete", f"--repo={source}", f"{old}-{new}")
    ours = ostree(*command)

    assert ours.status == 0
    assert ours.out == theirs.stdout
    assert summary_of(ours.err) == summary_of(theirs.stderr)
    assert size_of(source) <= 1.02 * theirs_size


def size_of(repo: Path) -> int:
    return sum(path.stat().st_size for path in (repo / "deltas").rglob("*") if path.is_file())


def summary_of(text: str) -> list[str]:
    """The lines without those that tell of compressed sizes, whatever order objects have."""
    return sorted(
        line for line in text.splitlines() if not line.startswith(("part", "uncompressed"))
    )


def test_the_lines_of_show_are_the_references(oracle: Oracle, tmp_path: Path) -> None:
    source = tmp_path / "source"
    old, new = commit(oracle, source, *make_pair(tmp_path, 6))
    ostree("static-delta", "generate", f"--repo={source}", f"--from={old}", new)
    ostree("static-delta", "generate", f"--repo={source}", "--empty", "--set-endianness=B", new)

    for name in (f"{old}-{new}", new):
        theirs = oracle("static-delta", "show", f"--repo={source}", name)

        assert succeed("static-delta", "show", f"--repo={source}", name) == theirs.stdout


@pytest.mark.parametrize(
    "words",
    [
        "list",
        "indexes",
        "delete",
        "delete GARBAGE",
        "delete OLD",
        "delete OLD-",
        "show",
        "show GARBAGE",
        "show OLD-NEW",
        "show ./none",
        "generate",
        "generate --empty --from=main main",
        "generate nope",
        "generate --from=nope main",
        "generate --set-endianness=x main",
        "generate main^",
        "generate --from=ZERO main",
        "generate --to=ZERO --from=main",
        "reindex --to=x",
        "reindex --to=OLD",
        "apply-offline",
        "apply-offline none",
        "apply-offline .",
        "verify",
    ],
)
def test_messages_are_the_references(oracle: Oracle, tmp_path: Path, words: str) -> None:
    """Output, errors and exit status to the byte."""
    source = tmp_path / "source"
    old, new = commit(oracle, source, *make_pair(tmp_path, 7))
    for name, value in (("OLD", old), ("NEW", new), ("ZERO", "0" * 64)):
        words = words.replace(name, value)

    theirs = oracle("static-delta", *words.split(), f"--repo={source}", check=False)

    ours = ostree("static-delta", *words.split(), f"--repo={source}")
    assert ours == (theirs.returncode, theirs.stdout, theirs.stderr)


@pytest.mark.parametrize("mode", ["archive", "bare-user"])
def test_fallbacks_are_the_references(oracle: Oracle, tmp_path: Path, mode: str) -> None:
    """Up to 999,974 bytes of content, which is the limit less the header, go into a part."""
    source, tree = tmp_path / "source", tmp_path / "tree"
    tree.mkdir()
    oracle("init", f"--repo={source}", f"--mode={mode}")
    (tree / "edited").write_bytes(binary(random.Random(1), 1_500_000))
    old = oracle("commit", f"--repo={source}", "-b", "main", *OWNER, tree).stdout.strip()
    (tree / "edited").write_bytes(edited(random.Random(2), (tree / "edited").read_bytes()))
    for size in (999_974, 999_975, 2_000_000):
        (tree / f"new{size}").write_bytes(random.Random(size).randbytes(size))
    oracle("commit", f"--repo={source}", "-b", "main", *OWNER, tree)
    command = ("static-delta", "generate", f"--repo={source}", "--min-fallback-size=1", "main")

    theirs = oracle(*command)
    ours = ostree(*command)

    assert (ours.out, summary_of(ours.err)) == (theirs.stdout, summary_of(theirs.stderr))
    name = f"{old}-{oracle('rev-parse', f'--repo={source}', 'main').stdout.strip()}"
    shown = oracle("static-delta", "show", f"--repo={source}", name).stdout
    assert "Number of fallback entries: 2\n" in shown
    assert succeed("static-delta", "show", f"--repo={source}", name) == shown


@pytest.mark.parametrize("order", ["big", "little"])
def test_deltas_of_old_releases_can_be_pulled(tmp_path: Path, oracle: Oracle, order: str) -> None:
    """Those that upstream ships with its tests, and of which it misreads one itself."""
    archive = Path(f"/usr/libexec/installed-tests/libostree/pre-endian-deltas-repo-{order}.tar.xz")
    if not archive.exists():
        pytest.skip("upstream's tests are not installed (Debian: ostree-tests)")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    source = tmp_path / "pre-endian-deltas-repo"
    old, new = (
        oracle("rev-parse", f"--repo={source}", rev).stdout.strip() for rev in ("main^", "main")
    )
    target = receiver(oracle, tmp_path / "target", source, old, "bare-user")
    succeed("summary", f"--repo={source}", "-u")

    said = succeed("pull-local", f"--repo={target}", "--require-static-deltas", source, new)

    assert said.startswith("1 delta parts, ")
    oracle("fsck", f"--repo={target}")
    assert f"Endianness: {order} (heuristic)\n" in succeed(
        "static-delta", "show", f"--repo={source}", f"{old}-{new}"
    )
