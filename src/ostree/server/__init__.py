"""The repository server: an ASGI application that serves repositories read-only, and its start."""
