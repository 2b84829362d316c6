"""Formats: bytes and text to values and back; pure, total, without files, clocks or sockets."""
