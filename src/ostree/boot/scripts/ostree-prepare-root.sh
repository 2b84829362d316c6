#!/bin/sh
# ostree-prepare-root SYSROOT [KERNEL-COMMAND-LINE]
#
# Makes the root file system of a deployment, in a distribution's ramdisk that has mounted the
# physical root at SYSROOT.  The result is mounted there; switching to it is the ramdisk's business.
#
# As process 1, without any ramdisk: the kernel has mounted the physical root at /, and its command
# line has init=/ostree/boot.V/STATEROOT/BOOTCSUM/N/usr/lib/ostree/ostree-prepare-root, which is a
# program that starts this script with the busybox beside it.  Then the new root is switched to, and
# its /sbin/init started.
DIRECTORY=${0%/*}
BUSYBOX=$DIRECTORY/busybox

note() { echo "ostree-prepare-root: $*"; }

fail() {
    echo "ostree-prepare-root: $*" >&2
    # As process 1: time for the console before the kernel's panic, after which panic= counts.
    [ $$ != 1 ] || sleep 1
    exit 1
}

prepare_for_ramdisk() {
    [ $# -ge 1 ] || fail "usage: ostree-prepare-root SYSROOT [KERNEL-COMMAND-LINE]"
    pr_sysroot=$(readlink -f "$1") || fail "no directory $1"
    pr_arguments=${2-$(cat /proc/cmdline)}
    find_target "$pr_arguments"
    read_settings '' "$pr_arguments"
    mkdir -p /run/ostree/.private/new || fail "cannot write in /run"
    prepare_root "$pr_sysroot" /run/ostree/.private/new
    umount -l "$pr_sysroot" || fail "cannot detach $pr_sysroot"
    mount --move "$NEW" "$pr_sysroot" || fail "cannot move the new root"
    rmdir "$NEW"
}

# Programs of the system are none below the physical root: each one is busybox's.
use_busybox() {
    for ub_applet in cat chmod mkdir mktemp mount pivot_root readlink rm rmdir sleep stat umount uname; do
        eval "$ub_applet() { \"\$BUSYBOX\" $ub_applet \"\$@\"; }"
    done
}

start_without_ramdisk() {
    use_busybox
    # Whatever the kernel was told, the deployment is where this script is.
    sr_new=$(readlink -f "$DIRECTORY/../../..") || fail "no $DIRECTORY"
    # shellcheck disable=SC2034 # for switch-root.sh as well
    BUSYBOX=$sr_new/usr/lib/ostree/busybox
    mount --make-rprivate / || fail "cannot make mounts private"
    mount -o bind "$sr_new" "$sr_new" || fail "cannot bind $sr_new"
    if [ -e /proc/cmdline ]; then
        mount --move /proc "$sr_new/proc" || fail "cannot move /proc"
    else
        mount -t proc proc "$sr_new/proc" || fail "cannot mount /proc"
    fi
    mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$sr_new/run" || fail "cannot mount /run"
    PROC=$sr_new/proc RUN=$sr_new/run
    sr_arguments=$(cat "$PROC/cmdline")
    find_target "$sr_arguments"
    # There is no ramdisk whose configuration could count: the repository's does.
    read_settings "$RUN/nothing" "$sr_arguments"
    [ "$COMPOSEFS" = no ] || fail "composefs needs a ramdisk"
    prepare_root / "$sr_new"
    [ "$DEPLOYMENT" = "$sr_new" ] || fail "init= and ostree= name different deployments"
    remove_old_overlays
    if is_mounted /dev; then
        mount --move /dev "$NEW/dev" || fail "cannot move /dev"
    else
        mount -t devtmpfs -o mode=0755 devtmpfs "$NEW/dev" || fail "cannot mount /dev"
    fi
    mount -t sysfs sysfs "$NEW/sys" || fail "cannot mount /sys"
    has_program "$NEW" /sbin/init || fail "the deployment has no /sbin/init"
    pivot_to "$NEW" /sbin/init "$@"
}

# shellcheck source=prepare-root.sh
. "$DIRECTORY/prepare-root.sh"

if [ $$ = 1 ]; then
    # shellcheck source=switch-root.sh
    . "$DIRECTORY/switch-root.sh"
    start_without_ramdisk "$@"
else
    prepare_for_ramdisk "$@"
fi
