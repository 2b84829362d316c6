"""Refs in JSON documents (docs/json.md)."""

from __future__ import annotations

from ostree.errors import FormatError
from ostree.formats.refspec import parse_refspec
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostree.cli.json_output import Json


def refs_json(found: Mapping[str, str], aliases: Mapping[str, str]) -> dict[str, Json]:
    """Refs by their full names, with what their files hold; aliases with what they lead to."""
    return {"refs": [_ref_json(name, found[name], aliases.get(name)) for name in sorted(found)]}


def collection_refs_json(found: Mapping[tuple[str, str], str]) -> dict[str, Json]:
    """Refs by collection, with what their files hold."""
    return {
        "refs": [
            {"collection": collection, "name": name, "checksum": _checksum(value)}
            for (collection, name), value in sorted(found.items())
        ]
    }


def _ref_json(refspec: str, value: str, target: str | None) -> dict[str, Json]:
    remote, name = parse_refspec(refspec)
    return {
        "refspec": refspec,
        "remote": remote,
        "name": name,
        "checksum": _checksum(value),
        "alias_of": target,
    }


def _checksum(value: str) -> Checksum | None:
    """The checksum in the file of a ref; None if it holds something else."""
    try:
        return Checksum(value)
    except FormatError:
        return None
