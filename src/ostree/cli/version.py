"""What ``--version`` prints."""

from __future__ import annotations

from ostree.settings import UPSTREAM_VERSION, VERSION


def features() -> list[str]:
    """Upstream's words for what works here; test suites and scripts look for them."""
    from ostree.system import archive

    found = ["libcurl"]
    if archive.is_available():
        found.append("libarchive")
    return found


def version_text() -> str:
    """YAML: the release that is followed with its features, then the project's own version."""
    lines = ["libostree:", f" Version: '{UPSTREAM_VERSION}'", " Features:"]
    lines += [f"  - {feature}" for feature in features()]
    lines += ["pyostree:", f" Version: '{VERSION}'", ""]
    return "\n".join(lines)
