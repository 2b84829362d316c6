"""The table of commands, in the order of the help text.  Each has a module of its name here."""

from __future__ import annotations

from ostree.cli.command import Entry, Group

ROOT = Group(
    "",
    "ostree.cli.commands",
    (
        Entry("admin", "Commands for managing a host system booted with ostree"),
        Entry("cat", "Concatenate contents of files"),
        Entry("checkout", "Check out a commit into a filesystem tree"),
        Entry("checksum", "Checksum a file or directory"),
        Entry("commit", "Commit a new revision"),
        Entry("config", "Change repo configuration settings"),
        Entry("diff", "Compare directory TARGETDIR against revision REV"),
        Entry("export", "Stream COMMIT to stdout in tar format"),
        Entry("find-remotes", "Find remotes to serve the given refs"),
        Entry("create-usb", "Copy the refs to a USB stick"),
        Entry("fsck", "Check the repository for consistency"),
        Entry("gpg-sign", "Sign a commit"),
        Entry("image", "Commands for disk images of devices"),
        Entry("init", "Initialize a new empty repository"),
        Entry("log", "Show log starting at commit or ref"),
        Entry("ls", "List file paths"),
        Entry("prune", "Search for unreachable objects"),
        Entry("pull-local", "Copy data from SRC_REPO"),
        Entry("pull", "Download data from remote repository"),
        Entry("ramdisk", "Prepare the root file system of a deployment when it starts"),
        Entry("refs", "List refs"),
        Entry("remote", "Remote commands that may involve internet access"),
        Entry("reset", "Reset a REF to a previous COMMIT"),
        Entry("rev-parse", "Output the target of a rev"),
        Entry("serve", "Serve a directory of repositories over HTTP"),
        Entry("sign", "Sign a commit"),
        Entry("show", "Output a metadata object"),
        Entry("static-delta", "Static delta related commands"),
        Entry("summary", "Manage summary metadata"),
        Entry("tree", "Commands for root file systems that are to be committed"),
        Entry("trivial-httpd", "Simple webserver", hidden=True),
    ),
)
