"""A machine in QEMU, from power-on to power cut.

``-accel tcg`` always: ``/dev/kvm`` may open and guests hang all the same.  QEMU ends at each reset
of the machine and is started anew: its own reset hangs now and then.  Of the disk's cache nothing
is lost when QEMU is killed, so that it need not be flushed to the disk of this machine.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from boot.console import Console
from ostree.system.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Architecture(NamedTuple):
    """What differs from one kind of machine to the next.

    Attributes:
        name: Debian's.
        qemu: The program and its machine.
        package: Debian's package of the program.
        console: The kernel's name of the serial port.
        firmware: Its U-Boot, of the package ``u-boot-qemu``.
        kernel: Debian's package that depends on the kernel's.
        arguments: Of the kernel: no protection that makes each system call flush what the emulator
            has translated, and no checks of the timer, which fail where this machine is busy.
    """

    name: str
    qemu: tuple[str, ...]
    package: str
    console: str
    firmware: str
    kernel: str
    arguments: str = ""


AMD64 = Architecture(
    "amd64",
    ("qemu-system-x86_64", "-machine", "pc", "-cpu", "qemu64"),
    "qemu-system-x86",
    "ttyS0",
    "/usr/lib/u-boot/qemu-x86/u-boot.rom",
    "linux-image-cloud-amd64",
    "mitigations=off no_timer_check",
)
ARM64 = Architecture(
    "arm64",
    ("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57"),
    "qemu-system-arm",
    "ttyAMA0",
    "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
    "linux-image-cloud-arm64",
    "kpti=off",
)
ARMHF = Architecture(
    "armhf",
    ("qemu-system-arm", "-machine", "virt", "-cpu", "cortex-a15"),
    "qemu-system-arm",
    "ttyAMA0",
    "/usr/lib/u-boot/qemu_arm/u-boot.bin",
    "linux-image-armmp",
)


#: What U-Boot says as soon as it has read our script.
_SCRIPT = "## Executing script"
#: On a busy machine U-Boot resets itself now and then while it looks for the hardware.
_FURTHER_STARTS = 2


class DirectBoot(NamedTuple):
    """A kernel that QEMU itself starts, without any boot loader.

    Attributes:
        kernel: The kernel.
        arguments: Its command line.
        ramdisk: What it starts with; None for nothing.
    """

    kernel: Path
    arguments: str
    ramdisk: Path | None = None


class Machine(Closing):
    """A machine with one disk, which is on.

    Args:
        architecture: Its kind.
        disk: The image of its disk.
        log: Gets everything it says.
        direct: A kernel to start; U-Boot is started otherwise.
        server_port: A server on this machine's loopback, for the guest ``http://10.0.2.100/``.
        memory: In MiB.
        disk_device: What the disk is for QEMU; of ``nvme`` Debian's kernels need no module.
        options: Further options of QEMU.
    """

    def __init__(
        self,
        architecture: Architecture,
        disk: Path,
        log: Path,
        *,
        direct: DirectBoot | None = None,
        server_port: int | None = None,
        memory: int = 512,
        disk_device: str = "virtio-blk-pci",
        options: Sequence[str] = (),
    ) -> None:
        program = architecture.qemu[0]
        if not shutil.which(program):
            pytest.skip(f"{program} (Debian: {architecture.package}) is not installed")
        command = [*architecture.qemu, "-accel", "tcg", "-m", str(memory), "-no-reboot"]
        command += ["-display", "none", "-serial", "stdio", "-monitor", "none"]
        command += ["-drive", f"if=none,id=d0,file={disk},format=raw,cache=unsafe"]
        command += ["-device", f"{disk_device},drive=d0"]
        if direct is None:
            command += ["-bios", architecture.firmware]
        else:
            command += ["-kernel", str(direct.kernel), "-append", direct.arguments]
            command += ["-initrd", str(direct.ramdisk)] if direct.ramdisk is not None else []
        command += _network(server_port)
        self._command = [*command, *options]
        self._has_uboot = direct is None and "u-boot" in architecture.firmware
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.power_on()

    def power_on(self) -> None:
        """Start it, or start it again after a reset or a power cut."""
        self._start()
        for _ in range(_FURTHER_STARTS):
            if not self._has_uboot or not self.console.ends_before(_SCRIPT):
                return
            # As a machine would that is not in an emulator; nothing of ours was read so far.
            self._note("U-Boot has reset itself before it read anything")
            self._start()

    def _start(self) -> None:
        self.power_off()
        self._note(" ".join(self._command))
        self._process = subprocess.Popen(
            ["nice", *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, input = self._process.stdout, self._process.stdin
        assert output is not None
        assert input is not None
        self.console = Console(output, input, self._log)

    def _note(self, text: str) -> None:
        with self._log.open("a") as log:
            log.write(f"##### {text}\n")

    def after_reset(self, timeout: float = 60) -> None:
        """Wait until the machine resets itself, and start it again."""
        self.console.wait_for_end(timeout)
        self.power_on()

    def power_off(self) -> None:
        """Cut the power: nothing is flushed, nothing told."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self.console.close()
        self._process = None

    def close(self) -> None:
        """Cut the power for good."""
        self.power_off()


def _network(server_port: int | None) -> list[str]:
    """The guest reaches one server on the loopback, and nothing else."""
    if server_port is None:
        return ["-nic", "none"]
    forward = f"guestfwd=tcp:10.0.2.100:80-cmd:busybox nc 127.0.0.1 {server_port}"
    return [
        *("-netdev", f"user,id=n0,restrict=on,{forward}"),
        *("-device", "virtio-net-pci,netdev=n0,romfile="),
    ]
