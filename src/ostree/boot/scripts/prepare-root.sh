# shellcheck shell=sh
# Makes the root file system of a deployment out of the physical root: functions for the ramdisk's
# init, for ostree-prepare-root in a distribution's ramdisk, and for a start without any ramdisk.
#
# What sources this file defines
#     fail MESSAGE...     reports and does not return
#     note MESSAGE...     tells what happens
# RUN and PROC say where a writable /run and proc are; commands are as busybox has them.

# ---- the kernel's command line ------------------------------------------------------------------

# Sets TARGET, the deployment's link below the physical root, from the words of a command line.
find_target() {
    TARGET='' ft_slot='' ft_android='' ft_ostree=''
    set -f
    # shellcheck disable=SC2086
    set -- $1
    for ft_word; do
        case $ft_word in
        androidboot.slot_suffix=*) ft_slot=${ft_slot:-${ft_word#*=}} ft_android=1 ;;
        androidboot.*) ft_android=1 ;;
        ostree=*) ft_ostree=${ft_ostree:-${ft_word#ostree=}} ;;
        esac
    done
    set +f
    case $ft_slot in
    _a) TARGET=/ostree/root.a ;;
    _b) TARGET=/ostree/root.b ;;
    ?*) fail "androidboot.slot_suffix invalid: $ft_slot" ;;
    esac
    [ -z "$TARGET" ] && [ -n "$ft_android" ] && TARGET=/ostree/root.a
    TARGET=${TARGET:-$ft_ostree}
    [ -n "$TARGET" ] || fail "No ostree target found; expected ostree=/ostree/boot.N/..."
}

# Sets COMPOSEFS_ARGUMENT from the words of a command line.
find_composefs_argument() {
    COMPOSEFS_ARGUMENT=
    set -f
    # shellcheck disable=SC2086
    set -- $1
    for fc_word; do
        case $fc_word in
        ostree.prepare-root.composefs=*) COMPOSEFS_ARGUMENT=${fc_word#*=} ;;
        esac
    done
    set +f
}

# ---- prepare-root.conf --------------------------------------------------------------------------

# Calls a function with group, key and value for each setting of a key file: FILE FUNCTION [lenient].
# A file that is not the ramdisk's own is read leniently: nonsense in it is no reason not to start.
read_key_file() {
    rk_section=
    while IFS= read -r rk_line || [ -n "$rk_line" ]; do
        rk_line=${rk_line#"${rk_line%%[![:space:]]*}"}
        rk_line=${rk_line%"${rk_line##*[![:space:]]}"}
        case $rk_line in
        '' | '#'*) ;;
        '['*']')
            rk_section=${rk_line#?}
            rk_section=${rk_section%?}
            ;;
        *=*)
            rk_key=${rk_line%%=*}
            rk_key=${rk_key%"${rk_key##*[![:space:]]}"}
            rk_value=${rk_line#*=}
            rk_value=${rk_value#"${rk_value%%[![:space:]]*}"}
            "$2" "$rk_section" "$rk_key" "$rk_value"
            ;;
        *) [ -n "${3-}" ] || fail "$1: neither a group nor a key: $rk_line" ;;
        esac
    done <"$1"
}


set_boolean() {
    case $3 in
    true | 1) eval "$1=1" ;;
    false | 0) eval "$1=0" ;;
    *) fail "prepare-root.conf: $2 is neither true nor false: $3" ;;
    esac
}

take_setting() {
    case $1/$2 in
    sysroot/readonly) set_boolean SYSROOT_READONLY "$1.$2" "$3" ;;
    etc/transient) set_boolean ETC_TRANSIENT "$1.$2" "$3" ;;
    root/transient) set_boolean ROOT_TRANSIENT "$1.$2" "$3" ;;
    root/transient-ro) set_boolean ROOT_TRANSIENT_RO "$1.$2" "$3" ;;
    composefs/enabled) COMPOSEFS=$3 ;;
    esac
}

