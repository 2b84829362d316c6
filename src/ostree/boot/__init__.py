"""What runs before the system: the ramdisk, its script, and the boot loader's script."""
