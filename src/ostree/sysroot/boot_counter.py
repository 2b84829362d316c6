"""The count of tries that U-Boot's script keeps, set back by a system that is up.

It is in ``bootstate.env`` on the FAT partition that the script comes from.
"""

from __future__ import annotations

import os

from ostree.formats import boot_state
from ostree.sysroot.step import step
from ostree.system import files
from ostree.system.fat_files import replace_fat_file

STATE_FILE = "bootstate.env"


def reset_counter(directory: str) -> bool:
    """Set the count back to 0 in a directory; whether there is one.

    Nothing is written if it is 0 already, which spares the flash.

    Raises:
        SysrootError: it cannot be read or written.
    """
    with step(f"Setting back the count of boots in {directory}"):
        fd = files.open_directory(directory)
        try:
            data = files.read_file(STATE_FILE, fd, limit=boot_state.MAX_SIZE)
            if boot_state.read_tries(data):
                new = boot_state.reset_tries(data)
                replace_fat_file(STATE_FILE, fd, lambda file: files.write_all(file, new))
        except FileNotFoundError:
            return False
        finally:
            os.close(fd)
    return True
