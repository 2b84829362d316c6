"""What is known of a type while a GVariant text is read, and how two such findings unite.

``[1, 2.5]`` is an array of doubles because an integer may be any number and ``2.5`` is a double;
``[just 1, 2]`` is an array of maybes because ``2`` may stand for a present value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.gvariant.type_string import TypeInfo

_NUMBERS = frozenset("ynqiuxthd")
_STRINGS = frozenset("sog")


class Pattern:
    """A type with gaps.

    Attributes:
        kind: As in :class:`TypeInfo`, or ``*`` for any type, ``N`` for any number, ``S`` for any
            kind of string.
        members: The patterns inside.
        liftable: Whether the value may also stand for a present maybe of any depth.
    """

    __slots__ = ("kind", "liftable", "members")

    def __init__(
        self, kind: str, members: tuple[Pattern, ...] = (), *, liftable: bool = True
    ) -> None:
        self.kind = kind
        self.members = members
        self.liftable = liftable

    @classmethod
    def exactly(cls, info: TypeInfo) -> Pattern:
        """The pattern of a type that was stated."""
        return cls(info.kind, tuple(map(cls.exactly, info.members)), liftable=False)

    @property
    def is_basic(self) -> bool:
        """Whether it can only be a type that dictionaries have as keys."""
        return self.kind not in "*vam({"

    def type_text(self) -> str | None:
        """The type it stands for if nothing else narrows it, or ``None`` if that says too little."""
        if self.kind == "*":
            return None
        if self.kind == "N":
            return "i"
        if self.kind == "S":
            return "s"
        inside = ""
        for member in self.members:
            text = member.type_text()
            if text is None:
                return None
            inside += text
        return self.kind + inside + {"(": ")", "{": "}"}.get(self.kind, "")


ANY = Pattern("*", liftable=False)


def united(one: Pattern, other: Pattern) -> Pattern | None:
    """What is known of a type that both describe, or ``None`` if there is no such type."""
    if one is other or other.kind == "*":
        return one
    if one.kind == "*":
        return other
    if one.liftable != other.liftable:
        liftable, fixed = (one, other) if one.liftable else (other, one)
        if fixed.kind == "m":
            inner = united(liftable, fixed.members[0])
            return inner and Pattern("m", (inner,), liftable=False)
    kind = _united_kind(one.kind, other.kind) or _united_kind(other.kind, one.kind)
    if kind is None or len(one.members) != len(other.members):
        return None
    members = []
    for mine, others in zip(one.members, other.members, strict=True):
        member = united(mine, others)
        if member is None:
            return None
        members.append(member)
    return Pattern(kind, tuple(members), liftable=one.liftable and other.liftable)


def _united_kind(one: str, other: str) -> str | None:
    if one == other:
        return one
    if (one == "N" and other in _NUMBERS) or (one == "S" and other in _STRINGS):
        return other
    return None
