"""``ostree remote``: the remotes of a repository."""

from __future__ import annotations

from ostree.cli.command import Entry, Group

GROUP = Group(
    "remote",
    "ostree.cli.commands.remote",
    (
        Entry("add", "Add a remote repository"),
        Entry("delete", "Delete a remote repository"),
        Entry("show-url", "Show remote repository URL"),
        Entry("list", "List remote repository names"),
        Entry("gpg-import", "Import GPG keys"),
        Entry("gpg-list-keys", "Show remote GPG keys"),
        Entry("add-cookie", "Add a cookie to remote"),
        Entry("delete-cookie", "Remove one cookie from remote"),
        Entry("list-cookies", "Show remote repository cookies"),
        Entry("refs", "List remote refs"),
        Entry("summary", "Show remote summary"),
    ),
    summary="Remote commands that may involve internet access",
)
