"""Entries for the journal, and a socket in its place."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from ostree.system import journal


def test_fields_are_lines() -> None:
    assert journal.encode({"MESSAGE": "one", "PRIORITY": "6"}) == b"MESSAGE=one\nPRIORITY=6\n"


def test_line_ends_need_a_length() -> None:
    assert journal.encode({"MESSAGE": "a\nb", "X": "ä"}) == (
        b"MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nX=\xc3\xa4\n"
    )


def test_names_that_are_not_utf8_arrive_as_they_are() -> None:
    assert journal.encode({"X": "\udcff"}) == b"X=\xff\n"


def test_an_entry_is_one_datagram() -> None:
    # Paths of sockets are short.
    with tempfile.TemporaryDirectory() as run:
        path = Path(run, "systemd/journal/socket")
        path.parent.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(os.fspath(path))

            assert journal.send({"MESSAGE": "hello"}, run)

            assert receiver.recv(100) == b"MESSAGE=hello\n"
        # Nobody listens any more, and the name is still there.
        assert not journal.send({"MESSAGE": "hello"}, run)


@pytest.mark.parametrize("name", ["", "systemd/journal/socket"])
def test_no_journal(name: str, tmp_path: Path) -> None:
    """None was ever there, or something else has its name."""
    if name:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    assert not journal.send({"MESSAGE": "hello"}, os.fspath(tmp_path))


def test_a_journal_that_does_not_keep_up_is_not_waited_for() -> None:
    with tempfile.TemporaryDirectory() as run:
        path = Path(run, "systemd/journal/socket")
        path.parent.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(os.fspath(path))

            taken = [journal.send({"MESSAGE": "x" * 1000}, run) for _ in range(10_000)]

    assert taken[0]
    assert not taken[-1]
