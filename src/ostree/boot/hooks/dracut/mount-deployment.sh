#!/bin/sh
# dracut mount hook, where there is no systemd in the ramdisk: makes the deployment's root file system.
# It comes first, has the others mount the physical root, and goes on from there: what is mounted when
# one of them ends has to look like a system to dracut, or it is unmounted.
# shellcheck disable=SC2154 # variables are dracut's

case " $(cat /proc/cmdline) " in
*" ostree="*)
    for ostree_hook in "$hookdir"/mount/*.sh; do
        case $ostree_hook in *-mount-deployment.sh) continue ;; esac
        # shellcheck source=/dev/null
        . "$ostree_hook"
        ismounted "$NEWROOT" && break
    done
    if ismounted "$NEWROOT" && ! sh /usr/lib/ostree/ostree-prepare-root "$NEWROOT"; then
        die "ostree: the deployment's root file system could not be made"
    fi
    ;;
esac
