"""pycurl without its asyncio part, which nothing here uses.

The import of that part brings ``dataclasses``, ``inspect`` and ``typing``: 11 ms of the 19 that
pycurl takes, where a whole pull of nothing takes 60.  What is loaded instead is the extension
module under its own name, which is the one that ``import pycurl`` elsewhere then finds, too.
"""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader, PathFinder
from importlib.util import module_from_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["pycurl"]

_PACKAGE = "pycurl"
_EXTENSION = "pycurl._pycurl"


def _find() -> ModuleType:
    """The module that has ``Curl``, ``CurlMulti`` and the constants."""
    found = sys.modules.get(_PACKAGE) or sys.modules.get(_EXTENSION) or _extension()
    if found is not None:
        return found
    import pycurl as whole  # older versions are one extension module; or it is not there

    module: ModuleType = whole
    return module


def _extension() -> ModuleType | None:
    """The extension inside the package, if pycurl is built that way."""
    package = PathFinder.find_spec(_PACKAGE)
    if package is None or package.submodule_search_locations is None:
        return None
    spec = PathFinder.find_spec(_EXTENSION, package.submodule_search_locations)
    if spec is None or not isinstance(spec.loader, ExtensionFileLoader):
        return None
    module = module_from_spec(spec)
    sys.modules[_EXTENSION] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    import pycurl
else:
    pycurl = _find()
