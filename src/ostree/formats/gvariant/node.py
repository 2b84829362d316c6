"""The parts of a parsed GVariant text: what type each may have, and its value once that is known."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.gvariant.number import looks_double, parse_number
from ostree.formats.gvariant.pattern import ANY, Pattern, united
from ostree.formats.gvariant.tokens import failure
from ostree.formats.gvariant.type_string import is_object_path, is_signature, type_info
from ostree.formats.gvariant.value import Just, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.gvariant.type_string import TypeInfo
    from ostree.formats.gvariant.value import Value


class Node:
    """A part of the text.

    Attributes:
        start: Where it starts, in bytes.
        end: Where it ends.
    """

    __slots__ = ("_pattern", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self._pattern: Pattern | None = None

    @property
    def pattern(self) -> Pattern:
        """What the text alone says about the type.

        Raises:
            FormatError: if parts of it do not go together.
        """
        if self._pattern is None:
            self._pattern = self._find_pattern()
        return self._pattern

    def value(self, info: TypeInfo) -> Value:
        """The value as one of a type, made present as often as a maybe asks for.

        Raises:
            FormatError: if it cannot be of that type.
        """
        if info.kind == "m":
            return Just(self.value(info.element))
        return self._build(info)

    def resolved(self) -> Variant:
        """The value as one of the type that the text alone says.

        Raises:
            FormatError: if that is not enough to know the type.
        """
        text = self.pattern.type_text()
        if text is None:
            raise self.wrong("unable to infer type")
        return Variant(text, self.value(type_info(text)))

    def wrong(self, message: str) -> FormatError:
        """An error about this part."""
        return failure(self.start, self.end, message)

    def unfit(self, info: TypeInfo) -> FormatError:
        """The error that this part cannot be of a type."""
        return self.wrong(f"can not parse as value of type '{info.text}'")

    def _find_pattern(self) -> Pattern:
        raise NotImplementedError

    def _build(self, info: TypeInfo) -> Value:
        raise NotImplementedError


class BooleanNode(Node):
    """``true`` or ``false``."""

    __slots__ = ("_value",)

    def __init__(self, start: int, *, value: bool) -> None:
        super().__init__(start)
        self._value = value

    def _find_pattern(self) -> Pattern:
        return Pattern("b")

    def _build(self, info: TypeInfo) -> Value:
        if info.kind != "b":
            raise self.unfit(info)
        return self._value


class NumberNode(Node):
    """A number of any type."""

    __slots__ = ("_token",)

    def __init__(self, start: int, token: str) -> None:
        super().__init__(start)
        self._token = token

    def _find_pattern(self) -> Pattern:
        return Pattern("d" if looks_double(self._token) else "N")

    def _build(self, info: TypeInfo) -> Value:
        number = parse_number(self._token, info.kind, self.start)
        if info.kind not in "ynqiuxthd":
            raise self.unfit(info)
        return number


class StringNode(Node):
    """A string, object path or signature."""

    __slots__ = ("_value",)

    def __init__(self, start: int, value: str) -> None:
        super().__init__(start)
        self._value = value

    def _find_pattern(self) -> Pattern:
        return Pattern("S")

    def _build(self, info: TypeInfo) -> Value:
        if info.kind not in "sog":
            raise self.unfit(info)
        if info.kind == "o" and not is_object_path(self._value):
            raise self.wrong("not a valid object path")
        if info.kind == "g" and not is_signature(self._value):
            raise self.wrong("not a valid signature")
        return self._value


class BytesNode(Node):
    """A byte string."""

    __slots__ = ("_value",)

    def __init__(self, start: int, value: bytes) -> None:
        super().__init__(start)
        self._value = value

    def _find_pattern(self) -> Pattern:
        return Pattern("a", (Pattern("y", liftable=False),))

    def _build(self, info: TypeInfo) -> Value:
        if info.text != "ay":
            raise self.unfit(info)
        return self._value


class MaybeNode(Node):
    """``nothing``, or ``just`` and a value."""

    __slots__ = ("_child",)

    def __init__(self, start: int, child: Node | None) -> None:
        super().__init__(start)
        self._child = child

    def _find_pattern(self) -> Pattern:
        return Pattern("m", (self._child.pattern if self._child else ANY,), liftable=False)

    def value(self, info: TypeInfo) -> Value:
        """The value as one of a type; unlike others it is not made present once more."""
        if info.kind != "m":
            raise self.unfit(info)
        return Just(self._child.value(info.element)) if self._child else None


class VariantNode(Node):
    """A value in angle brackets."""

    __slots__ = ("_child",)

    def __init__(self, start: int, child: Node) -> None:
        super().__init__(start)
        self._child = child

    def _find_pattern(self) -> Pattern:
        return Pattern("v")

    def _build(self, info: TypeInfo) -> Value:
        if info.kind != "v":
            raise self.unfit(info)
        return self._child.resolved()


class TypedNode(Node):
    """A value with its type in front."""

    __slots__ = ("_child", "_info")

    def __init__(self, start: int, info: TypeInfo, child: Node) -> None:
        super().__init__(start)
        self._info = info
        self._child = child

    def _find_pattern(self) -> Pattern:
        return Pattern.exactly(self._info)

    def value(self, info: TypeInfo) -> Value:
        """The value as one of a type, which is the child's business."""
        return self._child.value(info)


