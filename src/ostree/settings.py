"""Constants of the project that more than one floor needs."""

#: The release whose behaviour, formats and messages are followed.
UPSTREAM_VERSION = "2026.4"

#: The project's own version, the same as in ``pyproject.toml``.
VERSION = "0.1.0"
