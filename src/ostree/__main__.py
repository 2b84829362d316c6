"""``python -m ostree``: the ``ostree`` command."""

import sys

from ostree.cli.main import run

sys.exit(run())
