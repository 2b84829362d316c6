"""Archives become trees (repository format §6.5, §10.5)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from ostree.errors import CorruptionError, OSTreeError
from ostree.repo.archive_import import ArchiveImport
from ostree.repo.archive_paths import parse_pathname_filter
from ostree.repo.modifier import Modifier
from ostree.repo.mutable_tree import MutableTree
from ostree.repo.repository import Repo
from ostree.repo.tree import Entry as TreeEntry
from ostree.repo.tree import lookup, walk
from ostree.system import archive
from ostree.system.archive import ArchiveReader
from support.archives import ROOT, Entry, directory, file, hardlink, symlink, tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ostree.types import Checksum, TreeId

pytestmark = pytest.mark.skipif(
    not archive.is_available(), reason="libarchive is missing (Debian: libarchive13)"
)


class Imports:
    """Imports archives into a repository.

    Attributes:
        repo: An archive repository.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self.repo = Repo.create(place / "repo", "archive")

    def commit(
        self,
        *archives: bytes,
        modifier: Modifier | None = None,
        autocreate: bool = False,
        filter: str | None = None,
    ) -> Checksum:
        """A commit of one archive, or of several laid over each other."""
        changes = (modifier or Modifier()).for_repository(self.repo.mode)
        rename = parse_pathname_filter(filter) if filter is not None else None
        tree = MutableTree()
        with self.repo.transaction(fsync=False) as txn:
            for number, data in enumerate(archives):
                path = self._place / f"{number}.archive"
                path.write_bytes(data)
                with ArchiveReader(str(path)) as reader:
                    ArchiveImport(
                        self.repo,
                        txn,
                        tree,
                        changes,
                        autocreate_parents=autocreate,
                        pathname_filter=rename,
                    ).run(reader)
            changes.require_matched()
            checksum = txn.commit(tree.write(txn), timestamp=0)
            txn.set_ref("imported", checksum)
        return checksum

    def root(self, commit: Checksum) -> TreeId:
        return self.repo.load_commit(commit).root

    def shown(self, commit: Checksum) -> list[str]:
        """What a commit has, a line for each path with mode, owner and content or target."""
        root = TreeEntry("/", tree=self.root(commit))
        return [self._line(entry) for entry in [root, *walk(self.repo, root)]]

    def _line(self, entry: TreeEntry) -> str:
        if entry.tree is not None:
            meta = self.repo.load_dirmeta(entry.tree.dirmeta)
            return f"{entry.path} {meta.mode & 0o7777:04o} {meta.uid}:{meta.gid}"
        assert entry.checksum is not None
        with self.repo.load_content(entry.checksum) as content:
            header = content.header
            what = f"-> {header.target}" if header.is_symlink else content.read().decode()
        return f"{entry.path} {header.mode & 0o7777:04o} {header.uid}:{header.gid} {what}"

    def refused(self, *entries: Entry, format: int = tarfile.PAX_FORMAT, **options: bool) -> str:
        """The message for an archive that cannot be imported; the repository is as before."""
        with pytest.raises(OSTreeError) as caught:
            self.commit(tar(*entries, format=format), **options)  # type: ignore[arg-type]
        assert self.repo.refs.all() == {}
        return str(caught.value)


@pytest.fixture
def imports(tmp_path: Path) -> Iterator[Imports]:
    imports = Imports(tmp_path)
    with imports.repo:
        yield imports


def test_the_vector(imports: Imports) -> None:
    attributes = (("SCHILY.xattr.user.z", "1"), ("SCHILY.xattr.user.a", "2"))
    data = tar(
        ROOT,
        directory("./usr/", 0o711, uid=3, gid=4),
        file("./usr/f", b"hi", 0o4755, uid=1, gid=2),
        hardlink("./usr/h", "./usr/f"),
        symlink("./usr/s", "f"),
        Entry("./usr/x", data=b"x", pax=attributes),
    )

    plain = imports.commit(data)
    canonical = imports.commit(data, modifier=Modifier(canonical_permissions=True))

    assert plain == "9dd82670e537eaec762dfcc2f10c1506d104917ff8273e62242320b6ab57e89f"
    assert canonical == "f547e14f8d40da268f2b04d0696f9029d93a5738399490d11ae861f435840de0"
    hard = lookup(imports.repo, imports.root(plain), "/usr/h")
    assert hard.checksum == "69d2ff3c2841a163fe9fe284283462e329dc46be049c4e209af3e53b2eae4cb5"


# parents and roots ----------------------------------------------------------------------------


def test_parents_need_entries(imports: Imports) -> None:
    assert imports.refused(ROOT, file("usr/f")) == "No such file or directory: usr"
    assert imports.refused(directory("a")) == "Can't commit an empty tree"


