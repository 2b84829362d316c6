"""Pulls ``main`` from ``origin`` into the repository given; a test kills it on the way."""

import sys

from ostree.repo.repository import Repo
from ostree.transfer.pull import pull

with Repo.open(sys.argv[1]) as repo:
    print("begin", flush=True)
    pull(repo, "origin", ["main"])
