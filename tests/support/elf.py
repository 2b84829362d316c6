"""ELF files for tests: as little as makes a kernel module or a program."""

from __future__ import annotations

import struct

MACHINES = {"x86_64": 62, "aarch64": 183, "arm": 40, "ppc": 20}


def make_elf(
    machine: str = "x86_64",
    *,
    sections: dict[str, bytes] | None = None,
    interpreter: bool = False,
    content: bytes = b"",
) -> bytes:
    """A file with sections and perhaps a program header that asks for a dynamic linker."""
    wide = machine in {"x86_64", "aarch64"}
    order = ">" if machine == "ppc" else "<"
    all_sections = {"": b"", **(sections or {}), ".shstrtab": b""}
    names = b"".join(name.encode() + b"\0" for name in all_sections)
    all_sections[".shstrtab"] = names
    header_size, program_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    programs = 1 if interpreter else 0
    place = header_size + programs * program_size
    body = b""
    headers = b""
    name_place = 0
    for name, data in all_sections.items():
        start = place + len(body)
        body += data
        if wide:
            fields = (name_place, 1, 0, 0, start, len(data), 0, 0, 1, 0)
            headers += struct.pack(f"{order}IIQQQQIIQQ", *fields)
        else:
            fields = (name_place, 1, 0, 0, start, len(data), 0, 0, 1, 0)
            headers += struct.pack(f"{order}IIIIIIIIII", *fields)
        name_place += len(name) + 1
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if order == ">" else 1, 1]) + bytes(9)
    word = "Q" if wide else "I"
    program = struct.pack(f"{order}I", 3).ljust(program_size, b"\0") * programs
    head = ident + struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH",
        *(1, MACHINES[machine], 1, 0, header_size if programs else 0, place + len(body)),
        *(0, header_size, program_size, programs, section_size, len(all_sections)),
        len(all_sections) - 1,
    )
    return head + program + body + headers + content


def make_module(machine: str = "x86_64", **fields: str | list[str]) -> bytes:
    """A kernel module; each field is ``key=value`` in it, a list several of the same key."""
    lines = [f"{key}={value}" for key, value in fields.items() if isinstance(value, str)]
    for key, values in fields.items():
        if not isinstance(values, str):
            lines += [f"{key}={value}" for value in values]
    info = b"".join(line.encode() + b"\0" for line in lines)
    return make_elf(machine, sections={".text": b"code", ".modinfo": info})