def test_parents_are_made_with_the_owner_of_what_needs_them(imports: Imports) -> None:
    data = tar(file("a/b/f", uid=5, gid=6), directory("a", 0o700, uid=1))

    commit = imports.commit(data, autocreate=True, modifier=Modifier(owner_gid=9))

    assert imports.shown(commit) == [
        "/ 0755 5:6",
        "/a 0700 1:9",
        "/a/b 0755 5:6",
        "/a/b/f 0644 5:9 x",
    ]


def test_parents_on_the_way_to_a_new_one_are_made_anew(imports: Imports) -> None:
    """As upstream does it: only where no directory is missing do all of them keep what they have."""
    root = directory("./", 0o711, uid=9)
    known = directory("a", 0o700, uid=9)

    kept = imports.commit(tar(root, known, file("a/f", uid=5)), autocreate=True)
    replaced = imports.commit(tar(root, known, file("a/b/f", uid=5)), autocreate=True)

    assert imports.shown(kept)[:2] == ["/ 0711 9:0", "/a 0700 9:0"]
    assert imports.shown(replaced)[:2] == ["/ 0755 5:0", "/a 0755 5:0"]


def test_an_empty_archive_has_a_root_if_parents_are_made(imports: Imports) -> None:
    assert imports.refused() == "Can't commit an empty tree"
    assert imports.shown(imports.commit(tar(), autocreate=True)) == ["/ 0755 0:0"]
    modifier = Modifier(owner_uid=7, owner_gid=8)
    owned = imports.commit(tar(), autocreate=True, modifier=modifier)
    assert imports.shown(owned) == ["/ 0755 7:8"]


# what meets what ------------------------------------------------------------------------------


def test_the_last_of_several_files_counts(imports: Imports) -> None:
    commit = imports.commit(tar(ROOT, file("f", b"1"), symlink("f", "t"), file("f", b"3")))

    assert imports.shown(commit) == ["/ 0755 0:0", "/f 0644 0:0 3"]


@pytest.mark.parametrize("autocreate", [False, True])
def test_files_and_directories_do_not_replace_each_other(
    imports: Imports, *, autocreate: bool
) -> None:
    """Nor does a link lead anywhere: what would be written through it is refused."""
    context = "ostree-tar: Failed to handle file: ostree-tar: Failed to import file: "
    below = (
        "Can't replace file with directory: {}" if autocreate else "No such file or directory: {}"
    )

    assert imports.refused(ROOT, directory("d"), file("d"), autocreate=autocreate) == (
        f"{context}Can't replace directory with file: d"
    )
    assert imports.refused(ROOT, file("d"), directory("d"), autocreate=autocreate) == (
        "Can't replace file with directory: d"
    )
    for entry in (file("l"), symlink("l", "/etc"), symlink("l", ".")):
        assert imports.refused(ROOT, entry, file("l/x"), autocreate=autocreate) == (
            below.format("l")
        )


def test_archives_are_laid_over_each_other(imports: Imports) -> None:
    lower = tar(ROOT, file("f", b"1"), file("g", b"1"))
    upper = tar(directory("./", 0o700), file("f", b"2"), hardlink("h", "g"))

    commit = imports.commit(lower, upper)

    assert imports.shown(commit) == [
        "/ 0700 0:0",
        "/f 0644 0:0 2",
        "/g 0644 0:0 1",
        "/h 0644 0:0 1",
    ]


# hard links -----------------------------------------------------------------------------------


def test_hard_links_have_the_metadata_of_their_target(imports: Imports) -> None:
    link = hardlink("h", "/../f")._replace(uid=9, mode=0o600)

    commit = imports.commit(tar(ROOT, link, file("f", b"1", 0o4755, uid=3)))

    assert imports.shown(commit)[1:] == ["/f 4755 3:0 1", "/h 4755 3:0 1"]


@pytest.mark.parametrize("forwards", [False, True])
def test_hard_links_may_lead_to_hard_links(imports: Imports, *, forwards: bool) -> None:
    links = [hardlink("1", "0"), *(hardlink(str(n + 1), str(n)) for n in range(1, 50))]
    entries = [ROOT, file("0", b"end"), *links]

    commit = imports.commit(tar(*(reversed(entries) if forwards else entries)))

    assert {line.split()[-1] for line in imports.shown(commit)[1:]} == {"end"}


