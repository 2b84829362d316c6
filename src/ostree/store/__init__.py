"""Object stores: one module per repository mode behind the contract in :mod:`ostree.store.store`."""