take_repository_setting() {
    case $1/$2/$3 in
    sysroot/readonly/true | sysroot/readonly/1) REPOSITORY_READONLY=1 ;;
    sysroot/readonly/*) REPOSITORY_READONLY=0 ;;
    esac
}

# Sets SYSROOT_READONLY ETC_TRANSIENT ROOT_TRANSIENT ROOT_TRANSIENT_RO COMPOSEFS and COMPOSEFS_VERITY
# from the configuration of the ramdisk, of which DIRECTORY is the root, and from the command line.
# COMPOSEFS ends as yes, maybe or no.
read_settings() {
    SYSROOT_READONLY=0 ETC_TRANSIENT=0 ROOT_TRANSIENT=0 ROOT_TRANSIENT_RO=0
    COMPOSEFS=no COMPOSEFS_VERITY=0
    for rs_file in usr/lib/ostree/prepare-root.conf etc/ostree/prepare-root.conf; do
        [ -e "$1/$rs_file" ] && read_key_file "$1/$rs_file" take_setting
    done
    find_composefs_argument "$2"
    [ "$COMPOSEFS" = verity ] && COMPOSEFS_VERITY=1
    COMPOSEFS=${COMPOSEFS_ARGUMENT:-$COMPOSEFS}
    case $COMPOSEFS in
    yes | true | 1) COMPOSEFS=yes ;;
    no | false | 0) COMPOSEFS=no ;;
    maybe) ;;
    verity) COMPOSEFS=yes COMPOSEFS_VERITY=1 ;;
    signed) fail "composefs signatures cannot be checked by a script: use ostree-prepare-root" ;;
    *) fail "composefs.enabled is none of yes, no, maybe, verity, signed: $COMPOSEFS" ;;
    esac
    [ "$ROOT_TRANSIENT$ROOT_TRANSIENT_RO" != 11 ] ||
        fail "Cannot set both root.transient and root.transient-ro"
    [ "$COMPOSEFS" != yes ] || SYSROOT_READONLY=1
}

# ---- /run/ostree-booted: a{sv} in GVariant's form -----------------------------------------------

append_state() {
    STATE=$STATE$1
    STATE_SIZE=$((STATE_SIZE + $2))
}

align_state() {
    while [ $((STATE_SIZE % 8)) != 0 ]; do append_state '\0000' 1; done
}

# A number of SIZE bytes as printf's %b reads it, least significant byte first.
little_endian() {
    le_rest=$1 le_count=$2
    while [ "$le_count" -gt 0 ]; do
        printf '\\0%03o' $((le_rest & 255))
        le_rest=$((le_rest >> 8)) le_count=$((le_count - 1))
    done
}

# The same for 8 bytes in the machine's own order.
native_64() {
    case $(uname -m) in
    s390* | ppc | ppc64 | sparc* | m68k | parisc*)
        for na_shift in 56 48 40 32 24 16 8 0; do
            printf '\\0%03o' $((($1 >> na_shift) & 255))
        done
        ;;
    *) little_endian "$1" 8 ;;
    esac
}

# An entry of the dictionary: KEY TYPE VALUE SIZE-OF-VALUE.
add_state() {
    align_state
    as_key_size=$((${#1} + 1))
    append_state "$1\\0000" $as_key_size
    align_state
    append_state "$3\\0000$2" $(($4 + 1 + ${#2}))
    append_state "$(little_endian $as_key_size 1)" 1
    STATE_ENDS="$STATE_ENDS $STATE_SIZE"
}

add_boolean_state() { add_state "$1" b "\\000$2" 1; }

# Writes what the tools read to know that and how this system was prepared.
write_state() {
    STATE='' STATE_SIZE=0 STATE_ENDS='' ws_file=$1
    add_state backing-root-device-inode '(tt)' "$(native_64 "$BACKING_DEVICE")$(native_64 "$BACKING_INODE")" 16
    add_boolean_state root.transient "$ROOT_TRANSIENT"
    add_boolean_state root.transient-ro "$ROOT_TRANSIENT_RO"
    if [ "$HAS_COMPOSEFS" = 1 ]; then
        add_boolean_state composefs 1
        add_boolean_state composefs.verity "$COMPOSEFS_VERITY"
    fi
    add_boolean_state sysroot-ro "$SYSROOT_READONLY"
    [ -n "$ETC_DIRECTORY" ] && add_state transient-etc s "$ETC_DIRECTORY\\0000" $((${#ETC_DIRECTORY} + 1))
    # shellcheck disable=SC2086
    set -- $STATE_ENDS
    ws_width=1
    [ $((STATE_SIZE + $#)) -gt 255 ] && ws_width=2
    for ws_end; do append_state "$(little_endian "$ws_end" $ws_width)" $ws_width; done
    printf %b "$STATE" >"$ws_file"
}

# ---- mounts -------------------------------------------------------------------------------------

# Whether the mount at a directory is read-only.
is_read_only() {
    ro_options=
    while read -r _ ro_where _ ro_found _; do
        [ "$ro_where" = "$1" ] && ro_options=$ro_found
    done <"$PROC/mounts"
    case ,$ro_options, in *,ro,*) return 0 ;; esac
    return 1
}

# Whether the deployment's fstab mounts something at /NAME itself.
fstab_has() {
    [ -e "$NEW/etc/fstab" ] || return 1
    while read -r fh_device fh_where _; do
        case $fh_device in '' | '#'*) continue ;; esac
        while :; do
            case $fh_where in
            *//*) fh_where=${fh_where%%//*}/${fh_where#*//} ;;
            ?*/) fh_where=${fh_where%/} ;;
            *) break ;;
            esac
        done
        [ "$fh_where" = "/$1" ] && return 0
    done <"$NEW/etc/fstab"
    return 1
}

