"""As much of ELF files as tells for which machine a program is, and what a kernel module says."""

from __future__ import annotations

import struct

from ostree.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_INTERPRETER = 3
_NO_BITS = 8

#: The machines that run Linux with a boot loader of ours, as ``uname -m`` has them.
_MACHINES = {
    3: "i686",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    258: "loongarch",
}


class ElfFile:
    """The headers of an ELF file.

    Args:
        data: The file.

    Attributes:
        machine: What it runs on, as in ``x86_64``, ``aarch64``, ``arm``.

    Raises:
        FormatError: it is none, or a table is outside of it.
    """

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\x7fELF" or len(data) < 64 or data[4] not in {1, 2}:
            raise FormatError("not an ELF file", offset=0)
        if data[5] not in {1, 2}:
            raise FormatError("unknown byte order", offset=5)
        self._data = data
        self._wide = data[4] == 2
        self._order = "<" if data[5] == 1 else ">"
        (number,) = self._unpack("H", 18)
        self.machine = _MACHINES.get(number, f"machine {number}")

    @property
    def is_static(self) -> bool:
        """Whether it starts without a dynamic linker."""
        offset, size, count = self._table("programs")
        return all(
            self._unpack("I", offset + index * size)[0] != _INTERPRETER for index in range(count)
        )

    def section(self, name: str) -> bytes | None:
        """The content of a section; None if there is none of that name.

        Raises:
            FormatError: a header or the section is outside the file.
        """
        headers = list(self._sections())
        (names_index,) = self._unpack("H", 62 if self._wide else 50)
        if names_index >= len(headers):
            raise FormatError("no names of sections", offset=0)
        names = self._content(headers[names_index])
        for header in headers:
            end = names.find(b"\0", header[0])
            if names[header[0] : end] == name.encode():
                return self._content(header)
        return None

    def _sections(self) -> Iterator[tuple[int, int, int, int]]:
        """Place of the name, type, offset and size of each."""
        offset, size, count = self._table("sections")
        for index in range(count):
            start = offset + index * size
            name, kind = self._unpack("II", start)
            if self._wide:
                place, length = self._unpack("QQ", start + 24)
            else:
                place, length = self._unpack("II", start + 16)
            yield name, kind, place, length

    def _table(self, which: str) -> tuple[int, int, int]:
        """Offset, size of an entry and number of entries of the table of headers."""
        programs = which == "programs"
        if self._wide:
            (offset,) = self._unpack("Q", 32 if programs else 40)
            size, count = self._unpack("HH", 54 if programs else 58)
        else:
            (offset,) = self._unpack("I", 28 if programs else 32)
            size, count = self._unpack("HH", 42 if programs else 46)
        if offset + size * count > len(self._data):
            raise FormatError("table of headers outside the file", offset=offset)
        return offset, size, count

    def _content(self, header: tuple[int, int, int, int]) -> bytes:
        _, kind, place, length = header
        if kind == _NO_BITS:
            return b""
        if place + length > len(self._data):
            raise FormatError("section outside the file", offset=place)
        return self._data[place : place + length]

    def _unpack(self, codes: str, offset: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self._order + codes, self._data, offset)
        except struct.error as error:
            raise FormatError("header outside the file", offset=offset) from error
