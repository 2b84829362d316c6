"""Fetching single objects to take the place of missing or damaged ones.

Where they come from need not be trusted: every object has to be what its name says.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from ostree.errors import (
    CorruptionError,
    FormatError,
    NotFoundError,
    OSTreeError,
    RepoError,
    StatusError,
)
from ostree.events import StepProgress, ignore
from ostree.formats import commit as commit_format
from ostree.formats.dirtree import decode_references
from ostree.repo.content_import import import_loaded
from ostree.repo.object_check import check_metadata
from ostree.repo.object_errors import write_error
from ostree.repo.replacement import Replacement
from ostree.store.layout import loose_path
from ostree.store.store import MAX_METADATA
from ostree.types import Checksum, ObjectName, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostree.events import Listener
    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.repository import Repo
    from ostree.transfer.content_receiver import ContentReceiver

#: Objects asked for at once.
_BATCH = 16
#: What a remote is called that is a URL and nothing else.
_UNNAMED = "repair"


class RepairResult:
    """What became of bad objects.

    Attributes:
        repaired: Objects that are there and right now, those found to be missing below repaired
            directories included.
        failed: For each that is not, why.
        error: What ended it before all were tried, if anything did.
    """

    __slots__ = ("error", "failed", "repaired")

    def __init__(self) -> None:
        self.repaired: list[ObjectName] = []
        self.failed: dict[ObjectName, str] = {}
        self.error: OSTreeError | None = None


class RepairSource:
    """A repository, near or far, that may have good copies."""

    def fetch(
        self, names: Sequence[ObjectName], into: Replacement
    ) -> dict[ObjectName, bytes | OSTreeError]:
        """Fetch objects, verify and store them.

        Returns:
            For each what was stored (nothing for file objects), or why it was not.
        """
        raise NotImplementedError


class LocalSource(RepairSource):
    """A repository on this machine."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def fetch(
        self, names: Sequence[ObjectName], into: Replacement
    ) -> dict[ObjectName, bytes | OSTreeError]:
        """Read, verify and store; see the interface."""
        found: dict[ObjectName, bytes | OSTreeError] = {}
        for name in names:
            try:
                found[name] = self._fetch(name, into)
            except OSTreeError as error:
                found[name] = error
            except OSError as error:
                found[name] = write_error(f"Reading {name}", error)
        return found

    def _fetch(self, name: ObjectName, into: Replacement) -> bytes:
        if name.type is not ObjectType.FILE:
            return _store(name, self._repo.load_metadata(name.checksum, name.type), into)
        with self._repo.load_content(name.checksum) as content:
            import_loaded(into.store, content, into.charge, name.checksum)
        return b""


class HttpSource(RepairSource):
    """A repository behind a URL."""

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self._url = url
        self._fetcher = fetcher

    def fetch(
        self, names: Sequence[ObjectName], into: Replacement
    ) -> dict[ObjectName, bytes | OSTreeError]:
        """Fetch, verify and store; see the interface."""
        from ostree.net.fetcher import CONTENT_PRIORITY, METADATA_PRIORITY, Request
        from ostree.transfer.content_receiver import ContentReceiver
        from ostree.transfer.remote import join_url

        receiver = ContentReceiver(into.store, into.charge)
        arrivals = [_Arrival(name, into, receiver) for name in names]
        for arrival in arrivals:
            is_file = arrival.name.type is ObjectType.FILE
            path = loose_path(
                arrival.name.checksum, "filez" if is_file else arrival.name.type.extension
            )
            request = Request(
                join_url(self._url, f"objects/{path}"),
                max_size=None if is_file else MAX_METADATA,
                priority=CONTENT_PRIORITY if is_file else METADATA_PRIORITY,
            )
            self._fetcher.submit(request, arrival.sink, arrival.done)
        self._fetcher.run()
        return {arrival.name: arrival.outcome for arrival in arrivals}


class _Arrival:
    """One object on its way."""

    def __init__(self, name: ObjectName, into: Replacement, receiver: ContentReceiver) -> None:
        from ostree.transfer.body_sink import BodySink

        self.name = name
        self.outcome: bytes | OSTreeError = b""
        self.sink = BodySink(
            (lambda: receiver.stream(name.checksum)) if name.type is ObjectType.FILE else None
        )
        self._into = into
        self._receiver = receiver

    def done(self, response: Response | OSTreeError) -> None:
        try:
            if isinstance(response, OSTreeError):
                self.outcome = response
                return
            stream = self.sink.stream
            if stream is not None:
                stream.finish()
            elif self.name.type is ObjectType.FILE:
                self._receiver.store_body(self.name.checksum, self.sink.value())
            else:
                self.outcome = _store(self.name, self.sink.value(), self._into)
        except OSTreeError as error:
            self.outcome = error
        finally:
            self.sink.close()


