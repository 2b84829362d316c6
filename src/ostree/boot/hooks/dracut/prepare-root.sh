#!/bin/sh
# In a ramdisk of dracut's without systemd: before the root is switched to.
# shellcheck disable=SC2154 # NEWROOT is dracut's
if ! sh /usr/lib/ostree/ostree-prepare-root "$NEWROOT"; then
    die "ostree: the deployment's root file system could not be made"
fi
