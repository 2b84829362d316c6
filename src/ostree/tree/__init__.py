"""Root file systems arranged for deployments: what ``ostree tree prepare`` does."""
