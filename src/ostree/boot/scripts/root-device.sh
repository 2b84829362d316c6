# shellcheck shell=sh
# Finds, checks and mounts the physical root: functions for the ramdisk's init.
#
# What sources this file defines fail and note, as for prepare-root.sh.

# Sets ROOT ROOT_TYPE ROOT_FLAGS ROOT_MODE ROOT_DELAY ROOT_WAIT FSCK_MODE FSCK_REPAIR from the words
# of the kernel's command line; of several the last one counts, as for the kernel.
# ROOT_WAIT is in seconds, or "always".
read_root_arguments() {
    ROOT='' ROOT_TYPE='' ROOT_FLAGS='' ROOT_MODE=rw ROOT_DELAY=0 ROOT_WAIT=30
    FSCK_MODE=auto FSCK_REPAIR=preen
    set -f
    # shellcheck disable=SC2086
    set -- $1
    set +f
    ra_ramdisk=''
    for ra_word; do
        case $ra_word in
        root=/dev/ram*) ;;
        root=*) ROOT=${ra_word#root=} ;;
        ostree_root=*) ra_ramdisk=${ra_word#ostree_root=} ;;
        rootfstype=*) ROOT_TYPE=${ra_word#rootfstype=} ;;
        rootflags=*) ROOT_FLAGS=${ra_word#rootflags=} ;;
        ro | rw) ROOT_MODE=$ra_word ;;
        rootdelay=*) ROOT_DELAY=$(seconds "${ra_word#rootdelay=}") ;;
        rootwait) ROOT_WAIT=always ;;
        rootwait=*) ROOT_WAIT=$(seconds "${ra_word#rootwait=}") ;;
        fsck.mode=*) FSCK_MODE=${ra_word#fsck.mode=} ;;
        fsck.repair=*) FSCK_REPAIR=${ra_word#fsck.repair=} ;;
        esac
    done
    # Where a ramdisk is the root for the kernel, the disk has a word of its own.
    ROOT=${ra_ramdisk:-$ROOT}
    [ -n "$ROOT" ] || fail "no root= on the kernel's command line"
    case $ROOT in
    /dev/disk/by-label/*) ROOT=LABEL=${ROOT##*/} ;;
    /dev/disk/by-uuid/*) ROOT=UUID=${ROOT##*/} ;;
    /dev/disk/by-partuuid/*) ROOT=PARTUUID=${ROOT##*/} ;;
    /dev/disk/by-partlabel/*) ROOT=PARTLABEL=${ROOT##*/} ;;
    esac
}

seconds() {
    case $1 in
    '' | *[!0-9]*) echo 0 ;;
    *) echo "$1" ;;
    esac
}

# Bytes of a device in hexadecimal: DEVICE OFFSET COUNT.
hex_bytes() { hexdump -v -s "$2" -n "$3" -e '1/1 "%02x"' "$1" 2>/dev/null; }

# A number of hexadecimal bytes, least significant first, in decimal.
hex_number() {
    hn_rest=$1 hn_value='' hn_byte=''
    while [ -n "$hn_rest" ]; do
        hn_byte=${hn_rest%"${hn_rest#??}"}
        hn_value=$hn_byte$hn_value
        hn_rest=${hn_rest#??}
    done
    echo $((0x${hn_value:-0}))
}

# The UUID of a partition, from the table of its disk: DISK NUMBER SECTOR-SIZE.
# busybox has nothing that tells it, and kernels tell it since 6.12 only.
partition_uuid() {
    if [ "$(hex_bytes "$1" "$3" 8)" = 4546492050415254 ]; then
        pu_entries=$(hex_number "$(hex_bytes "$1" $(($3 + 72)) 8)")
        pu_size=$(hex_number "$(hex_bytes "$1" $(($3 + 84)) 4)")
        pu_raw=$(hex_bytes "$1" $((pu_entries * $3 + ($2 - 1) * pu_size + 16)) 16)
        guid "$pu_raw"
    else
        pu_raw=$(hex_bytes "$1" 440 4)
        printf '%08x-%02x\n' "$(hex_number "$pu_raw")" "$2"
    fi
}

# 16 bytes in hexadecimal as a GUID: the first three groups have their bytes in reverse.
guid() {
    # shellcheck disable=SC2046
    set -- $(printf '%s\n' "$1" | sed 's/../& /g')
    [ $# = 16 ] || return 1
    echo "$4$3$2$1-$6$5-$8$7-$9${10}-${11}${12}${13}${14}${15}${16}"
}

# Prints the device of a partition: uuid|label VALUE.
find_partition() {
    for fp_sys in /sys/class/block/*; do
        [ -e "$fp_sys/partition" ] || continue
        fp_device=/dev/${fp_sys##*/}
        if [ "$1" = label ]; then
            grep -qxF "PARTNAME=$2" "$fp_sys/uevent" || continue
        else
            fp_disk=$(readlink -f "$fp_sys/..")
            fp_sector=$(cat "$fp_disk/queue/logical_block_size")
            fp_found=$(partition_uuid "/dev/${fp_disk##*/}" "$(cat "$fp_sys/partition")" "$fp_sector")
            [ "$fp_found" = "$2" ] || continue
        fi
        echo "$fp_device"
        return 0
    done
    return 1
}

# Prints the device that ROOT names, if it is there.
find_root() {
    case $ROOT in
    LABEL=* | UUID=*) findfs "$ROOT" 2>/dev/null ;;
    PARTUUID=*) find_partition uuid "$(echo "${ROOT#*=}" | tr A-F a-f)" ;;
    PARTLABEL=*) find_partition label "${ROOT#*=}" ;;
    [0-9]*:[0-9]*) sed -n 's,^DEVNAME=,/dev/,p' "/sys/dev/block/$ROOT/uevent" 2>/dev/null ;;
    *) echo "$ROOT" ;;
    esac
}

