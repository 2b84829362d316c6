"""Finders: one module for each place where repositories that serve a collection are looked for."""
