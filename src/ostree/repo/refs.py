"""Refs: names for commits, one file each (repository format §4.4)."""

from __future__ import annotations

import errno
import os
import stat

from ostree.errors import ExistsError, FormatError, NotFoundError, RepoError
from ostree.formats.refspec import (
    check_collection_id,
    check_new_ref_name,
    check_ref_name,
    format_refspec,
    is_valid_fragment,
    parse_refspec,
)
from ostree.system import files
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADS = "refs/heads"
REMOTES = "refs/remotes"
MIRRORS = "refs/mirrors"


def ref_path(refspec: str) -> str:
    """The file of a refspec, relative to the repository.

    Raises:
        FormatError: if it is no refspec.
    """
    remote, name = parse_refspec(refspec)
    return f"{HEADS}/{name}" if remote is None else f"{REMOTES}/{remote}/{name}"


class Refs:
    """The refs of one repository.

    Args:
        dir_fd: The repository's directory.
        sync: Whether writes reach the disk before they count.
    """

    def __init__(self, dir_fd: int, *, sync: bool = True) -> None:
        self._dir_fd = dir_fd
        self._sync = sync

    # reading ----------------------------------------------------------------------------------

    def get(self, refspec: str) -> Checksum | None:
        """The commit that a local (``REF``) or remote (``REMOTE:REF``) ref points to.

        Raises:
            FormatError: if it is no refspec, or the file holds no checksum.
        """
        return self.read(ref_path(refspec), parse_refspec(refspec)[1])

    def get_mirrored(self, collection: str, name: str) -> Checksum | None:
        """The same for a ref of a foreign collection.

        Raises:
            FormatError: if the collection ID or the name is none, or the file holds no checksum.
        """
        check_collection_id(collection)
        check_ref_name(name)
        return self.read(f"{MIRRORS}/{collection}/{name}", name)

    def read(self, path: str, name: str, shown: str | None = None) -> Checksum | None:
        """The commit in the file of a ref of that name; None if there is no such file.

        Errors name the file as ``shown``, or by its path.

        Raises:
            FormatError: if the file holds no checksum.
            NotFoundError: if it cannot be read: it is a directory, or what should be one is a ref.
        """
        try:
            text = files.read_file(path, self._dir_fd, limit=4096)
        except FileNotFoundError:
            return None
        except IsADirectoryError as error:
            raise NotFoundError(f"Couldn't open ref '{name}': {error.strerror}") from error
        except OSError as error:
            raise NotFoundError(files.describe(f"openat({shown or path})", error)) from error
        return Checksum(text.decode("utf-8", "replace").rstrip())

    def local(self) -> dict[str, str]:
        """Local refs and aliases, sorted, with what their files hold (not validated)."""
        return dict(self._walk(HEADS, ""))

    def remote(self, name: str | None = None) -> dict[str, str]:
        """Refs fetched from remotes (or one remote), as ``REMOTE:REF``, sorted."""
        names = [name] if name is not None else files.list_directory(REMOTES, self._dir_fd)
        found: dict[str, str] = {}
        for remote in names:
            for ref, value in self._walk(f"{REMOTES}/{remote}", ""):
                found[f"{remote}:{ref}"] = value
        return found

    def mirrored(self) -> dict[tuple[str, str], str]:
        """Refs of foreign collections: (collection ID, ref), sorted."""
        found: dict[tuple[str, str], str] = {}
        for collection in files.list_directory(MIRRORS, self._dir_fd):
            for ref, value in self._walk(f"{MIRRORS}/{collection}", ""):
                found[(collection, ref)] = value
        return found

    def all(self) -> dict[str, str]:
        """Local and remote refs, sorted by name."""
        return dict(sorted({**self.local(), **self.remote()}.items()))

    def _require_directories(self) -> None:
        """Refuse to say that there are no refs where the directory of refs is missing."""
        for directory in (HEADS, REMOTES):
            if not files.exists(directory, self._dir_fd):
                raise NotFoundError(
                    f"Listing refs: opendir({directory}): No such file or directory"
                )

    def list(self, prefix: str | None = None, *, full_names: bool = False) -> dict[str, str]:
        """Refs at or below a prefix, as the command lists them (§7.10).

        A prefix that is a ref gives that ref; one that is a directory gives the refs below it,
        without the prefix unless ``full_names``.

        Raises:
            FormatError: ``Listing refs: Invalid refspec …``.
            NotFoundError: if the repository has lost its directories of refs.
        """
        if prefix is None:
            self._require_directories()
            return self.all()
        if prefix.endswith(":"):
            return self.remote(prefix[:-1])
        try:
            remote, name = parse_refspec(prefix)
        except FormatError as error:
            error.add_prefix("Listing refs")
            raise
        path = ref_path(prefix)
        try:
            is_directory = stat.S_ISDIR(os.stat(path, dir_fd=self._dir_fd).st_mode)
        except FileNotFoundError:
            return {}
        except OSError as error:
            context = f"Listing refs: fstatat({path})"
            raise NotFoundError(files.describe(context, error)) from error
        if not is_directory:
            value = files.read_file(path, self._dir_fd, limit=4096)
            return {prefix: value.decode("utf-8", "replace").rstrip()}
        shown = f"{name}/" if full_names else ""
        return {format_refspec(remote, shown + ref): value for ref, value in self._walk(path, "")}

    def aliases(self) -> dict[str, str]:
        """Local refs that are symbolic links, with the ref that they lead to."""
        found = {}
        for name, _ in self._walk(HEADS, ""):
            try:
                target = os.readlink(f"{HEADS}/{name}", dir_fd=self._dir_fd)
            except OSError:
                continue
            found[name] = os.path.normpath(os.path.join(os.path.dirname(name), target))
        return found

    def find(self, name: str) -> Checksum | None:
        """Resolve a name without remote: local, then ``REMOTE/REF``, then any remote's.

        Raises:
            FormatError: if the file holds no checksum.
        """
        for path in (f"{HEADS}/{name}", f"{REMOTES}/{name}"):
            found = self.read(path, name)
            if found is not None:
                return found
        for remote in files.list_directory(REMOTES, self._dir_fd):
            found = self.read(f"{REMOTES}/{remote}/{name}", name, name)
            if found is not None:
                return found
        return None

    def _walk(self, path: str, prefix: str) -> Iterator[tuple[str, str]]:
        """(name, content) of ref files below a directory; names that can be no ref are skipped."""
        for name in files.list_directory(path, self._dir_fd):
            if not is_valid_fragment(name):
                continue
            here = f"{path}/{name}"
            try:
                text = files.read_file(here, self._dir_fd, limit=4096)
            except IsADirectoryError:
                yield from self._walk(here, f"{prefix}{name}/")
            except FileNotFoundError:
                continue  # a dangling alias, or removed meanwhile
            except OSError as error:
                context = f"Listing refs: openat({name})"
                raise NotFoundError(files.describe(context, error)) from error
            else:
                yield prefix + name, text.decode("utf-8", "replace").rstrip()

    # writing ----------------------------------------------------------------------------------

    def set(self, refspec: str, checksum: Checksum | None) -> None:
        """Point a ref at a commit, or delete it (deleting what is not there is no error).

        Raises:
            FormatError: if the name is not one for a ref.
            ExistsError: if refs below that name, or a ref above it, are in the way.
        """
        remote, name = parse_refspec(refspec)
        base = HEADS if remote is None else f"{REMOTES}/{remote}"
        self._set(base, name, checksum)

    def set_mirrored(self, collection: str, name: str, checksum: Checksum | None) -> None:
        """The same for a ref of a foreign collection; its ID has to be one."""
        check_collection_id(collection)
        self._set(f"{MIRRORS}/{collection}", name, checksum)

    def _set(self, base: str, name: str, checksum: Checksum | None) -> None:
        try:
            self._write(base, name, checksum)
        except OSError as error:
            call = "open(O_TMPFILE)" if checksum is not None else f"unlink({name})"
            raise RepoError(files.describe(call, error)) from error

    def _write(self, base: str, name: str, checksum: Checksum | None) -> None:
        path = f"{base}/{name}"
        if checksum is None:
            check_ref_name(name)
            try:
                os.unlink(path, dir_fd=self._dir_fd)
            except (FileNotFoundError, NotADirectoryError):
                return
        else:
            check_new_ref_name(name)
            content = Checksum(checksum).encode() + b"\n"
            self._clear_way(base, name)
            files.replace_file(path, content, self._dir_fd, sync=self._sync)
        # Watchers look at the modification time of the repository itself.
        os.utime(".", dir_fd=self._dir_fd)

    def set_alias(self, name: str, target: str) -> None:
        """Make a local ref another name of a local ref; replaces an alias of that name."""
        check_new_ref_name(name)
        self._clear_way(HEADS, name)
        link = "../" * name.count("/") + target
        try:
            files.replace_symlink(link, f"{HEADS}/{name}", self._dir_fd)
            os.utime(".", dir_fd=self._dir_fd)
        except OSError as error:
            raise RepoError(os.strerror(error.errno or 0)) from error

    def _clear_way(self, base: str, name: str) -> None:
        """Make the directories a ref needs; remove empty ones of its own name."""
        path = f"{base}/{name}"
        parent = os.path.dirname(path)
        try:
            files.make_directories(parent, self._dir_fd)
        except NotADirectoryError as error:
            raise ExistsError(f"openat({path}): {error.strerror}") from error
        if not files.exists(parent, self._dir_fd) or not stat.S_ISDIR(
            os.stat(parent, dir_fd=self._dir_fd).st_mode
        ):
            raise ExistsError(f"openat({path}): {os.strerror(errno.ENOTDIR)}")
        try:
            is_directory = stat.S_ISDIR(
                os.stat(path, dir_fd=self._dir_fd, follow_symlinks=False).st_mode
            )
        except FileNotFoundError:
            return
        if is_directory:
            for below, _ in self._walk(path, ""):
                raise ExistsError(f"Conflict: {below} exists under {name} when attempting write")
            files.remove_tree(path, self._dir_fd)
