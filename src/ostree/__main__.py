"""``python -m ostree``: the ``ostree`` command."""

from ostree.cli.main import command

command()
