"""Labels of files, as an SELinux policy in a directory gives them.

The rules are a library's business (libselinux): regular expressions, substitutions, compiled forms.
Nothing here needs a kernel with SELinux, so trees can be labelled anywhere.
"""

from __future__ import annotations

import errno
import os

from ostree.errors import OSTreeError
from ostree.system import files
from ostree.system.closing import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes

#: The attribute that holds a label, with the NUL at the label's end as part of its value.
ATTRIBUTE = b"security.selinux"

_LIBRARY = "libselinux.so.1"
_MAX_CONFIG = 1 << 20
# From <selinux/label.h>.
_SELABEL_CTX_FILE = 0
_SELABEL_OPT_PATH = 3


class Policy(Closing):
    """A policy that is open for look-ups; to be used from one thread.

    Attributes:
        name: What ``SELINUXTYPE`` calls it, ``targeted`` for example.
        root: The directory it was read from.
    """

    def __init__(
        self, name: str, root: str, library: ctypes.PyDLL, handle: ctypes.c_void_p
    ) -> None:
        self.name = name
        self.root = root
        self._library = library
        self._handle: ctypes.c_void_p | None = handle

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Policy | None:
        """The policy of a tree: what ``etc/selinux`` (or ``usr/etc/selinux``) below it configures.

        Returns:
            None if the tree has none, or has it disabled.

        Raises:
            OSTreeError: if it has one that cannot be used, or there is no libselinux to use it.
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
            policy.close()
            error.add_prefix("While calculating SELinux checksum")
            raise
        return policy

    @classmethod
    def _open_root(cls, name: str, root: str) -> Policy:
        library = _load_library()
        handle = _open_handle(library, os.path.join(root, "contexts/files/file_contexts"))
        policy = cls(name, root, library, handle)
        try:
            if policy.label("/", 0o040755) is None:
                reason = os.strerror(errno.ENOENT)
                raise OSTreeError(f"Failed to look up context of /: {reason}")
        except OSTreeError:
            policy.close()
            raise
        return policy

    def label(self, path: str, mode: int) -> bytes | None:
        """The value of ``security.selinux`` for a file, NUL included; None for no label.

        Args:
            path: Absolute within the tree that is labelled.
            mode: With its type bits, which rules may ask for.

        Raises:
            OSTreeError: ``selabel_lookup: …``.
        """
        import ctypes

        context = ctypes.c_char_p()
        ctypes.set_errno(0)  # a rule that cannot be compiled leaves it alone
        result = self._library.selabel_lookup_raw(
            self._handle, ctypes.byref(context), os.fsencode(path), mode
        )
        if result != 0:
            number = ctypes.get_errno()
            if number == errno.ENOENT:
                return None
            raise OSTreeError(f"selabel_lookup: {path}: {os.strerror(number or errno.EINVAL)}")
        try:
            return (context.value or b"") + b"\0"
        finally:
            self._library.freecon(context)

    def close(self) -> None:
        """Give the memory back."""
        if self._handle is not None:
            self._library.selabel_close(self._handle)
            self._handle = None


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


def _load_library() -> ctypes.PyDLL:
    """libselinux; calls keep the interpreter's lock, as its look-ups were not always safe without."""
    import ctypes

    try:
        library = ctypes.PyDLL(_LIBRARY, use_errno=True)
    except OSError as error:
        raise OSTreeError(
            f"SELinux labels need {_LIBRARY}, which cannot be loaded",
            hint="Debian and Ubuntu call the package libselinux1, Fedora libselinux",
        ) from error
    library.selabel_open.restype = ctypes.c_void_p
    library.selabel_open.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint]
    library.selabel_lookup_raw.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    library.selabel_close.argtypes = [ctypes.c_void_p]
    library.selabel_close.restype = None
    library.freecon.argtypes = [ctypes.c_char_p]
    library.freecon.restype = None
    return library


def _open_handle(library: ctypes.PyDLL, file_contexts: str) -> ctypes.c_void_p:
    """A handle on the rules in a file, and in those that go with it."""
    import ctypes

    class Option(ctypes.Structure):
        """``struct selinux_opt``."""

        _fields_ = (("type", ctypes.c_int), ("value", ctypes.c_char_p))

    ctypes.set_errno(0)
    option = Option(_SELABEL_OPT_PATH, os.fsencode(file_contexts))
    handle = library.selabel_open(_SELABEL_CTX_FILE, ctypes.byref(option), 1)
    if not handle:
        reason = os.strerror(ctypes.get_errno() or errno.EINVAL)
        raise OSTreeError(f"selabel_open(SELABEL_CTX_FILE): {reason}", hint=file_contexts)
    return ctypes.c_void_p(handle)


def _check_binary_policy(directory: str) -> None:
    """Refuse labels from a policy that no kernel could load: it has no ``policy.NN``."""
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise OSTreeError(files.describe(f"opendir({directory})", error)) from error
    if not any(name.startswith("policy.") for name in names):
        raise OSTreeError("Could not find binary policy file")
