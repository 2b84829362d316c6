"""What ``--version`` prints."""

from __future__ import annotations

import os

from ostree.settings import UPSTREAM_VERSION, VERSION


def features() -> list[str]:
    """Upstream's words for what works here; test suites and scripts look for them."""
    from ostree.system import archive

    found = ["libcurl"]
    if any(os.access(os.path.join(path, "gpg"), os.X_OK) for path in os.get_exec_path()):
        found.append("gpgme")
    if archive.is_available():
        found.append("libarchive")
    return [*found, "sign-ed25519", "sign-spki"]


def version_text() -> str:
    """YAML: the release that is followed with its features, then the project's own version."""
    lines = ["libostree:", f" Version: '{UPSTREAM_VERSION}'", " Features:"]
    lines += [f"  - {feature}" for feature in features()]
    lines += ["pyostree:", f" Version: '{VERSION}'", ""]
    return "\n".join(lines)
