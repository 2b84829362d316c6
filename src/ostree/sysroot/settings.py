"""Switches for developers and tests; the command reads them from its environment."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.sign.settings import SignSettings

_SEPARATORS = str.maketrans(":;,\t", "    ")

#: What ``OSTREE_SYSROOT_DEBUG`` may hold.
DEBUG_WORDS = ("mutable-deployments", "test-fifreeze", "no-xattrs", "no-dtb")
#: What ``OSTREE_SYSROOT_OPTS`` may hold.
OPTION_WORDS = ("skip-sync", "no-early-prune", "bootloader-naming-1")


class SysrootSettings:
    """How some steps are done.

    Attributes:
        immutable: Whether a deployment's directory gets the immutable attribute.
        xattrs: Whether the merge of ``/etc`` copies extended attributes.
        device_trees: Whether device trees belong to the kernel.
        run_directory: Where the state of the running system is.
        proc_directory: Where the kernel tells its command line.
        host_directory: The root of the running system.
        environ: The environment of programs that are run, all of it.
        signing: How signatures are made and verified; as usual if None.
        boot_id: What the repository takes for the identity of this boot; the system's if None.
        fails_to_publish: Whether transactions of the repository fail when they are to be
            published, as a test wants.
        sync: Whether a new boot configuration is brought to the disk before and after it becomes
            the active one; only tests can do without.
        early_prune: Whether room is made in a full ``/boot`` before a new kernel is installed.
        old_entry_names: Whether files of boot entries are named as before 2024.5.
        test_freezing: Whether freezing ``/boot`` fails, after its watchdog has run.
    """

    __slots__ = (
        "boot_id",
        "device_trees",
        "early_prune",
        "environ",
        "fails_to_publish",
        "host_directory",
        "immutable",
        "old_entry_names",
        "proc_directory",
        "run_directory",
        "signing",
        "sync",
        "test_freezing",
        "xattrs",
    )

    def __init__(
        self,
        *,
        immutable: bool = True,
        xattrs: bool = True,
        device_trees: bool = True,
        run_directory: str = "/run",
        proc_directory: str = "/proc",
        host_directory: str = "/",
        environ: Mapping[str, str] | None = None,
        signing: SignSettings | None = None,
        boot_id: str | None = None,
        fails_to_publish: bool = False,
        sync: bool = True,
        early_prune: bool = True,
        old_entry_names: bool = False,
        test_freezing: bool = False,
    ) -> None:
        self.immutable = immutable
        self.xattrs = xattrs
        self.device_trees = device_trees
        self.run_directory = run_directory
        self.proc_directory = proc_directory
        self.host_directory = host_directory
        self.environ = {} if environ is None else environ
        self.signing = signing
        self.boot_id = boot_id
        self.fails_to_publish = fails_to_publish
        self.sync = sync
        self.early_prune = early_prune
        self.old_entry_names = old_entry_names
        self.test_freezing = test_freezing


def parse_debug_words(text: str, known: frozenset[str]) -> frozenset[str]:
    """The words of a list in the manner of GLib's debug strings.

    Separators are ``:;,`` and blanks; case does not count, nor does the difference of ``-`` and
    ``_``; unknown words are ignored; ``all`` means all but those listed beside it.
    """
    words = {word.lower().replace("_", "-") for word in text.translate(_SEPARATORS).split()}
    if "all" in words:
        return known - words
    return known & words


def parse_settings(
    debug: str,
    options: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    signing: SignSettings | None = None,
) -> SysrootSettings:
    """The settings that ``OSTREE_SYSROOT_DEBUG`` and ``OSTREE_SYSROOT_OPTS`` ask for.

    Args:
        debug: The value of the first.
        options: That of the second.
        environ: The environment of programs that are run.
        signing: How signatures are made and verified.
    """
    words = parse_debug_words(debug, frozenset(DEBUG_WORDS))
    choices = parse_debug_words(options, frozenset(OPTION_WORDS))
    return SysrootSettings(
        immutable="mutable-deployments" not in words,
        xattrs="no-xattrs" not in words,
        device_trees="no-dtb" not in words,
        environ=environ,
        signing=signing,
        sync="skip-sync" not in choices,
        early_prune="no-early-prune" not in choices,
        old_entry_names="bootloader-naming-1" in choices,
        test_freezing="test-fifreeze" in words,
    )
