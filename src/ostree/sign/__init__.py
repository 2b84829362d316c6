"""Signatures: one small interface, and an engine behind it for each scheme."""