def test_a_hard_link_to_a_symbolic_link_is_one(imports: Imports) -> None:
    commit = imports.commit(tar(ROOT, symlink("s", "t"), hardlink("h", "s")))

    assert imports.shown(commit)[1:] == ["/h 0777 0:0 -> t", "/s 0777 0:0 -> t"]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        (hardlink("h", "nope"), "Failed to find object: No such file or directory: nope"),
        (hardlink("h", "no/pe"), "Failed to find object: No such file or directory: no"),
        (hardlink("h", "h"), "Failed to find object: No such file or directory: h"),
        (
            hardlink("h", "d"),
            'Failed to find object: Expected hardlink file target at "d" but found a directory',
        ),
        (hardlink("d", "f"), "Failed to replace file: Can't replace directory with file: d"),
    ],
)
def test_hard_links_that_lead_nowhere(imports: Imports, link: Entry, reason: str) -> None:
    message = imports.refused(ROOT, directory("d"), file("f"), link)

    assert message == f"ostree-tar: Processing deferred hardlink {link.target}: {reason}"


def test_hard_links_in_a_circle(imports: Imports) -> None:
    message = imports.refused(ROOT, hardlink("a", "b"), hardlink("b", "c"), hardlink("c", "a"))

    assert "Failed to find object: No such file or directory: " in message


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is missing (Debian: cpio)")
def test_the_last_name_in_a_cpio_archive_brings_the_content(
    imports: Imports, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("content")
    (tree / "b").hardlink_to(tree / "a")
    (tree / "c").hardlink_to(tree / "a")
    (tree / "s").symlink_to("target")
    os.link(tree / "s", tree / "t", follow_symlinks=False)
    names = b"\n".join([b".", b"b", b"a", b"c", b"s", b"t", b""])
    data = subprocess.run(
        ["cpio", "-o", "-H", "newc", "-R", "5:6"],
        check=True,
        input=names,
        cwd=tree,
        capture_output=True,
    ).stdout

    commit = imports.commit(data)

    shown = [line.split()[-1] for line in imports.shown(commit)[1:]]
    assert shown == ["content"] * 3 + ["target"] * 2


# rules ----------------------------------------------------------------------------------------


def test_rules_by_path(imports: Imports) -> None:
    modifier = Modifier(add_modes={"/d/f": 0o4000, "/d/h": 0o2000}, skip=["/d/skipped"])
    data = tar(ROOT, directory("d"), file("d/f", b"1"), file("d/skipped"), hardlink("d/h", "d/f"))

    commit = imports.commit(data, modifier=modifier)

    assert imports.shown(commit)[2:] == ["/d/f 4644 0:0 1", "/d/h 4644 0:0 1"]


def test_a_filter_rewrites_paths_and_targets_of_hard_links(imports: Imports) -> None:
    data = tar(
        ROOT,
        directory("etc"),
        file("etc/f", b"1"),
        symlink("etc/s", "etc/f"),
        hardlink("h", "etc/f"),
    )

    commit = imports.commit(data, filter="^etc/,usr/etc/", autocreate=True)

    assert imports.shown(commit)[1:] == [
        "/h 0644 0:0 1",
        "/usr 0755 0:0",
        "/usr/etc 0755 0:0",
        "/usr/etc/f 0644 0:0 1",
        "/usr/etc/s 0777 0:0 -> etc/f",
    ]


def test_a_filter_leads_nowhere_else(imports: Imports) -> None:
    with pytest.raises(OSTreeError, match=r"^Invalid uplink '..' in path \.\./f$"):
        imports.commit(tar(ROOT, file("f")), filter="^f,../f")


# attributes and owners ------------------------------------------------------------------------


def attributes(imports: Imports, *pairs: tuple[str, str], **changes: bool) -> object:
    entry = Entry("f", data=b"", pax=pairs)
    commit = imports.commit(tar(ROOT, entry), modifier=Modifier(**changes))  # type: ignore[arg-type]
    checksum = lookup(imports.repo, imports.root(commit), "/f").checksum
    assert checksum is not None
    header, _ = imports.repo.load_file_header(checksum)
    return header.xattrs


def test_attributes_in_both_spellings(imports: Imports) -> None:
    """Archives of bsdtar have each of them twice; the canonical form keeps them."""
    pairs = (("LIBARCHIVE.xattr.user.z", "AQI="), ("SCHILY.xattr.user.z", "\x01\x02"))
    more = ("SCHILY.xattr.user.a", "1")
    expected = ((b"user.a", b"1"), (b"user.z", b"\x01\x02"))

    assert attributes(imports, *pairs, more) == expected
    assert attributes(imports, *pairs, more, canonical_permissions=True) == expected
    assert attributes(imports, *pairs, no_xattrs=True) == ()


def test_attributes_without_value_vanish_as_they_do_on_the_disk(imports: Imports) -> None:
    """The reference keeps them, and finds its own object damaged in a bare repository (ADR 13)."""
    assert attributes(imports, ("SCHILY.xattr.user.z", "")) == ()


def test_owners_that_no_file_can_have_are_refused(imports: Imports) -> None:
    """Cut to 32 bits, 4294967296 would be root."""
    assert imports.refused(ROOT, file("f", uid=1 << 32)) == (
        'Invalid owner or group 4294967296 of "f"'
    )


# what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes(imports: Imports, type: bytes) -> None:
    assert imports.refused(ROOT, Entry("null", type)) == 'Unsupported file type for path "null"'


@pytest.mark.parametrize("name", ["", ".", "/.", "/../."])
def test_files_in_place_of_the_root(imports: Imports, name: str) -> None:
    """The reference makes an entry without a name of them, which nobody can check out."""
    assert imports.refused(ROOT, file(name), format=tarfile.GNU_FORMAT).endswith(
        "Invalid empty filename"
    )


def test_names_that_are_not_utf8(imports: Imports) -> None:
    gnu = tarfile.GNU_FORMAT
    shown = "Invalid UTF-8 in filename \ufffd"

    assert imports.refused(ROOT, file("d\udcff"), format=gnu) == (
        f"ostree-tar: Failed to handle file: ostree-tar: Failed to import file: {shown}".replace(
            "filename ", "filename d"
        )
    )
    assert imports.refused(ROOT, directory("\udcff"), format=gnu) == (
        f"ostree-tar: Failed to handle directory: {shown}"
    )
    assert imports.refused(ROOT, symlink("s", "\udcff"), format=gnu) == (
        "Invalid UTF-8 in symlink target \ufffd"
    )


def test_targets_that_no_link_can_have(imports: Imports) -> None:
    assert imports.refused(ROOT, symlink("s", ""), format=tarfile.GNU_FORMAT) == (
        "Invalid symlink target of 0 bytes"
    )
    assert imports.refused(ROOT, symlink("s", "t" * 4096)) == (
        "Invalid symlink target of 4096 bytes"
    )


def test_an_archive_that_ends_early(imports: Imports) -> None:
    """The reference never stops."""
    whole = tar(ROOT, file("f", b"x" * 20000))

    with pytest.raises(CorruptionError, match="Truncated tar archive"):
        imports.commit(whole[: 512 + 512 + 9000])
    assert imports.repo.refs.all() == {}


def test_a_size_beyond_the_disk_is_refused_before_anything_is_written(imports: Imports) -> None:
    info = tarfile.TarInfo("f")
    info.size = 1 << 60
    data = tar(ROOT)[:512] + info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024

    with pytest.raises(OSTreeError):
        imports.commit(data)


# streams --------------------------------------------------------------------------------------


def test_content_of_unknown_length(imports: Imports, tmp_path: Path) -> None:
    """A ZIP archive written to a pipe tells sizes after the content."""
    reading, writing = os.pipe()
    content = b"content" * 100_000

    def produce() -> None:
        with (
            os.fdopen(writing, "wb") as pipe,
            zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            archive.writestr("f", content)

    producer = threading.Thread(target=produce)
    producer.start()
    tree = MutableTree()
    with imports.repo.transaction(fsync=False) as txn, ArchiveReader(reading) as reader:
        ArchiveImport(imports.repo, txn, tree, Modifier(), autocreate_parents=True).run(reader)
        root = tree.write(txn)
    producer.join()
    os.close(reading)

    checksum = lookup(imports.repo, root, "/f").checksum
    assert checksum is not None
    _, size = imports.repo.load_file_header(checksum)
    assert size == len(content)


def test_an_archive_is_a_tree_of_its_own(imports: Imports, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar(file("etc/f", b"1")))
    with imports.repo.transaction(fsync=False) as txn:
        root = txn.import_tar(
            tmp_path / "a.tar",
            autocreate_parents=True,
            pathname_filter=parse_pathname_filter("^etc/,usr/etc/"),
        )

    assert lookup(imports.repo, root, "/usr/etc/f").checksum is not None


def test_large_files_are_stored_in_pieces(imports: Imports) -> None:
    content = bytes(range(256)) * 50_000

    commit = imports.commit(tar(ROOT, file("big", content)))

    checksum = lookup(imports.repo, imports.root(commit), "/big").checksum
    assert checksum is not None
    with imports.repo.load_content(checksum) as loaded:
        assert b"".join(iter(lambda: loaded.read(1 << 16), b"")) == content
    assert not imports.repo.fsck().corrupted


def test_paths_may_be_deeper_than_the_stack(imports: Imports) -> None:
    path = "/".join(["d"] * 3000)

    commit = imports.commit(tar(file(f"{path}/f")), autocreate=True)

    entry = lookup(imports.repo, imports.root(commit), f"/{path}/f")
    assert entry.checksum is not None
