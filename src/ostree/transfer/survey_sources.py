"""Where a survey gets metadata from: a server, or a directory."""

from __future__ import annotations

from ostree.errors import NotFoundError, OSTreeError
from ostree.net.fetcher import METADATA_PRIORITY, MemorySink, Request, is_not_found
from ostree.repo.signing import find_detached
from ostree.store.store import MAX_METADATA
from ostree.transfer.arrival import MAX_DETACHED
from ostree.transfer.plan import CommitStep
from ostree.transfer.remote import join_url
from ostree.transfer.survey import Source
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.repository import Repo
    from ostree.transfer.plan import Step
    from ostree.transfer.remote import RemoteAccess
    from ostree.transfer.survey import Then
    from ostree.types import Checksum


class ServerSource(Source):
    """A server, asked by way of a fetcher that nobody else uses."""

    def __init__(self, fetcher: Fetcher, remote: RemoteAccess) -> None:
        self._fetcher = fetcher
        self._remote = remote

    @property
    def is_local(self) -> bool:
        """It is elsewhere."""
        return False

    def detached(self, commit: Checksum, then: Then) -> None:
        """Ask for it."""
        path = f"objects/{commit[:2]}/{commit[2:]}.commitmeta"
        self._get(join_url(self._remote.meta_url, path), MAX_DETACHED, then, optional=True)

    def metadata(self, step: Step, then: Then) -> None:
        """Ask for it."""
        limit, optional = MAX_METADATA, False
        if isinstance(step, CommitStep):
            optional = step.optional
            if step.max_size is not None:
                limit = min(limit, step.max_size)
        name = f"objects/{step.checksum[:2]}/{step.checksum[2:]}.{step.type.extension}"
        self._get(join_url(self._remote.content_url, name), limit, then, optional=optional)

    def _get(self, url: str, limit: int, then: Then, *, optional: bool) -> None:
        body = _Body(then, optional=optional)
        request = Request(url, max_size=limit, priority=METADATA_PRIORITY)
        self._fetcher.submit(request, body, body.done)

    def content_size(self, checksum: Checksum) -> tuple[int, int] | None:
        """Nobody knows without asking for each of them."""
        del checksum
        return None

    def wait(self) -> bool:
        """Let the network do something."""
        if not self._fetcher.outstanding():
            return False
        self._fetcher.step()
        return True


class _Body(MemorySink):
    __slots__ = ("_optional", "_then")

    def __init__(self, then: Then, *, optional: bool) -> None:
        super().__init__()
        self._then = then
        self._optional = optional

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if not isinstance(outcome, OSTreeError):
            self._then(self.value())
        elif self._optional and is_not_found(outcome):
            self._then(None)
        else:
            raise outcome


class DirectorySource(Source):
    """A repository on this machine."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    @property
    def is_local(self) -> bool:
        """It is."""
        return True

    def detached(self, commit: Checksum, then: Then) -> None:
        """Read it."""
        there = self._repo.has_object(commit, ObjectType.COMMIT)
        then(find_detached(self._repo, commit) if there else None)

    def metadata(self, step: Step, then: Then) -> None:
        """Read it."""
        if isinstance(step, CommitStep) and step.optional:
            try:
                data: bytes | None = self._repo.load_metadata(step.checksum, step.type)
            except NotFoundError:
                data = None
            then(data)
        else:
            then(self._repo.load_metadata(step.checksum, step.type))

    def content_size(self, checksum: Checksum) -> tuple[int, int] | None:
        """What the file is: an import is not compressed."""
        with self._repo.load_content(checksum) as content:
            return content.size, content.size

    def wait(self) -> bool:
        """Everything was there at once."""
        return False
