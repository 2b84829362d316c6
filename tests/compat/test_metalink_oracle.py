"""Metalinks are refused for the same reasons, in the same words and places, as by the reference."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ostree.errors import OSTreeError
from ostree.formats.metalink import parse
from simulator.lying_server import LyingServer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Oracle

pytestmark = pytest.mark.oracle

URL = (
    '<url protocol="http" type="http" location="US" preference="1">http://127.0.0.1:1/summary</url>'
)
#: Parts of a document and what may be there instead.
VARIANTS = {
    "<size>5</size>": ["", "<size>0</size>", "<size>x</size>", "<size>\n 7 x</size>", "<y/>"],
    f'<hash type="sha256">{"a" * 64}</hash>': [
        "",
        '<hash type="md5">x</hash>',
        '<hash type="sha512">abc</hash>',
        '<hash type="sha512" x="y"></hash>',
        "<hash></hash>",
        f'\n<hash type="sha256">{"A" * 64}</hash>',
    ],
    URL: [
        "",
        URL.replace('protocol="http"', 'protocol="ftp"'),
        URL.replace(' location="US"', ""),
        URL.replace("<url", "\n <url a='1>'"),
        URL.replace("http://", ""),
        f"<deeper>{URL}</deeper>",
    ],
    'file name="summary"': ['file name="other"', "file", 'file name="summary" size="1"'],
    "<metalink": ["<metalink xmlns='u' version=\"3\"", "<other", "junk<metalink"],
}


def documents() -> list[str]:
    """A good document with up to two parts replaced."""
    good = (
        '<metalink>\n<files><file name="summary"><size>5</size><verification>'
        f'<hash type="sha256">{"a" * 64}</hash></verification><resources>{URL}</resources>'
        "</file></files></metalink>"
    )
    singles = [good.replace(old, new) for old, news in VARIANTS.items() for new in news]
    chooser = random.Random(5)
    pairs = []
    for _ in range(25):
        text = good
        for old, news in chooser.sample(list(VARIANTS.items()), 2):
            text = text.replace(old, chooser.choice(news))
        pairs.append(text)
    # Where the root is another element, its end is not; what upstream says of that is GLib's.
    return [
        text.replace("</metalink>", "</other>") if "<other>" in text else text
        for text in singles + pairs
    ]


def test_random_documents(oracle: Oracle, tmp_path: Path) -> None:
    oracle("init", f"--repo={tmp_path / 'repo'}", "--mode=archive")
    served = tmp_path / "served"
    served.mkdir()
    with LyingServer(served) as server:
        oracle(
            "remote",
            "add",
            f"--repo={tmp_path / 'repo'}",
            "--no-sign-verify",
            "far",
            f"metalink={server.url}/metalink",
        )
        for text in documents():
            (served / "metalink").write_text(text)
            result = oracle("pull", f"--repo={tmp_path / 'repo'}", "far", "main", check=False)
            try:
                parse(text.encode())
            except OSTreeError as error:
                ours = f"error: {error}\n"
            else:
                # Nothing listens there, so the reference fails with what comes after parsing.
                ours = "error: Exhausted"
            assert result.stderr.startswith(ours), text
