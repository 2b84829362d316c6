"""Files as block devices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostree.system.loop_device import read_only_loop

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        not os.access("/dev/loop-control", os.R_OK | os.W_OK), reason="no loop devices here"
    ),
]


def test_a_device_has_the_content_of_the_file(tmp_path: Path) -> None:
    content = os.urandom(8192)
    (tmp_path / "file").write_bytes(content)
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        with read_only_loop(fd) as device:
            assert Path(device).read_bytes() == content
            facts = Path("/sys/block") / os.path.basename(device)
            assert (facts / "loop/backing_file").read_text() == f"{tmp_path}/file\n"
            assert (facts / "ro").read_text() == "1\n"
    finally:
        os.close(fd)


def test_it_is_given_back(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(4096))
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        with read_only_loop(fd) as device:
            name = os.path.basename(device)
    finally:
        os.close(fd)

    backing = Path("/sys/block") / name / "loop/backing_file"
    assert not backing.exists() or str(tmp_path) not in backing.read_text()
