"""The repository: refs, configuration, transactions, import, checkout, verification."""
