"""Disk images of systems with deployments: what ``ostree image build`` does."""
