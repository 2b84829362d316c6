"""The ``ostree`` command."""