# Sets DEPLOYMENT, the deployment's directory, and STATEROOT, its stateroot's name.
# Both links are resolved below PHYSICAL, and lead to nothing but a deployment.
find_deployment() {
    fd_link=${PHYSICAL%/}$TARGET
    [ -e "$fd_link" ] || [ -L "$fd_link" ] || fail "Couldn't find specified OSTree root '$fd_link'"
    [ -L "$fd_link" ] || fail "OSTree target is not a symbolic link: $fd_link"
    DEPLOYMENT=$(readlink -f "$fd_link") || DEPLOYMENT=
    [ -d "$DEPLOYMENT" ] || fail "OSTree target leads nowhere: $fd_link -> $(readlink "$fd_link")"
    fd_below=${DEPLOYMENT#"${PHYSICAL%/}/ostree/deploy/"}
    STATEROOT=${fd_below%%/*}
    case $fd_below in
    /* | */*/*/* | */../* | ../*) fail "OSTree target is no deployment: $fd_link -> $DEPLOYMENT" ;;
    ?*/deploy/?*) ;;
    *) fail "OSTree target is no deployment: $fd_link -> $DEPLOYMENT" ;;
    esac
    [ -d "$DEPLOYMENT/usr" ] || fail "$DEPLOYMENT has no /usr"
}

# Mounts the composefs image on NEW; returns 1 if there is none.
mount_composefs() {
    [ -e "$DEPLOYMENT/.ostree.cfs" ] || return 1
    mc_lower=$RUN/ostree/.private/cfsroot-lower
    mc_objects=$PHYSICAL/ostree/repo/objects
    mkdir -m 0700 "$mc_lower"
    mount -t erofs -o ro,loop "$DEPLOYMENT/.ostree.cfs" "$mc_lower" ||
        fail "composefs: failed to mount $DEPLOYMENT/.ostree.cfs"
    mc_options=redirect_dir=on,metacopy=on
    [ "$COMPOSEFS_VERITY" = 1 ] && mc_options=$mc_options,verity=require
    if [ $((ROOT_TRANSIENT + ROOT_TRANSIENT_RO)) -gt 0 ]; then
        mc_layer=$RUN/ostree/.private/root
        mkdir "$mc_layer"
        mkdir -m 0755 "$mc_layer/upper"
        mkdir -m 0700 "$mc_layer/work"
        mc_options=$mc_options,upperdir=$mc_layer/upper,workdir=$mc_layer/work
    fi
    [ "$ROOT_TRANSIENT" = 1 ] || mc_options=$mc_options,ro
    # Kernels before 6.5 know no layer that holds data only; there the image's hidden names serve.
    mount -t overlay overlay -o "lowerdir=$mc_lower::$mc_objects,$mc_options" "$NEW" 2>/dev/null ||
        mount -t overlay overlay -o "lowerdir=$mc_lower:$mc_objects,$mc_options" "$NEW" ||
        fail "composefs: failed to mount the overlay"
    umount -l "$mc_lower"
}

mount_new_root() {
    BACKING_DEVICE=$(stat -c %d "$DEPLOYMENT") BACKING_INODE=$(stat -c %i "$DEPLOYMENT")
    HAS_COMPOSEFS=0
    if [ "$COMPOSEFS" != no ] && mount_composefs; then
        HAS_COMPOSEFS=1
        return
    fi
    [ "$COMPOSEFS" != yes ] || fail "composefs: $DEPLOYMENT/.ostree.cfs does not exist"
    [ $((ROOT_TRANSIENT + ROOT_TRANSIENT_RO)) = 0 ] || fail "Must enable composefs with root.transient"
    # Without a ramdisk it is bound on itself before anything else can be mounted.
    [ "$NEW" = "$DEPLOYMENT" ] || mount -o bind "$DEPLOYMENT" "$NEW" ||
        fail "cannot bind $DEPLOYMENT"
}

mount_etc() {
    ETC_DIRECTORY=
    if [ "$ETC_TRANSIENT" = 1 ]; then
        [ -d "$NEW/usr/etc" ] || fail "etc.transient: $DEPLOYMENT has no /usr/etc"
        ETC_DIRECTORY=$(mktemp -d "$RUN/ostree/transient-etc.XXXXXX") || fail "no directory in $RUN"
        mkdir -m 0755 "$ETC_DIRECTORY/upper" "$ETC_DIRECTORY/work"
        mount -t overlay overlay \
            -o "lowerdir=$NEW/usr/etc,upperdir=$ETC_DIRECTORY/upper,workdir=$ETC_DIRECTORY/work" \
            "$NEW/etc" || fail "cannot mount the transient /etc"
        return
    fi
    [ -d "$DEPLOYMENT/etc" ] || fail "$DEPLOYMENT has no /etc"
    if [ "$SYSROOT_READONLY" = 1 ] || [ "$HAS_COMPOSEFS" = 1 ]; then
        mount -o bind "$DEPLOYMENT/etc" "$NEW/etc" || fail "cannot bind /etc"
        mount -o remount,bind,rw none "$NEW/etc" || fail "cannot make /etc writable"
    fi
}

