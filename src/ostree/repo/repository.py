"""The repository: what everything else reads and writes through."""

from __future__ import annotations

import os

from ostree.errors import (
    NotFoundError,
    OSTreeError,
    RefNotFoundError,
    RepoError,
)
from ostree.repo.config import Config
from ostree.repo.locking import RepoLock
from ostree.repo.objects import ObjectSource
from ostree.repo.refs import Refs
from ostree.store.layout import ObjectDirectory
from ostree.store.opening import make_sealing, open_store, share_payloads
from ostree.system import files
from ostree.system.closing import Closing, warn_unclosed
from ostree.types import Checksum, RepoMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.events import Listener
    from ostree.formats.keyfile import KeyFile
    from ostree.repo.checkout_options import CheckoutOptions
    from ostree.repo.diff import Change
    from ostree.repo.fsck_result import FsckResult
    from ostree.repo.prune import PruneResult
    from ostree.repo.prune_roots import Keep
    from ostree.repo.remotes import Remotes
    from ostree.repo.transaction import Transaction
    from ostree.repo.tree_view import Tree
    from ostree.sign.settings import SignSettings
    from ostree.store.store import LooseStore


class Repo(ObjectSource, Closing):
    """An open repository; a context manager.

    Attributes:
        path: Its absolute path.
        dir_fd: Descriptor of its directory.
        config: Its configuration.
        refs: Its refs.
        store: Its objects.
        lock: Its advisory lock.
        parent: The repository that is asked for what is missing here, if one is configured.
        writable: Whether objects can be written.
        boot_id: Names the staging directories of this boot.
        remotes_directory: Where remotes have files of their own, if they have.
        sign_settings: How signatures are made and verified.
        fails_to_publish: Whether every transaction is to fail at its end, as upstream's tests ask.
    """

    parent: Repo | None
    _is_open = False

    def __init__(
        self,
        path: str,
        dir_fd: int,
        config: Config,
        *,
        boot_id: str | None = None,
        remotes_directory: str | None = None,
        sign_settings: SignSettings | None = None,
        write_split_xattrs: bool = False,
        children: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.dir_fd = dir_fd
        self.config = config
        self.remotes_directory = remotes_directory
        self._boot_id = boot_id
        self._sign_settings = sign_settings
        self.fails_to_publish = False
        self._objects_fd = files.open_directory("objects", dir_fd=dir_fd)
        self.writable = os.access("objects", os.W_OK, dir_fd=dir_fd)
        self._tmp_fd = -1
        self.refs = Refs(dir_fd, sync=config.fsync)
        self.lock = RepoLock(dir_fd, config, writable=self.writable)
        self._remotes: Remotes | None = None
        try:
            self.store = self._make_store(config, write_split_xattrs=write_split_xattrs)
            self.parent = self._open_parent(children)
        except BaseException:
            for fd in {self._objects_fd, self._tmp_fd} - {-1}:
                os.close(fd)
            raise
        self._is_open = True

    def __del__(self) -> None:
        if self._is_open:
            warn_unclosed(self)
            self.close()

    def __repr__(self) -> str:
        return f"<Repo {self.path!r}>"

    if not TYPE_CHECKING:  # A type checker knows the attributes that there are.

        def __getattr__(self, name: str) -> object:
            if name in {"store", "refs", "lock", "dir_fd"}:
                raise RepoError(f"The repository is closed: {self.path}")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # opening ----------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        boot_id: str | None = None,
        remotes_directory: str | None = None,
        sign_settings: SignSettings | None = None,
        write_split_xattrs: bool = False,
        children: tuple[str, ...] = (),
    ) -> Repo:
        """Open an existing repository.

        Args:
            path: Its directory.
            boot_id: Names staging directories; the machine's own if None.
            remotes_directory: Directory of ``*.conf`` files with further remotes.
            sign_settings: How signatures are made and verified; as usual if None.
            write_split_xattrs: Whether content may be written in mode bare-split-xattrs.
            children: Paths of the repositories that have this one as parent, directly or not
                (for internal use).

        Raises:
            NotFoundError: ``opening repo: opendir(…): No such file or directory``.
            FormatError: if the configuration is wrong.
        """
        absolute = os.path.abspath(files.path_text(path))
        try:
            dir_fd = files.open_directory(absolute)
        except OSError as error:
            text = files.describe(f"opening repo: opendir({absolute})", error)
            raise NotFoundError(text) from error
        try:
            return cls(
                absolute,
                dir_fd,
                Config.load(dir_fd),
                boot_id=boot_id,
                remotes_directory=remotes_directory,
                sign_settings=sign_settings,
                write_split_xattrs=write_split_xattrs,
                children=children,
            )
        except BaseException as error:
            os.close(dir_fd)
            if isinstance(error, OSTreeError):
                error.add_prefix("opening repo")
            raise

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        mode: RepoMode | str = RepoMode.BARE,
        *,
        collection_id: str | None = None,
    ) -> Repo:
        """Make a repository and open it; one that exists is opened unchanged.

        Raises:
            FormatError: if mode or collection ID are none.
            RepoError: if the directory cannot be made, or the file system does not suit the mode.
        """
        from ostree.repo.creating import create

        return cls.open(create(path, mode, collection_id))

    def close(self) -> None:
        """Give its descriptors back; what needs them is an error from now on."""
        if not self._is_open:
            return
        self._is_open = False
        for fd in {self._objects_fd, self._tmp_fd, self.dir_fd} - {-1}:
            os.close(fd)
        # Their numbers may soon be those of other files.
        del self.dir_fd, self.store, self.refs, self.lock
        if self.parent is not None:
            self.parent.close()

    def _open_parent(self, children: tuple[str, ...]) -> Repo | None:
        path = self.config.parent
        if not path:
            return None
        absolute = os.path.normpath(os.path.join(self.path, path))
        family = (*children, self.path)
        if any(_is_same(absolute, member) for member in family):
            raise RepoError(f"Parent repository '{path}' is one of its own descendants")
        try:
            return Repo.open(absolute, children=family)
        except OSTreeError as error:
            error.add_prefix(f"While checking parent repository '{path}'")
            raise

    def _make_store(self, config: Config, *, write_split_xattrs: bool) -> LooseStore:
        if self.writable:
            try:
                self._tmp_fd = files.open_directory("tmp", dir_fd=self.dir_fd)
            except FileNotFoundError:
                os.mkdir("tmp", 0o775, dir_fd=self.dir_fd)
                self._tmp_fd = files.open_directory("tmp", dir_fd=self.dir_fd)
        sealing = make_sealing(config.verity)
        store = open_store(
            ObjectDirectory(self._objects_fd, self._tmp_fd, sealing=sealing),
            config.mode,
            zlib_level=config.zlib_level,
            with_xattrs=not config.disable_xattrs,
            write_split_xattrs=write_split_xattrs,
        )
        if config.payload_link_threshold is not None:
            share_payloads(store, config.payload_link_threshold)
        return store

    # properties -------------------------------------------------------------------------------

    @property
    def mode(self) -> RepoMode:
        """How objects are stored."""
        return self.config.mode

    @property
    def boot_id(self) -> str:
        """Names the staging directories of this boot."""
        if self._boot_id is None:
            from ostree.repo.staging import boot_id

            self._boot_id = boot_id()
        return self._boot_id

    @property
    def sign_settings(self) -> SignSettings:
        """How signatures are made and verified."""
        if self._sign_settings is None:
            from ostree.sign.settings import SignSettings

            self._sign_settings = SignSettings()
        return self._sign_settings

    @property
    def remotes(self) -> Remotes:
        """Its remotes, the parent's included."""
        if self._remotes is None:
            from ostree.repo.remotes import Remotes

            self._remotes = Remotes(
                self.dir_fd,
                self.config,
                self.save_config,
                directory=self.remotes_directory,
                parent=self.parent.remotes if self.parent is not None else None,
            )
        return self._remotes

    def require_writable(self) -> None:
        """Refuse early what could not be finished.

        Raises:
            RepoError: ``Cannot write to repository: Permission denied``.
        """
        if not self.writable:
            raise RepoError("Cannot write to repository: Permission denied")

    def save_config(self, keyfile: KeyFile) -> None:
        """Replace the configuration, on disk and here, after checking it.

        Raises:
            FormatError: if the repository could not be opened with it.
            RepoError: if it cannot be written.
        """
        Config(keyfile).validate()
        try:
            files.replace_file("config", keyfile.to_bytes(), self.dir_fd, sync=self.config.fsync)
        except OSError as error:
            raise RepoError(files.describe("open(O_TMPFILE)", error)) from error
        self.config.keyfile = keyfile

    # revisions --------------------------------------------------------------------------------

    def resolve(self, rev: str) -> Checksum:
        """The commit that a revision means: checksum, abbreviation, ref, each with ``^``.

        Raises:
            RefNotFoundError: ``Refspec 'X' not found``, ``Refspec X not unique``.
            FormatError: if it is no revision.
        """
        from ostree.repo.revision import resolve

        return resolve(self, rev)

    def find(self, rev: str) -> Checksum | None:
        """As :meth:`resolve`, but None if the ref does not exist."""
        try:
            return self.resolve(rev)
        except RefNotFoundError:
            return None

    def tree(self, rev: str) -> Tree:
        """The root directory of a commit (any revision), as a read-only mapping.

        Raises:
            OSTreeError: if there is no such commit, or it is damaged.
        """
        from ostree.repo.tree_view import root_view

        return root_view(self, self.load_commit(self.resolve(rev)).root)

    # work -------------------------------------------------------------------------------------

    def transaction(
        self,
        *,
        fsync: bool | None = None,
        per_object_fsync: bool = False,
        exact_sizes: bool = False,
    ) -> Transaction:
        """A context manager to write through.

        Args:
            fsync: False leaves out all syncing; None follows the configuration.
            per_object_fsync: Sync every content object as it is written, as if configured so.
            exact_sizes: Compress as the reference does, which takes longer: sizes that become part
                of a commit are the same then.

        Raises:
            RepoError: if the repository is not writable.
        """
        from ostree.repo.transaction import Transaction

        return Transaction(
            self, fsync=fsync, per_object_fsync=per_object_fsync, exact_sizes=exact_sizes
        )

    def checkout(
        self,
        commit: str,
        destination: str | os.PathLike[str],
        *,
        options: CheckoutOptions | None = None,
        subpath: str = "/",
        dir_fd: int | None = None,
        on_event: Listener | None = None,
    ) -> None:
        """Write the tree of a commit (any revision), or a part of it, into a directory.

        Args:
            commit: The revision.
            destination: The directory; for a ``subpath`` that is a file, the directory it is
                put into.  Links below it are not followed, whatever is there already.
            options: How.
            subpath: The part, a path in the tree.
            dir_fd: What ``destination`` is relative to, if not the current directory.
            on_event: Is given :class:`~ostree.events.StepProgress` of ``checkout``; its total is
                unknown until the end if there is a list of what to skip.

        Raises:
            OSTreeError: naming what is missing, damaged or in the way.
        """
        from ostree.repo.checkout import checkout

        checkout(self, self.resolve(commit), destination, options, subpath, dir_fd, on_event)

    def diff(
        self,
        old: str | os.PathLike[str],
        new: str | os.PathLike[str],
        *,
        everything: bool = False,
        with_xattrs: bool = True,
        owner_uid: int | None = None,
        owner_gid: int | None = None,
    ) -> Iterator[Change]:
        """What differs between two trees, as it is found.

        Args:
            old: A revision, as text, or the path of a local directory (``pathlib.Path``).
            new: The same.
            everything: Name also what was in deleted directories and what replaced them.
            with_xattrs: Whether extended attributes of local files count.
            owner_uid: Owner that files of ``new``, if it is local, are taken to have.
            owner_gid: The same for the group.

        Raises:
            OSTreeError: from the iterator, naming what cannot be found or read.
        """
        from ostree.repo.diff_sides import diff

        return diff(
            self,
            old,
            new,
            everything=everything,
            with_xattrs=with_xattrs,
            owner_uid=owner_uid,
            owner_gid=owner_gid,
        )

    def fsck(
        self,
        *,
        delete: bool = False,
        keep_going: bool = False,
        verify_bindings: bool = False,
        verify_back_refs: bool = False,
        on_event: Listener | None = None,
    ) -> FsckResult:
        """Verify every object of every commit (repository format §8.3).

        Raises:
            CorruptionError: at the first bad object, unless ``keep_going`` or ``delete``.
        """
        from ostree.repo.fsck import Fsck, FsckOptions

        options = FsckOptions(
            delete=delete,
            keep_going=keep_going,
            verify_bindings=verify_bindings,
            verify_back_refs=verify_back_refs,
        )
        return Fsck(self, options, on_event=on_event).run()

    def prune(
        self,
        keep: Keep | None = None,
        *,
        delete_commit: str | None = None,
        commit_only: bool = False,
        dry_run: bool = False,
        on_event: Listener | None = None,
    ) -> PruneResult:
        """Delete objects that nothing needs, under the exclusive lock (repository format §8.2).

        Args:
            keep: What keeps commits; None for all that refs lead to, with their history.
            delete_commit: The checksum of a commit to delete first, which no ref may point to; it
                leaves a tombstone.
            commit_only: Look at commits alone; what they contain stays.
            dry_run: Delete nothing, and tell what would be.
            on_event: Is given :class:`~ostree.events.StepProgress` of ``reach``, ``scan`` and
                ``prune``, in this order.

        Raises:
            RefNotFoundError: if a branch that ``keep`` names does not exist.
            ExistsError: if a ref points to the commit to delete.
            OSTreeError: if an object that is needed cannot be read; nothing else is deleted then.
        """
        from ostree.repo.prune import PruneRequest, carry_out
        from ostree.repo.prune_roots import Keep

        request = PruneRequest(
            keep or Keep(), delete_commit=delete_commit, commit_only=commit_only, dry_run=dry_run
        )
        return carry_out(self, request, on_event=on_event)

    def refs_changed(self) -> None:
        """Have the summary follow where it is configured to; for changes outside transactions."""
        if self.config.auto_update_summary:
            from ostree.repo import summary

            summary.refresh(self)

    def is_partial(self, commit: str) -> bool:
        """Whether objects of a commit are known to be missing, perhaps."""
        return files.exists(f"state/{commit}.commitpartial", self.dir_fd)


def _is_same(path: str, other: str) -> bool:
    """Whether both lead to one directory."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
