"""Fetching over the network: a small interface, its curl engine, and retries around either."""