mount_usr() {
    if [ -d "$DEPLOYMENT/.usr-ovl-work" ]; then
        mount_hotfix
    elif [ "$HAS_COMPOSEFS" = 0 ]; then
        mount -o bind "$NEW/usr" "$NEW/usr" || fail "cannot bind /usr"
        # The flag is ignored when a bind mount is made: two calls.
        mount -o remount,bind,ro none "$NEW/usr" || fail "cannot make /usr read-only"
    fi
}

# The overlay of "ostree admin unlock --hotfix", which stays for as long as its deployment.
mount_hotfix() {
    note "hotfix overlay on /usr"
    mh_lower=$NEW/usr
    mh_options=lowerdir=$mh_lower,upperdir=.usr-ovl-upper,workdir=.usr-ovl-work
    # An overlay refuses a writable layer on a read-only file system: then the layer is one to read.
    is_read_only "$PHYSICAL" && mh_options=ro,lowerdir=.usr-ovl-upper:$mh_lower
    (cd "$DEPLOYMENT" && mount -t overlay overlay -o "$mh_options" "$NEW/usr") ||
        fail "cannot mount the hotfix overlay"
}

mount_var() {
    mv_var=$NEW/sysroot/ostree/deploy/$STATEROOT/var
    if [ "$SYSROOT_READONLY" = 1 ]; then
        mount -o bind "$mv_var" "$mv_var" || fail "cannot bind /var"
        mount -o remount,bind,rw none "$mv_var" || fail "cannot make /var writable"
    fi
    fstab_has var && return
    [ -d "$mv_var" ] || fail "the stateroot $STATEROOT has no var"
    mount -o bind "$mv_var" "$NEW/var" || fail "cannot bind /var"
}

# /boot of the physical root; one that is a file system of its own is mounted by the system.
mount_boot() {
    [ -L "${PHYSICAL%/}/boot/loader" ] && [ -d "$NEW/boot" ] || return 0
    fstab_has boot && return
    mount -o bind "${PHYSICAL%/}/boot" "$NEW/boot" || fail "cannot bind /boot"
}

# The physical root, at /sysroot of the new one.
mount_sysroot() {
    [ -d "$NEW/sysroot" ] || fail "$DEPLOYMENT has no /sysroot"
    mount -o bind "$PHYSICAL" "$NEW/sysroot" || fail "cannot bind /sysroot"
}

# Mounts a deployment's root file system on the directory NEW, with PHYSICAL at its /sysroot.
# Before that: find_target, read_settings, and a writable /run, in which what is recorded goes.
prepare_root() {
    PHYSICAL=$1 NEW=$2 RUN=${RUN:-/run} PROC=${PROC:-/proc}
    find_deployment
    note "deployment $STATEROOT ${DEPLOYMENT##*/}"
    read_repository_settings
    make_state_directory
    mount --make-rprivate / || fail "cannot make mounts private"
    mount_new_root
    # First of all: its fstab tells what is not to be mounted here.
    mount_etc
    mount_usr
    mount_boot
    mount_sysroot
    mount_var
    # The system's last word on /sysroot, now that /var below it has its own.
    if [ "$SYSROOT_READONLY" = 1 ]; then
        mount -o remount,bind,ro none "$NEW/sysroot" || fail "cannot make /sysroot read-only"
    fi
    write_state "$RUN/ostree-booted" || fail "cannot write $RUN/ostree-booted"
}

make_state_directory() {
    mkdir -p "$RUN/ostree/.private" || fail "cannot write in $RUN"
    chmod 0755 "$RUN/ostree"
    chmod 0700 "$RUN/ostree/.private"
}

# The repository's own setting counts where the ramdisk's does not say read-only.
read_repository_settings() {
    rr_file=${PHYSICAL%/}/ostree/repo/config
    [ "$SYSROOT_READONLY" = 0 ] && [ -e "$rr_file" ] || return 0
    REPOSITORY_READONLY=0
    read_key_file "$rr_file" take_repository_setting lenient
    [ "$REPOSITORY_READONLY" = 0 ] && return
    note "Found legacy sysroot.readonly flag, not configured in ostree/prepare-root.conf"
    SYSROOT_READONLY=1
}

# Removes what "ostree admin unlock" left when the machine went down.
remove_old_overlays() {
    [ -d "$NEW/var/tmp" ] || return 0
    rm -rf "$NEW"/var/tmp/ostree-unlock-ovl.*
}