class ArrayNode(Node):
    """Values in square brackets."""

    __slots__ = ("_children",)

    def __init__(self, start: int, children: Sequence[Node]) -> None:
        super().__init__(start)
        self._children = children

    def _find_pattern(self) -> Pattern:
        return Pattern("a", (_common_pattern(self._children),))

    def _build(self, info: TypeInfo) -> Value:
        if info.kind != "a":
            raise self.unfit(info)
        values = [child.value(info.element) for child in self._children]
        return bytes(values) if info.element.kind == "y" else values


class TupleNode(Node):
    """Values in parentheses."""

    __slots__ = ("_children",)

    def __init__(self, start: int, children: Sequence[Node]) -> None:
        super().__init__(start)
        self._children = children

    def _find_pattern(self) -> Pattern:
        return Pattern("(", tuple([child.pattern for child in self._children]))

    def _build(self, info: TypeInfo) -> Value:
        if info.kind != "(":
            raise self.unfit(info)
        pairs = zip(self._children, info.members, strict=False)
        values = tuple([child.value(member) for child, member in pairs])
        if not len(values) == len(self._children) == len(info.members):
            raise self.unfit(info)
        return values


class EntryNode(Node):
    """One key and value with a comma between: a dict entry by itself."""

    __slots__ = ("_key", "_value")

    def __init__(self, start: int, key: Node, value: Node) -> None:
        super().__init__(start)
        self._key = key
        self._value = value

    def _find_pattern(self) -> Pattern:
        return Pattern("{", (_key_pattern(self, self._key.pattern), self._value.pattern))

    def _build(self, info: TypeInfo) -> Value:
        if info.kind != "{":
            raise self.unfit(info)
        key, value = info.members
        return (self._key.value(key), self._value.value(value))


class DictionaryNode(Node):
    """Keys and values with colons between."""

    __slots__ = ("_keys", "_values")

    def __init__(self, start: int, keys: Sequence[Node], values: Sequence[Node]) -> None:
        super().__init__(start)
        self._keys = keys
        self._values = values

    def _find_pattern(self) -> Pattern:
        members = (ANY, ANY)
        if self._keys:
            # The first value speaks for all, as it does where values are printed.
            key = _key_pattern(self, _common_pattern(self._keys))
            members = (key, self._values[0].pattern)
        return Pattern("a", (Pattern("{", members, liftable=False),))

    def _build(self, info: TypeInfo) -> Value:
        if info.kind != "a" or info.element.kind != "{":
            raise self.unfit(info)
        key, value = info.element.members
        return [
            (mine.value(key), its.value(value))
            for mine, its in zip(self._keys, self._values, strict=True)
        ]


def _key_pattern(node: Node, key: Pattern) -> Pattern:
    if not key.is_basic:
        raise node.wrong("dictionary keys must have basic types")
    return Pattern(key.kind, liftable=False)


def _common_pattern(children: Sequence[Node]) -> Pattern:
    """What the patterns of all children unite to.

    Raises:
        FormatError: naming the first two that do not go together.
    """
    common = ANY
    for child in children:
        more = united(common, child.pattern)
        if more is None:
            other = next(c for c in children if united(c.pattern, child.pattern) is None)
            raise FormatError(
                f"{other.start}-{other.end},{child.start}-{child.end}:unable to find a common type",
                offset=other.start,
            )
        common = more
    return common
