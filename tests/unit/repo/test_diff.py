"""What differs between two trees, decided without a disk (repository format §7.9)."""

from __future__ import annotations

from ostree.repo.diff import ChangeKind, TreeEntry, compare
from ostree.types import Checksum

Tree = dict[str, "str | Tree"]


class Entry(TreeEntry):
    """A tree in memory: text is the content of a file, a directory may have ``.meta``.

    Attributes:
        opened: Paths of directories that were looked into.
    """

    def __init__(
        self, node: str | Tree, path: str = "", opened: list[str] | None = None, *, known: bool
    ) -> None:
        super().__init__(path.rpartition("/")[2], is_directory=isinstance(node, dict))
        self._node = node
        self._path = path
        self._known = known
        self.opened: list[str] = [] if opened is None else opened

    @property
    def path(self) -> str:
        return self._path

    @property
    def contents(self) -> Checksum | None:
        return digest(repr(self._node)) if self._known else None

    def checksum(self) -> Checksum:
        if isinstance(self._node, dict):
            return digest(str(self._node.get(".meta", "")))
        return digest(self._node)

    def children(self) -> list[Entry]:
        assert isinstance(self._node, dict)
        self.opened.append(self._path)
        entries = [
            Entry(node, f"{self._path}/{name}", self.opened, known=self._known)
            for name, node in self._node.items()
            if name != ".meta"
        ]
        return sorted(entries, key=lambda entry: (entry.is_directory, entry.name))


def digest(text: str) -> Checksum:
    import hashlib

    return Checksum(hashlib.sha256(text.encode()).hexdigest())


def changes(old: Tree, new: Tree, *, everything: bool = False, known: bool = True) -> str:
    found = compare(Entry(old, known=known), Entry(new, known=known), everything=everything)
    return " ".join(f"{change.kind.value}:{change.path}" for change in found)


def test_the_same_trees_have_no_differences() -> None:
    tree: Tree = {"a": "1", "d": {"b": "2"}}

    assert changes(tree, tree) == ""
    assert changes(tree, tree, known=False) == ""


def test_files_are_modified_deleted_and_added() -> None:
    assert changes({"a": "1", "b": "2"}, {"a": "9", "c": "3"}) == "M:/a D:/b A:/c"


def test_a_directory_is_modified_if_its_own_metadata_is() -> None:
    old: Tree = {"d": {".meta": "0755", "f": "1"}}
    new: Tree = {"d": {".meta": "0700", "f": "2"}}

    assert changes(old, new) == "M:/d M:/d/f"


def test_the_metadata_of_the_roots_does_not_count() -> None:
    assert changes({".meta": "0755"}, {".meta": "0700"}) == ""


def test_what_is_in_an_added_directory_is_named_and_what_was_in_a_deleted_one_not() -> None:
    directory: Tree = {"d": {"f": "1", "e": {"g": "2"}}}

    assert changes({}, directory) == "A:/d A:/d/f A:/d/e A:/d/e/g"
    assert changes(directory, {}) == "D:/d"


def test_a_change_of_type_is_one_modification() -> None:
    assert changes({"x": {"f": "1"}}, {"x": "file"}) == "M:/x"
    assert changes({"x": "file"}, {"x": {"f": "1"}}) == "M:/x"


def test_everything_names_what_deleted_and_replaced_directories_had() -> None:
    old: Tree = {"gone": {"f": "1"}, "was_dir": {"g": "2"}, "was_file": "3"}
    new: Tree = {"was_dir": "4", "was_file": {"h": "5"}}

    found = changes(old, new, everything=True)

    assert set(found.split()) == {
        "D:/gone",
        "D:/gone/f",
        "M:/was_dir",
        "D:/was_dir/g",
        "M:/was_file",
        "A:/was_file/h",
    }


def test_equal_directories_are_never_opened() -> None:
    old = Entry({"same": {"deep": {"f": "1"}}, "other": {"g": "1"}}, known=True)
    new = Entry({"same": {"deep": {"f": "1"}}, "other": {"g": "2"}}, known=True)

    found = list(compare(old, new))

    assert [change.path for change in found] == ["/other/g"]
    assert old.opened == ["", "/other"]
    assert new.opened == ["", "/other"]


def test_trees_may_be_deeper_than_the_stack() -> None:
    tree: Tree = {"f": "1"}
    other: Tree = {"f": "2"}
    for _ in range(300):  # repr() of the test's own tree sets the limit
        tree, other = {"d": tree}, {"d": other}

    found = list(compare(Entry(tree, known=False), Entry(other, known=False)))

    assert [change.kind for change in found] == [ChangeKind.MODIFIED]


def test_a_change_knows_both_sides() -> None:
    old = Entry({"a": "1", "b": "2"}, known=True)
    new = Entry({"a": "9", "c": "3"}, known=True)

    modified, deleted, added = compare(old, new)

    assert modified.old is not None
    assert modified.new is not None
    assert modified.old.checksum() != modified.new.checksum()
    assert deleted.new is None
    assert added.old is None
    assert repr(added) == "Change(A /c)"
