"""A small SELinux policy in a directory, as a tree of an operating system has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "# which policy\nSELINUX=enforcing\nSELINUXTYPE=small\n"
CONTEXTS = (
    "/.*\tsystem_u:object_r:default_t:s0\n"
    "/usr(/.*)?\tsystem_u:object_r:usr_t:s0\n"
    "/usr/bin/.*\t--\tsystem_u:object_r:bin_t:s0\n"
    "/etc(/.*)?\tsystem_u:object_r:etc_t:s0\n"
    "/nolabel\t<<none>>\n"
)


def make_policy(
    top: Path, *, etc: str = "etc", config: str = CONFIG, contexts: str = CONTEXTS
) -> Path:
    """Write a policy called ``small`` below a tree's ``/etc``; returns the policy's directory."""
    base = top / etc / "selinux"
    root = base / "small"
    (root / "contexts" / "files").mkdir(parents=True)
    (root / "policy").mkdir()
    (base / "config").write_text(config)
    (root / "contexts" / "files" / "file_contexts").write_text(contexts)
    (root / "policy" / "policy.33").write_bytes(b"only its existence matters")
    return root
