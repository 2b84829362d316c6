"""What ``--version`` prints."""

from __future__ import annotations

from ostree.settings import UPSTREAM_VERSION, VERSION

#: Upstream's words for what works here; test suites and scripts look for them.
FEATURES = ("libcurl",)


def version_text() -> str:
    """YAML: the release that is followed with its features, then the project's own version."""
    lines = ["libostree:", f" Version: '{UPSTREAM_VERSION}'", " Features:"]
    lines += [f"  - {feature}" for feature in FEATURES]
    lines += ["pyostree:", f" Version: '{VERSION}'", ""]
    return "\n".join(lines)
