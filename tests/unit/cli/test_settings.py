"""Constants that have to agree with other places."""

from __future__ import annotations

import tomllib
from pathlib import Path

import ostree
from ostree import settings

PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def test_the_version_is_the_projects() -> None:
    with PROJECT.open("rb") as file:
        version = tomllib.load(file)["project"]["version"]

    assert settings.VERSION == ostree.__version__ == version
