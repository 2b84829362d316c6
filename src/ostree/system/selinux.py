"""Labels of files, as an SELinux policy in a directory gives them.

Nothing here needs a kernel with SELinux, or its library, so trees can be labelled anywhere.
"""

from __future__ import annotations

import errno
import os

from ostree.errors import FormatError, OSTreeError
from ostree.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.file_contexts import FileContexts

#: The attribute that holds a label, with the NUL at the label's end as part of its value.
ATTRIBUTE = b"security.selinux"

_MAX_CONFIG = 1 << 20
_MAX_CONTEXTS = 1 << 26


class Policy:
    """The part of a policy that says which label a file gets.

    Attributes:
        name: What ``SELINUXTYPE`` calls it, ``targeted`` for example.
        root: The directory it was read from.
    """

    def __init__(self, name: str, root: str, contexts: FileContexts) -> None:
        self.name = name
        self.root = root
        self._contexts = contexts

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Policy | None:
        """The policy of a tree: what ``etc/selinux`` (or ``usr/etc/selinux``) below it configures.

        Returns:
            None if the tree has none, or has it disabled.

        Raises:
            OSTreeError: if it has one that cannot be used.
        """
        top = os.fspath(path)
        try:
            os.close(files.open_directory(top))
        except OSError as error:
            raise OSTreeError(files.describe(f"opendir({top})", error)) from error
        for etc in ("etc", "usr/etc"):
            base = os.path.join(top, etc, "selinux")
            # Where there is the directory, even without the file, the other place does not count.
            if os.path.isdir(base):
                return cls._open_configured(base)
        return None

    @classmethod
    def _open_configured(cls, base: str) -> Policy | None:
        try:
            text = files.read_file(os.path.join(base, "config"), limit=_MAX_CONFIG)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OSTreeError(files.describe(f"openat({base}/config)", error)) from error
        name = configured_name(os.fsdecode(text))
        if name is None:
            return None
        if not name or "/" in name:
            raise OSTreeError(f"Invalid SELINUXTYPE '{name}' in {base}/config")
        root = os.path.join(base, name)
        try:
            policy = cls._open_root(name, root)
        except OSTreeError as error:
            error.add_prefix(f"With policy root '{root}'")
            raise
        try:
            _check_binary_policy(os.path.join(root, "policy"))
        except OSTreeError as error:
            error.add_prefix("While calculating SELinux checksum")
            raise
        return policy

    @classmethod
    def of_files(cls, root: str) -> Policy:
        """The policy in a directory such as ``/etc/selinux/targeted``, whoever configures it.

        Raises:
            OSTreeError: if it cannot be used.
        """
        return cls._open_root(os.path.basename(root), root)

    @classmethod
    def _open_root(cls, name: str, root: str) -> Policy:
        policy = cls(name, root, _read_contexts(os.path.join(root, "contexts/files/file_contexts")))
        if policy.label("/", 0o040755) is None:
            reason = os.strerror(errno.ENOENT)
            raise OSTreeError(f"Failed to look up context of /: {reason}")
        return policy

    def label(self, path: str, mode: int) -> bytes | None:
        """The value of ``security.selinux`` for a file, NUL included; None for no label.

        Args:
            path: Absolute within the tree that is labelled.
            mode: With its type bits, which rules may ask for.

        Raises:
            OSTreeError: ``selabel_lookup: …``.
        """
        try:
            found = self._contexts.lookup(os.fsencode(path), mode)
        except FormatError as error:
            reason = os.strerror(errno.EINVAL)
            raise OSTreeError(f"selabel_lookup: {path}: {reason}", hint=str(error)) from error
        return None if found is None else found + b"\0"


def configured_name(text: str) -> str | None:
    """What ``/etc/selinux/config`` names as the policy; None if SELinux is not to be used.

    Words after the mode are ignored, and lines that do not start with a key, as upstream has it.
    """
    used = False
    name = ""
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals:
            continue
        if key == "SELINUX":
            used = value.lower().startswith(("enforcing", "permissive"))
        elif key == "SELINUXTYPE":
            name = value.rstrip()
    return name if used else None


def _read_contexts(path: str) -> FileContexts:
    """The rules in a file, and in those that go with it."""
    from ostree.formats import file_contexts

    call = "selabel_open(SELABEL_CTX_FILE)"
    rules = []
    for more in ("", ".homedirs", ".local"):
        data = _read(path + more, call, is_needed=not more)
        try:
            rules += file_contexts.parse_rules(data)
        except FormatError as error:
            reason = os.strerror(errno.EINVAL)
            raise OSTreeError(f"{call}: {reason}", hint=f"{path}{more}: {error}") from error
    pairs = [
        file_contexts.parse_substitutions(_read(path + more, call, is_needed=False))
        for more in (".subs", ".subs_dist")
    ]
    return file_contexts.FileContexts(rules, pairs)


def _read(path: str, call: str, *, is_needed: bool) -> bytes:
    try:
        return files.read_file(path, limit=_MAX_CONTEXTS)
    except OSError as error:
        if error.errno == errno.ENOENT and not is_needed:
            return b""
        raise OSTreeError(files.describe(call, error), hint=path) from error


def _check_binary_policy(directory: str) -> None:
    """Refuse labels from a policy that no kernel could load: it has no ``policy.NN``."""
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise OSTreeError(files.describe(f"opendir({directory})", error)) from error
    if not any(name.startswith("policy.") for name in names):
        raise OSTreeError("Could not find binary policy file")
