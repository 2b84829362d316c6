"""Which kernel arguments a new deployment gets."""

from __future__ import annotations

import pytest

from ostree.errors import SysrootError, UsageError
from ostree.formats.kernel_arguments import KernelArguments
from ostree.sysroot.kernel_argument_options import (
    KernelArgumentOptions,
    select_kernel_arguments,
)

MERGE = KernelArguments.parse("root=x quiet ostree=/old")
RUNNING = "BOOT_IMAGE=/k root=running ostree=/r\n"


@pytest.mark.parametrize(
    ("options", "result"),
    [
        (KernelArgumentOptions(), "root=x quiet ostree=/old"),
        (KernelArgumentOptions(none=True), ""),
        (KernelArgumentOptions(running=True), "root=running ostree=/r"),
        (KernelArgumentOptions(append=["a", "a"]), "root=x quiet ostree=/old a a"),
        (KernelArgumentOptions(replace=["root=y", "new"]), "root=y quiet ostree=/old new"),
        (KernelArgumentOptions(delete=["quiet", "absent"]), "root=x ostree=/old"),
        (KernelArgumentOptions(none=True, append=["b"], replace=["a"]), "a b"),
    ],
)
def test_selection(options: KernelArgumentOptions, result: str) -> None:
    selected = select_kernel_arguments(options, merge=MERGE, proc_cmdline=RUNNING)

    assert str(selected) == result
    assert str(MERGE) == "root=x quiet ostree=/old"


def test_nothing_to_start_from() -> None:
    options = KernelArgumentOptions(append=["a"])

    assert str(select_kernel_arguments(options, merge=None, proc_cmdline="")) == "a"


def test_deleting_from_nothing_is_an_error() -> None:
    options = KernelArgumentOptions(delete=["a"])

    with pytest.raises(SysrootError, match="No merge deployment"):
        select_kernel_arguments(options, merge=None, proc_cmdline="")


@pytest.mark.parametrize(
    ("options", "merging", "message"),
    [
        (
            KernelArgumentOptions(none=True, running=True),
            True,
            "Can't specify both --karg-proc-cmdline and --karg-none",
        ),
        (
            KernelArgumentOptions(none=True, delete=["a"]),
            True,
            "Can't specify both --karg-none and --karg-delete",
        ),
        (
            KernelArgumentOptions(delete=["a"]),
            False,
            "Can't specify both --no-merge and --karg-delete",
        ),
    ],
)
def test_contradictions(options: KernelArgumentOptions, merging: bool, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        options.check(merging=merging)

    assert str(caught.value) == message
