"""The steps of a preparation: each is done at once or not at all."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Action(Enum):
    """What a step does."""

    MOVE = "move"
    LINK = "link"
    DIRECTORY = "directory"
    REMOVE = "remove"
    WRITE = "write"
    COMPILE = "compile"


class Step(NamedTuple):
    """One step; paths are relative to the tree, without a slash in front.

    Attributes:
        action: What is done.
        path: With what: what moves, is made, is removed or written.
        target: Where it moves to (a file or link there is replaced), what a link leads to, or
            which interpreter compiles.
        mode: Of a directory that is made or a file that is written.
        content: Of a file that is written.
        modules: How many files are compiled.
    """

    action: Action
    path: str
    target: str = ""
    mode: int = 0
    content: bytes = b""
    modules: int = 0

    def describe(self) -> str:
        """The step in words."""
        match self.action:
            case Action.MOVE:
                return f"Move /{self.path} to /{self.target}"
            case Action.LINK:
                return f"Link /{self.path} to {self.target}"
            case Action.DIRECTORY:
                return f"Make the directory /{self.path}, mode {self.mode:04o}"
            case Action.REMOVE:
                return f"Remove /{self.path}"
            case Action.WRITE:
                return f"Write /{self.path}, {len(self.content)} bytes"
            case Action.COMPILE:
                return f"Compile {self.modules} Python files in /{self.path} with {self.target}"
