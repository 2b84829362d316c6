#!/bin/bash
# dracut module "ostree": makes the deployment's root file system after the physical root is mounted.
# It is included where it is asked for: add_dracutmodules+=" ostree "
# shellcheck disable=SC2154 # variables are dracut's

check() {
    [[ -e $dracutsysrootdir/usr/lib/ostree/ostree-prepare-root.sh ]] || return 1
    return 255
}

# Without systemd dracut gives up a physical root before any hook could make another of it.
depends() {
    echo systemd
}

installkernel() {
    hostonly='' instmods erofs loop overlay
}

install() {
    inst_multiple cat chmod mkdir mktemp mount readlink rm rmdir sh sleep stat umount uname
    inst_simple /usr/lib/ostree/prepare-root.sh
    inst_simple /usr/lib/ostree/ostree-prepare-root.sh /usr/lib/ostree/ostree-prepare-root
    inst_simple /usr/lib/ostree/prepare-root.conf
    inst_simple /etc/ostree/prepare-root.conf
    inst_simple "$moddir/ostree-prepare-root.service" \
        "$systemdsystemunitdir/ostree-prepare-root.service"
    mkdir -p "$initdir$systemdsystemunitdir/initrd-root-fs.target.wants"
    ln_r "$systemdsystemunitdir/ostree-prepare-root.service" \
        "$systemdsystemunitdir/initrd-root-fs.target.wants/ostree-prepare-root.service"
}
