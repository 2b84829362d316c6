"""What making a delta tells while it goes on (static deltas §8.3)."""

from __future__ import annotations

from ostree.events import Message, StepProgress
from ostree.formats.size_text import format_size
from ostree.repo.static_delta.plan import object_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.events import Listener
    from ostree.formats.delta.rollsum import Matches
    from ostree.formats.delta.superblock import PartHeader
    from ostree.repo.static_delta.plan import NewFile, Plan


class Report:
    """Turns what happens into upstream's lines, and counts.

    Args:
        on_event: Is given the lines, and progress of ``static-delta``.
        plan: What is going to be done.

    Attributes:
        loose: Bytes that the objects written as they are take in the repository.
        rolled: How many files were made of pieces of their partners, and their bytes.
        compared: How many files were compared by bsdiff.
    """

    def __init__(self, on_event: Listener, plan: Plan) -> None:
        self._emit = on_event
        self._plan = plan
        self._held: list[str] | None = []
        self._total = len(plan.metadata) + len(plan.modified) + len(plan.regular)
        self._total += len(plan.symlinks)
        self._done = 0
        self.loose = 0
        self.rolled = 0
        self.rolled_bytes = 0
        self.compared = 0
        self._say(f"modified: {plan.pairs}")
        self._say(
            # The commit itself counts, although the superblock holds it.
            f"new reachable: metadata={len(plan.metadata) + 1} "
            f"content regular={len(plan.regular) + len(plan.modified)} "
            f"symlink={len(plan.symlinks)}"
        )

    def step(self) -> None:
        """An object is written."""
        self._done += 1
        self._emit(StepProgress("static-delta", self._done, self._total))

    def rolled_from(self, file: NewFile, matches: Matches) -> None:
        """A file is written as pieces of its partner."""
        self.rolled += 1
        self.rolled_bytes += matches.size
        self._say(
            f"rollsum for {file.partner} -> {file.checksum}; crcs={matches.keys} "
            f"bufs={len(matches.matches)} total={matches.chunks} matchsize={matches.size}"
        )
        self.step()

    def modified_done(self) -> None:
        """All files that could be patched are done: say how."""
        self._say(f"rollsum for {self.rolled}/{self._plan.pairs} modified")
        count = self.compared
        for index in range(count):
            if count < 10 or index % (count // 10) == 0:
                self._say(f"processing bsdiff: [{index}/{count}]")
        held, self._held = self._held or [], None
        for line in held:
            self._say(line)

    def fallback(self, file: NewFile) -> None:
        """A file is left out."""
        size = format_size(object_size(file))
        self._hold(f"fallback for {file.checksum} ({size})")

    def part(self, number: int, header: PartHeader) -> None:
        """A part, the first being 1, is complete."""
        self._hold(
            f"part {number} n:{header.count} compressed:{header.size} "
            f"uncompressed:{header.plain_size}"
        )

    def end(self, parts: list[PartHeader]) -> None:
        """The sums."""
        plain, size = sum(part.plain_size for part in parts), sum(part.size for part in parts)
        self._say(f"uncompressed={plain} compressed={size} loose={self.loose}")
        self._say(f"rollsum={self.rolled} objects, {self.rolled_bytes} bytes")
        self._say(f"bsdiff={self.compared} objects")

    def _hold(self, text: str) -> None:
        """Say something once it is known what became of the modified files."""
        if self._held is None:
            self._say(text)
        else:
            self._held.append(text)

    def _say(self, text: str) -> None:
        self._emit(Message(text, warning=True))
