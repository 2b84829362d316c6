"""Python's side of GVariant values: boxed variants and present maybes.

==================  =====================================================
Type                Python value
==================  =====================================================
``y n q i u x t h``  ``int``
``b``               ``bool``
``d``               ``float``
``s o g``           ``str``
``ay``              ``bytes``
other arrays        ``list``; dictionaries are lists of (key, value) in the order of the bytes
``(…)`` ``{KV}``    ``tuple``
``v``               :class:`Variant`
``mT``              ``None`` or :class:`Just`
==================  =====================================================
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    # What a value is follows from its type string, which the checker cannot see; callers give
    # the name they bind it to the type that their type string implies.
    Value: TypeAlias = Any


class Variant:
    """A value together with its type: what a ``v`` holds.

    Attributes:
        type: The type string.
        value: The value, as the module describes; treat it as constant.
    """

    __slots__ = ("type", "value")

    def __init__(self, type: str, value: Value) -> None:
        self.type = type
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Variant):
            return NotImplemented
        return self.type == other.type and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash((self.type, _frozen(self.value)))

    def __repr__(self) -> str:
        return f"Variant({self.type!r}, {self.value!r})"


class Just:
    """A maybe that holds something; ``None`` is the maybe that holds nothing."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Just):
            return NotImplemented
        return bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash((Just, _frozen(self.value)))

    def __repr__(self) -> str:
        return f"Just({self.value!r})"


def _frozen(value: Value) -> object:
    """The value with its lists as tuples, so that it can be hashed."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    return value
