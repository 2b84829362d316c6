"""``ostree admin``: the deployments of a system."""

from __future__ import annotations

from ostree.cli.command import Entry, Group
from ostree.cli.sysroot import OPTIONS, print_current_directory

GROUP = Group(
    "admin",
    "ostree.cli.commands.admin",
    (
        Entry("cleanup", "Delete untagged deployments and repository objects"),
        Entry("config-diff", "Diff current /etc configuration versus default"),
        Entry("deploy", "Checkout revision REFSPEC as the new default deployment"),
        Entry("finalize-staged", "Internal command to run at shutdown time", hidden=True),
        Entry(
            "lock-finalization",
            "Change the finalization locking state of the staged deployment",
        ),
        Entry(
            "boot-complete",
            "Internal command to run at boot after an update was applied",
            hidden=True,
        ),
        Entry(
            "impl-prepare-soft-reboot",
            "Internal command to prepare for a soft reboot",
            hidden=True,
        ),
        Entry("prepare-soft-reboot", "Prepare a deployment for a soft reboot"),
        Entry(
            "state-overlay",
            "Internal command to assemble a state overlay",
            hidden=True,
        ),
        Entry("health-check", "Check a booted system, and tell the boot loader that it is up"),
        Entry("init-fs", "Initialize a root filesystem"),
        Entry("instutil", "Deprecated commands intended for installer programs", hidden=True),
        Entry("os-init", "Initialize empty state for given operating system"),
        Entry("stateroot-init", "Initialize empty state for given operating system"),
        Entry("pin", 'Change the "pinning" state of a deployment'),
        Entry("post-copy", "Update the repo and deployments as needed after a copy"),
        Entry("set-origin", "Set Origin and create a new origin file"),
        Entry("status", "List deployments"),
        Entry("switch", "Construct new tree from REFSPEC and deploy it"),
        Entry("undeploy", "Delete deployment INDEX"),
        Entry("set-default", "Make deployment INDEX the default"),
        Entry("rollback", "Make the deployment before the current one the default"),
        Entry("unlock", "Make the current deployment mutable (as a hotfix or development)"),
        Entry("upgrade", "Construct new tree from current origin and deploy it, if it changed"),
        Entry("install-units", "Install systemd units and generator into the tree of a system"),
        Entry("impl-remount", "Internal command to remount file systems at boot", hidden=True),
        Entry("impl-system-generator", "Internal command to generate units at boot", hidden=True),
        Entry("kargs", "Change kernel arguments"),
    ),
    summary="Commands for managing a host system booted with ostree",
    usage="[OPTION…] --print-current-dir|COMMAND",
    entry_width=25,
    options=OPTIONS,
    before=print_current_directory,
    passes_dashes=True,
)
