# shellcheck shell=sh
# Leaves the present root for a prepared one: functions beside prepare-root.sh.
#
# What sources this file defines fail, as for prepare-root.sh, and BUSYBOX: where busybox is, a
# static program, below the root that is left.

is_mounted() {
    while read -r _ im_where _; do
        [ "$im_where" = "$1" ] && return 0
    done <"${PROC:-/proc}/mounts"
    return 1
}

# Whether a new root directory holds a program; what its links lead to shows only after the switch.
has_program() { [ -e "$1$2" ] || [ -L "$1$2" ]; }

# Makes NEW the root and starts INIT with its ARGUMENTS as what this process is: pid 1.
# Everything below /dev, /proc, /sys and /run is below NEW already.
# An initramfs cannot be unmounted or pivoted away: its files are removed, and NEW is moved over it.
switch_to() {
    # Commands of a system without systemd rely on it, which would do the same: what a command
    # mounts in a mount namespace of its own, as "ostree admin unlock" does, is seen by all.
    case $(file_system_of_root "$1") in
    rootfs | tmpfs | ramfs)
        mount --make-rshared "$1" || fail "cannot make mounts shared"
        exec switch_root -c /dev/console "$@"
        ;;
    *) pivot_to "$@" ;;
    esac
}

file_system_of_root() {
    fs_type=none
    while read -r _ fs_where fs_found _; do
        [ "$fs_where" = / ] && fs_type=$fs_found
    done <"$1/proc/mounts"
    echo "$fs_type"
}

# The old root needs a place in the new one for a moment; in /run nothing of it is left on a disk.
pivot_to() {
    cd "$1" || fail "cannot enter $1"
    shift
    mkdir -p run/initramfs || fail "cannot write in /run"
    pivot_root . run/initramfs || fail "pivot_root failed"
    PT_BUSYBOX=/run/initramfs$BUSYBOX
    export PT_BUSYBOX
    # shellcheck disable=SC2016
    exec ".$PT_BUSYBOX" chroot . "$PT_BUSYBOX" sh -c '
        busybox=$PT_BUSYBOX
        unset PT_BUSYBOX
        $busybox mount --make-rshared /
        $busybox umount -l /run/initramfs
        exec "$@"' sh "$@" <>dev/console >&0 2>&1
}
