"""Deployments: bootable trees made from commits, and the configuration that boots them."""
