"""Moving commits between repositories: pull over HTTP, pull from a directory."""
