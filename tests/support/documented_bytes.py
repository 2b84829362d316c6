"""Worked examples of docs/formats: blocks of hex with what each piece is.

A block begins with ```` ```hex NAME ````; in each line hex digits, single blanks among them, stand
before two blanks and an explanation.
"""

from __future__ import annotations

from pathlib import Path

FORMATS = Path(__file__).resolve().parents[2] / "docs" / "formats"


def blocks(kind: str) -> dict[str, list[str]]:
    """The lines of all blocks of a kind, ``hex`` for example, by their names."""
    found: dict[str, list[str]] = {}
    for page in sorted(FORMATS.glob("*.md")):
        name: str | None = None
        for line in page.read_text(encoding="utf-8").splitlines():
            if name is not None:
                if line == "```":
                    name = None
                else:
                    found[name].append(line)
            elif line.startswith(f"```{kind}"):
                name = line.removeprefix(f"```{kind}").strip()
                assert name not in found, f"{page.name}: a second example called {name!r}"
                found[name] = []
    return found


def hex_examples() -> dict[str, bytes]:
    """The bytes of every example, by its name."""
    return {
        name: bytes.fromhex("".join(line.split("  ", 1)[0] for line in lines))
        for name, lines in blocks("hex").items()
    }
