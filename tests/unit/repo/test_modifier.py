"""What a commit changes about the files it takes, path by path."""

from __future__ import annotations

import pytest

from ostree.errors import FormatError, NotFoundError
from ostree.repo.modifier import Modifier
from ostree.types import DirMeta, FileHeader, RepoMode

FILE = 0o100644
PROGRAM = 0o100775


def test_without_rules_for_paths_the_path_does_not_matter() -> None:
    modifier = Modifier(owner_uid=5, ro_executables=True)

    assert not modifier.by_path
    assert modifier.apply(1, 2, PROGRAM) == (5, 2, 0o100555)
    assert modifier.apply_at("/x", 1, 2, PROGRAM) == (5, 2, 0o100555)


def test_bits_are_added_once_and_before_anything_replaces_them() -> None:
    modifier = Modifier(
        ro_executables=True, add_modes={"/x": 0o4000}, replace_modes={"/x": 0o600, "/y": 0o400}
    )

    assert modifier.by_path
    assert modifier.apply_at("/x", 0, 0, PROGRAM) == (0, 0, 0o104555)
    assert modifier.apply_at("/x", 0, 0, PROGRAM) == (0, 0, 0o100600)
    assert modifier.apply_at("/y", 0, 0, 0o40755) == (0, 0, 0o40400)
    assert modifier.apply_at("/y", 0, 0, FILE) == (0, 0, 0o100400)
    assert modifier.apply_at("/z", 0, 0, FILE) == (0, 0, FILE)


def test_a_path_is_skipped_once() -> None:
    modifier = Modifier(skip=["/x"])

    assert modifier.apply_at("/x", 0, 0, FILE) is None
    assert modifier.apply_at("/x", 0, 0, FILE) == (0, 0, FILE)


def test_the_filter_sees_what_the_lists_made_and_the_canonical_form_comes_last() -> None:
    seen = []

    def filter(path: str, uid: int, gid: int, mode: int) -> tuple[int, int, int] | None:
        seen.append((path, uid, gid, mode))
        return None if path == "/gone" else (7, 8, mode | 0o2020)

    modifier = Modifier(
        owner_uid=3, add_modes={"/x": 0o1}, filter=filter, canonical_permissions=True
    )

    assert modifier.apply_at("/x", 1, 2, FILE) == (0, 0, 0o100645)
    assert modifier.apply_at("/gone", 1, 2, FILE) is None
    assert seen == [("/x", 3, 2, 0o100645), ("/gone", 3, 2, FILE)]


@pytest.mark.parametrize("bits", [-1, -(1 << 31), 1 << 16, 0o20000])
def test_modes_that_no_file_has_are_refused(bits: int) -> None:
    for modifier in (Modifier(add_modes={"/x": bits}), Modifier(replace_modes={"/x": bits})):
        with pytest.raises(FormatError, match="invalid mode"):
            modifier.apply_at("/x", 0, 0, FILE)


def test_type_bits_that_are_there_do_no_harm() -> None:
    assert Modifier(replace_modes={"/x": 0o100600}).apply_at("/x", 0, 0, FILE) == (0, 0, 0o100600)


def test_labels_replace_a_label() -> None:
    def label(path: str, mode: int) -> bytes | None:
        return f"{path}:{mode:o}\0".encode() if path != "/none" else None

    modifier = Modifier(label=label)

    assert modifier.by_path
    assert modifier.header_at(
        "/x", 1, 2, FILE, "", ((b"security.selinux", b"old"), (b"user.a", b"1"))
    ) == FileHeader(1, 2, FILE, "", ((b"security.selinux", b"/x:100644\0"), (b"user.a", b"1")))
    assert modifier.dirmeta_at("/none", 1, 2, 0o40755, ((b"user.a", b"1"),)) == DirMeta(
        1, 2, 0o40755, ((b"user.a", b"1"),)
    )


def test_what_is_skipped_has_neither_header_nor_metadata() -> None:
    modifier = Modifier(skip=["/f", "/d"])

    assert modifier.header_at("/f", 0, 0, FILE, "", ()) is None
    assert modifier.dirmeta_at("/d", 0, 0, 0o40755, ()) is None


def test_bits_are_not_added_to_directories_that_are_walked() -> None:
    """Except the root; the path counts as found.  Archives, which are not walked, are as files."""
    modifier = Modifier(add_modes={"/": 0o2, "/d": 0o2, "/e": 0o2}, replace_modes={"/d": 0o700})

    assert modifier.walked_dirmeta_at("/", 0, 0, 0o40755, ()) == DirMeta(0, 0, 0o40757)
    assert modifier.walked_dirmeta_at("/d", 0, 0, 0o40755, ()) == DirMeta(0, 0, 0o40700)
    assert modifier.dirmeta_at("/e", 0, 0, 0o40755, ()) == DirMeta(0, 0, 0o40757)
    modifier.require_matched()


def test_the_canonical_form_drops_attributes_except_those_in_archives() -> None:
    modifier = Modifier(canonical_permissions=True)

    assert (modifier.drops_xattrs, modifier.no_xattrs) == (True, False)
    assert modifier.for_repository(RepoMode.BARE_USER_ONLY).no_xattrs


@pytest.mark.parametrize(
    ("modifier", "neutral"),
    [
        (Modifier(), True),
        (Modifier(owner_uid=0), False),
        (Modifier(owner_gid=0), False),
        (Modifier(ro_executables=True), False),
        (Modifier(no_xattrs=True), False),
        (Modifier(canonical_permissions=True), False),
        (Modifier(skip=["/x"]), False),
    ],
)
def test_whether_it_changes_anything(modifier: Modifier, neutral: bool) -> None:
    assert modifier.is_neutral is neutral


def test_what_matched_nothing_is_told() -> None:
    modifier = Modifier(add_modes={"/a": 1, "/b": 1}, replace_modes={"/c": 1}, skip=["/d"])
    modifier.apply_at("/a", 0, 0, FILE)

    assert (modifier.unmatched_modes, modifier.unmatched_skips) == (["/b"], ["/d"])
    with pytest.raises(NotFoundError, match=r"^Unmatched statoverride paths$"):
        modifier.require_matched()
    modifier.apply_at("/b", 0, 0, FILE)
    with pytest.raises(NotFoundError, match=r"^Unmatched skip-list paths$"):
        modifier.require_matched()
    modifier.apply_at("/d", 0, 0, FILE)
    modifier.require_matched()


def test_a_repository_without_owners_has_the_canonical_form_and_the_same_lists() -> None:
    modifier = Modifier(skip=["/x"], owner_uid=3)

    changed = modifier.for_repository(RepoMode.BARE_USER_ONLY)

    assert changed.apply_at("/y", 1, 2, 0o104777) == (0, 0, 0o100755)
    assert changed.no_xattrs
    assert changed.apply_at("/x", 1, 2, FILE) is None
    assert modifier.unmatched_skips == []
    assert modifier.for_repository(RepoMode.BARE) is modifier


def test_a_repository_can_do_without_attributes() -> None:
    modifier = Modifier().for_repository(RepoMode.ARCHIVE, disable_xattrs=True)

    assert (modifier.drops_xattrs, modifier.no_xattrs) == (True, False)
