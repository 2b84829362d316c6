"""Boot loaders, one per module; which one writes its configuration (boot §2)."""
