#!/bin/bash
# dracut module "ostree": makes the deployment's root file system after the physical root is mounted.
# It is included where it is asked for: add_dracutmodules+=" ostree "
# shellcheck disable=SC2154 # variables are dracut's

check() {
    [[ -e $dracutsysrootdir/usr/lib/ostree/ostree-prepare-root.sh ]] || return 1
    return 255
}

depends() {
    return 0
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
    if ! dracut_module_included systemd; then
        inst_hook mount 00 "$moddir/mount-deployment.sh"
        return
    fi
    inst_simple "$moddir/ostree-prepare-root.service" \
        "$systemdsystemunitdir/ostree-prepare-root.service"
    mkdir -p "$initdir$systemdsystemunitdir/initrd-root-fs.target.wants"
    ln_r "$systemdsystemunitdir/ostree-prepare-root.service" \
        "$systemdsystemunitdir/initrd-root-fs.target.wants/ostree-prepare-root.service"
}
