"""Reading GVariant values from text, as ``--add-metadata=KEY=VALUE`` takes them (format §1.8)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.gvariant.node import (
    ArrayNode,
    BooleanNode,
    BytesNode,
    DictionaryNode,
    EntryNode,
    MaybeNode,
    Node,
    NumberNode,
    StringNode,
    TupleNode,
    TypedNode,
    VariantNode,
)
from ostree.formats.gvariant.tokens import Tokens, bytes_content, failure, string_content
from ostree.formats.gvariant.type_string import MAX_DEPTH, is_type, type_info
from ostree.formats.gvariant.value import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.formats.gvariant.type_string import TypeInfo

_KEYWORDS = {
    b"boolean": "b",
    b"byte": "y",
    b"int16": "n",
    b"uint16": "q",
    b"int32": "i",
    b"uint32": "u",
    b"int64": "x",
    b"uint64": "t",
    b"handle": "h",
    b"double": "d",
    b"string": "s",
    b"objectpath": "o",
    b"signature": "g",
}


def parse_text(text: str, type: str | None = None) -> Variant:
    """The value that a text describes.

    Args:
        text: The text.
        type: The type the value has to be of; otherwise that is found from the text.

    Raises:
        FormatError: ``START-END:what is wrong``, positions in bytes of UTF-8; or if the type
            string is wrong.
    """
    wanted = None if type is None else type_info(type)
    try:
        tokens = Tokens(text.encode())
    except UnicodeEncodeError as error:
        at = len(text[: error.start].encode())
        raise failure(at, at, "not a character") from None
    node = _parse(tokens, MAX_DEPTH)
    result = Variant(wanted.text, node.value(wanted)) if wanted else node.resolved()
    if tokens.token:
        raise tokens.wrong("expected end of input")
    return result


def _parse(tokens: Tokens, levels: int) -> Node:
    """The value at the current token; at most so many levels of values may be inside."""
    if not levels:
        raise tokens.wrong("variant nested too deeply")
    node = _parse_simple(tokens) or _parse_compound(tokens, levels - 1)
    node.end = tokens.before
    return node


def _parse_simple(tokens: Tokens) -> Node | None:
    """The value of the current token, if it is one by itself."""
    start = tokens.start
    token = tokens.token
    node: Node
    if tokens.is_number() or token in (b"inf", b"nan"):
        node = NumberNode(start, token.decode())
    elif tokens.is_string():
        node = StringNode(start, string_content(token, start))
    elif tokens.is_bytes():
        node = BytesNode(start, bytes_content(token, start))
    elif token in (b"true", b"false"):
        node = BooleanNode(start, value=token == b"true")
    elif token == b"nothing":
        node = MaybeNode(start, None)
    else:
        return None
    tokens.advance()
    return node


def _parse_compound(tokens: Tokens, levels: int) -> Node:
    """The value that the current token opens."""
    start = tokens.start
    if tokens.accept(b"["):
        return _parse_array(tokens, start, levels)
    if tokens.accept(b"("):
        return _parse_tuple(tokens, start, levels)
    if tokens.accept(b"{"):
        return _parse_dictionary(tokens, start, levels)
    if tokens.accept(b"<"):
        child = _parse(tokens, levels)
        tokens.require(b">", " to follow variant value")
        return VariantNode(start, child)
    if tokens.token.startswith(b"@"):
        info = _stated_type(tokens)
        return TypedNode(start, info, _parse(tokens, levels))
    if tokens.accept(b"just"):
        return MaybeNode(start, _parse(tokens, levels))
    if not tokens.is_word() and tokens.token[:1] not in (b"j", b"n"):
        raise tokens.wrong("expected value")
    kind = _KEYWORDS.get(tokens.token)
    if kind is None:
        raise failure(start, tokens.end, "unknown keyword")
    tokens.advance()
    return TypedNode(start, type_info(kind), _parse(tokens, levels))


def _stated_type(tokens: Tokens) -> TypeInfo:
    start, end = tokens.start, tokens.end
    text = tokens.token[1:].decode("utf-8", "replace")
    try:
        info = type_info(text)
    except FormatError:
        definite = text.translate({ord("*"): "v", ord("?"): "y", ord("r"): "v"})
        vague = definite != text and is_type(definite)
        message = "type declarations must be definite" if vague else "invalid type declaration"
        raise failure(start, end, message) from None
    tokens.advance()
    return info


def _parse_array(tokens: Tokens, start: int, levels: int) -> Node:
    children: list[Node] = []
    while not tokens.accept(b"]"):
        if children:
            tokens.require(b",", " or ']' to follow array element")
        children.append(_parse(tokens, levels))
    return ArrayNode(start, children)


def _parse_tuple(tokens: Tokens, start: int, levels: int) -> Node:
    children: list[Node] = []
    while not tokens.accept(b")"):
        if len(children) > 1:
            tokens.require(b",", " or ')' to follow tuple element")
        children.append(_parse(tokens, levels))
        if len(children) == 1:
            tokens.require(b",", " after first tuple element")
    return TupleNode(start, children)


def _parse_dictionary(tokens: Tokens, start: int, levels: int) -> Node:
    if tokens.accept(b"}"):
        return DictionaryNode(start, (), ())
    keys = [_parse(tokens, levels)]
    if tokens.accept(b","):
        value = _parse(tokens, levels)
        tokens.require(b"}", " at end of dictionary entry")
        return EntryNode(start, keys[0], value)
    tokens.require(b":", " or ',' to follow dictionary entry key")
    values = [_parse(tokens, levels)]
    while not tokens.accept(b"}"):
        tokens.require(b",", " or '}' to follow dictionary entry")
        keys.append(_parse(tokens, levels))
        tokens.require(b":", " to follow dictionary entry key")
        values.append(_parse(tokens, levels))
    return DictionaryNode(start, keys, values)
