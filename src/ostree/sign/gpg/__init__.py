"""OpenPGP signatures, made and verified by the ``gpg`` command (signatures §2)."""
