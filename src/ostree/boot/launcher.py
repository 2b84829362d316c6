"""The program that a kernel without ramdisk starts: it starts busybox with our script.

A kernel looks for a script's interpreter below the physical root, where there is none, so this is a
program: of a hundred instructions, without libraries, the same for every system.  Its sources are in
``launchers/``; a test assembles them anew where assemblers are installed.
"""

from __future__ import annotations

import struct

from ostree.errors import OSTreeError

#: Where the file is in memory, and how far zeros for its buffers reach.
_BASE = 0x400000
_END = 0x413000

#: Machine as ``uname -m`` has it, its number in ELF, flags in ELF, and the instructions.
_CODE = {
    "x86_64": (
        62,
        0x0,
        (
            "488b0424488d54c410488b742408bf0000410089fbb9a00f0000ac888700100000aa3c2f750289fb"
            "84c07406ffc975eaeb48488d355000000089dfb908000000f3a4488d35480000008dbb00100000b9"
            "17000000f3a4488d052900000048890424b8001041004889442408bf000041004889e6b83b000000"
            "0f05bf7f000000b83c0000000f0573680062757379626f78006f73747265652d707265706172652d"
            "726f6f742e736800"
        ),
    ),
    "aarch64": (
        183,
        0x0,
        (
            "e00340f9e26f208b42400091e10740f92308a0d2e40303aa05f481526604409127144038c7140038"
            "67140038ffbc00716400849a87000034a504007121ffff5413000014a1020070e30304aa27144038"
            "67140038c7ffff3541020070830440912714403867140038c7ffff35600100102108a0d221044091"
            "e00700a92008a0d2e1030091a81b80d2010000d4e00f80d2a80b80d2010000d47368006275737962"
            "6f78006f73747265652d707265706172652d726f6f742e736800"
        ),
    ),
    "arm": (
        40,
        0x5000400,
        (
            "00009de500218de0082082e204109de54138a0e30340a0e1fa5ea0e3016a83e20170d1e40170c6e4"
            "0170c3e42f0057e30340a001000057e30200000a015055e2f6ffff1a140000ea5b108fe20430a0e1"
            "0170d1e40170c3e4000057e3fbffff1a4b108fe2013a84e20170d1e40170c3e4000057e3fbffff1a"
            "28008fe200008de54108a0e3010a80e204008de54108a0e30d10a0e10b70a0e3000000ef7f00a0e3"
            "0170a0e3000000ef73680062757379626f78006f73747265652d707265706172652d726f6f742e73"
            "68000000"
        ),
    ),
}

MACHINES = tuple(_CODE)


def make_launcher(machine: str) -> bytes:
    """The program for a machine: an ELF file with one segment.

    Raises:
        OSTreeError: there is none for that machine.
    """
    if machine not in _CODE:
        raise OSTreeError(f"Starting without ramdisk is not possible on {machine}")
    number, flags, text = _CODE[machine]
    code = bytes.fromhex(text)
    wide = machine != "arm"
    header, program = (64, 56) if wide else (52, 32)
    size = header + program + len(code)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    word = "Q" if wide else "I"
    head = ident + struct.pack(
        f"<HHI{word}{word}{word}IHHHHHH",
        *(2, number, 1, _BASE + header + program, header, 0),
        *(flags, header, program, 1, 0, 0, 0),
    )
    places = (0, _BASE, _BASE, size, _END - _BASE)
    if wide:
        segment = struct.pack("<IIQQQQQQ", 1, 7, *places, 0x1000)
    else:
        segment = struct.pack("<IIIIIIII", 1, *places, 7, 0x1000)
    return head + segment + code