# Sets ROOT_DEVICE as soon as it is there; looks for drivers of what turns up in the meantime.
wait_for_root() {
    [ "$ROOT_DELAY" = 0 ] || sleep "$ROOT_DELAY"
    wr_tenths=0
    while :; do
        ROOT_DEVICE=$(find_root)
        [ -b "$ROOT_DEVICE" ] && break
        load_drivers
        ROOT_DEVICE=$(find_root)
        [ -b "$ROOT_DEVICE" ] && break
        [ "$ROOT_WAIT" = always ] || [ $((wr_tenths / 10)) -lt "$ROOT_WAIT" ] ||
            fail "the root device $ROOT did not appear in $ROOT_WAIT seconds"
        [ $wr_tenths != 50 ] || note "still waiting for the root device $ROOT"
        usleep 100000
        wr_tenths=$((wr_tenths + 1))
    done
}

# Loads the ramdisk's drivers for the hardware that the kernel has found so far.
load_drivers() {
    [ -e "$MODULES/modules.alias" ] || return 0
    # shellcheck disable=SC2046
    set -- $(find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u)
    [ $# = 0 ] || modprobe -a -q -b "$@" 2>/dev/null
    return 0
}

# Prints the type of the file system on a device, if it is one that a root is likely to be.
file_system_type() {
    if [ "$(hex_bytes "$1" 1080 2)" = 53ef ]; then
        echo ext4
    elif [ "$(hex_bytes "$1" 0 4)" = 58465342 ]; then
        echo xfs
    elif [ "$(hex_bytes "$1" 65600 8)" = 5f42485266535f4d ]; then
        echo btrfs
    elif [ "$(hex_bytes "$1" 1024 4)" = 1020f5f2 ]; then
        echo f2fs
    fi
}

# Checks the root's file system if the ramdisk holds a program for that.
check_root() {
    cr_program=/sbin/fsck.$1
    [ "$FSCK_MODE" != skip ] && [ -x "$cr_program" ] || return 0
    case $FSCK_REPAIR in
    yes) cr_option=-y ;;
    no) cr_option=-n ;;
    *) cr_option=-p ;;
    esac
    if [ "$FSCK_MODE" = force ]; then
        "$cr_program" -f $cr_option "$ROOT_DEVICE"
    else
        "$cr_program" $cr_option "$ROOT_DEVICE"
    fi
    cr_status=$?
    case $cr_status in
    0 | 1) ;;
    2 | 3) fail "$ROOT_DEVICE was repaired, and the machine has to be started anew" ;;
    *) fail "checking $ROOT_DEVICE failed: $cr_program ended with $cr_status" ;;
    esac
}

# Mounts the physical root on a directory.
mount_root() {
    mr_type=${ROOT_TYPE:-$(file_system_type "$ROOT_DEVICE")}
    check_root "${mr_type:-auto}"
    mount ${mr_type:+-t "$mr_type"} -o "$ROOT_MODE${ROOT_FLAGS:+,$ROOT_FLAGS}" "$ROOT_DEVICE" "$1" ||
        fail "cannot mount $ROOT_DEVICE${mr_type:+ as $mr_type}${ROOT_FLAGS:+ with $ROOT_FLAGS}"
}