def _store(name: ObjectName, data: bytes, into: Replacement) -> bytes:
    check_metadata(name, data)
    try:
        into.store.put_metadata(name.checksum, name.type, data)
    except OSError as error:
        raise write_error("Writing metadata object", error) from error
    return data


@contextmanager
def open_source(repo: Repo, text: str) -> Iterator[RepairSource]:
    """Where to fetch from: a URL, a configured remote, or the path of a repository.

    Raises:
        OSTreeError: if it is none of these, or cannot be opened.
    """
    from ostree.formats.keyfile import KeyFile
    from ostree.repo.remotes import Remote, group_name
    from ostree.repo.repository import Repo as Opened
    from ostree.transfer.connection import connect
    from ostree.transfer.options import PullOptions
    from ostree.transfer.remote import access, file_path

    options = PullOptions()
    path: str | None = text
    remote: Remote | None = None
    if "://" in text:
        keyfile = KeyFile()
        keyfile.set_string(group_name(_UNNAMED), "url", text)
        remote = Remote(_UNNAMED, keyfile)
        path = file_path(text)
    elif repo.remotes.has(text):
        remote = repo.remotes.get(text)
        path = access(remote, options).local_path
    if remote is None or path is not None:
        with Opened.open(path or text) as opened:
            if os.path.samefile(opened.path, repo.path):
                raise RepoError(f"Cannot repair {repo.path} from itself")
            yield LocalSource(opened)
        return
    with connect(repo, remote, access(remote, options), options) as (found, fetcher), fetcher:
        yield HttpSource(found.content_url, fetcher)


def repair(
    repo: Repo,
    bad: Sequence[ObjectName],
    source: RepairSource,
    on_event: Listener | None = None,
) -> RepairResult:
    """Replace bad objects by good ones; what these lead to and is missing is fetched, too.

    Nothing changes before all objects that can be had are there and verified.

    Args:
        repo: The repository; it is locked as for a transaction.
        bad: What is missing or damaged.
        source: Where to fetch from.
        on_event: Is given :class:`~ostree.events.StepProgress` of ``repair``.

    Raises:
        RepoError: if the repository cannot be written.
    """
    repo.require_writable()
    result = RepairResult()
    waiting = list(dict.fromkeys(bad))
    seen = set(waiting)
    tried = 0
    emit = on_event or ignore
    with repo.lock.hold(exclusive=False), Replacement(repo) as replacement:
        while waiting and result.error is None:
            batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
            for name, outcome in source.fetch(batch, replacement).items():
                tried += 1
                if isinstance(outcome, OSTreeError):
                    _fail(result, name, outcome)
                    continue
                result.repaired.append(name)
                for below in _references(name, outcome):
                    if below not in seen and not repo.has_object(below.checksum, below.type):
                        seen.add(below)
                        waiting.append(below)
            emit(StepProgress("repair", tried, len(seen)))
        if result.repaired:
            replacement.publish()
    return result


def _fail(result: RepairResult, name: ObjectName, error: OSTreeError) -> None:
    result.failed[name] = str(error)
    is_absent = isinstance(error, NotFoundError) or (
        isinstance(error, StatusError) and error.status in {403, 404, 410}
    )
    if not is_absent and not isinstance(error, CorruptionError):
        result.error = error  # it would be the same with the next one


def _references(name: ObjectName, data: bytes) -> Iterator[ObjectName]:
    """What a metadata object that is right leads to; parents of commits may be missing."""
    try:
        if name.type is ObjectType.COMMIT:
            root = commit_format.decode(data).root
            yield ObjectName(root.dirtree, ObjectType.DIRTREE)
            yield ObjectName(root.dirmeta, ObjectType.DIRMETA)
        elif name.type is ObjectType.DIRTREE:
            files, directories = decode_references(data)
            for file in files:
                yield ObjectName(Checksum.of_digest(file), ObjectType.FILE)
            for dirtree, dirmeta in directories:
                yield ObjectName(Checksum.of_digest(dirtree), ObjectType.DIRTREE)
                yield ObjectName(Checksum.of_digest(dirmeta), ObjectType.DIRMETA)
    except FormatError:
        return
