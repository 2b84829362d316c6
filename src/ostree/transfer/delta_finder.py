"""Which static deltas a remote has for what is wanted, and their superblocks (§9.1, §9.2)."""

from __future__ import annotations

import hashlib

from ostree.errors import ChecksumError, OSTreeError
from ostree.formats.delta import index as index_format
from ostree.formats.delta import superblock as superblock_format
from ostree.formats.delta.name import DeltaName, index_path
from ostree.net.fetcher import MemorySink, Request, is_not_found
from ostree.transfer.delta_choice import (
    between,
    chains,
    choose_direct,
    choose_scratch,
    smallest,
)
from ostree.transfer.remote import join_url
from ostree.transfer.remote_summary import fetch_config, fetch_summary
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ostree.formats.delta.superblock import Superblock
    from ostree.formats.summary import Summary
    from ostree.net.fetcher import Fetcher, Response
    from ostree.repo.repository import Repo
    from ostree.transfer.options import PullOptions, PullResult
    from ostree.transfer.plan import Facts
    from ostree.transfer.remote import RemoteAccess
    from ostree.types import Checksum

    Deltas = Mapping[DeltaName, bytes]


class DeltaWish:
    """A commit that is wanted.

    Attributes:
        target: The commit.
        shown: What the user called it: a ref, or nothing.
        tip: What the ref points to here.
        has_ref: Whether it was asked for by a ref at all.
    """

    __slots__ = ("has_ref", "shown", "target", "tip")

    def __init__(
        self, target: Checksum, *, ref: str | None = None, tip: Checksum | None = None
    ) -> None:
        self.target = target
        self.shown = ref or ""
        self.has_ref = ref is not None
        self.tip = tip


class DeltaFinder:
    """Finds deltas for the commits of one pull.

    Args:
        repo: The destination.
        facts: What is there.
        fetcher: Idle.
        source: Where to look.
        options: Whether deltas are required.
        summary: The remote's, None if it has none.
        summary_known: Whether that was looked for; otherwise it is, if it is needed.
        result: Is counted in.
        digests_required: Whether a superblock that nobody vouches for is refused.
    """

    def __init__(
        self,
        repo: Repo,
        facts: Facts,
        fetcher: Fetcher,
        source: RemoteAccess,
        options: PullOptions,
        summary: Summary | None,
        result: PullResult,
        *,
        summary_known: bool,
        digests_required: bool,
    ) -> None:
        self._summary_known = summary_known
        self._repo = repo
        self._facts = facts
        self._fetcher = fetcher
        self._source = source
        self._required = options.require_static_deltas
        self._summary = summary
        self._result = result
        self._digests_required = digests_required
        self._superblocks: dict[DeltaName, Superblock | None] = {}

    def find(self, wishes: Iterable[DeltaWish]) -> dict[Checksum, list[Superblock]]:
        """For each commit that deltas lead to their superblocks, in the order of application.

        Raises:
            OSTreeError: if there is none and deltas are required, or one is not what it should be.
        """
        missing = [wish for wish in wishes if not self._is_complete(wish.target)]
        if not missing:
            return {}
        indexed, listed = self._sources()
        if self._required and not indexed and listed is None:
            raise OSTreeError(
                "Fetch configured to require static deltas, "
                "but no summary deltas or delta index found"
            )
        found: dict[Checksum, list[Superblock]] = {}
        indexes = self._indexes(wish.target for wish in missing) if indexed else {}
        for wish in missing:
            if wish.target in found:
                continue
            known = indexes.get(wish.target, {}) if indexed else listed
            chosen = (
                self._guess(wish) if known is None else self._choose(wish, known, indexed=indexed)
            )
            if chosen:
                found[wish.target] = chosen
            elif self._required:
                raise _none_found(wish.shown, wish.target)
        return found

    # what is known ------------------------------------------------------------------------------

    def _is_complete(self, commit: Checksum) -> bool:
        facts = self._facts
        return facts.has(commit, ObjectType.COMMIT) and facts.is_complete(commit)

    def _age(self, commit: Checksum) -> int | None:
        return self._repo.load_commit(commit).timestamp if self._is_complete(commit) else None

    def _sources(self) -> tuple[bool, Deltas | None]:
        """Whether there are indexes; otherwise the deltas that the summary lists, if it does."""
        summary = self._summary
        if not self._summary_known:
            config = fetch_config(self._fetcher, self._source.meta_url)
            if config.has_group("core") and config.get_boolean(
                "core", "indexed-deltas", default=False
            ):
                return True, None
            if not self._digests_required:  # nobody would have verified this one
                fetched = fetch_summary(self._fetcher, self._source)
                summary = fetched.summary if fetched is not None else None
        if summary is None or summary.indexed_deltas:
            return summary is not None, None
        listed = summary.static_deltas
        return False, None if listed is None else index_format.parse_digests(listed.items())

    def _indexes(self, targets: Iterable[Checksum]) -> dict[Checksum, Deltas]:
        """The index of each commit that has one."""
        wanted = list(dict.fromkeys(targets))
        paths = [index_path(target) for target in wanted]
        found: dict[Checksum, Deltas] = {}
        for target, data in zip(wanted, self._fetch(paths, index_format.MAX_SIZE), strict=True):
            if data is not None:
                found[target] = index_format.decode(data)
        return found

    # choices ------------------------------------------------------------------------------------

    def _guess(self, wish: DeltaWish) -> list[Superblock]:
        """Nobody tells which deltas there are: ask for the one that would be of use."""
        source = None
        if wish.has_ref and wish.tip is not None:
            if wish.tip == wish.target:
                return []
            if self._is_complete(wish.tip):
                source = wish.tip
        return self._load([(DeltaName(source, wish.target), None)])

    def _choose(self, wish: DeltaWish, known: Deltas, *, indexed: bool) -> list[Superblock]:
        direct = choose_direct(known, wish.target, self._age)
        if direct is not None:
            return self._load([(direct, known.get(direct))])
        candidates: list[tuple[list[DeltaName], int]] = []
        digests = dict(known)
        scratch = choose_scratch(known, wish.target, ref_exists=wish.tip is not None)
        if scratch is not None:
            self._consider([scratch], digests, candidates)
        for pair in self._chains(wish.target, known, digests, indexed=indexed):
            self._consider(list(pair), digests, candidates)
        if not candidates:
            return []
        limit = None if self._required else self._loose_size(candidates[0][0][-1])
        return [
            superblock
            for name in smallest(candidates, limit)
            if (superblock := self._superblocks[name]) is not None
        ]

    def _consider(
        self,
        names: list[DeltaName],
        digests: Deltas,
        candidates: list[tuple[list[DeltaName], int]],
    ) -> None:
        superblocks = self._load([(name, digests.get(name)) for name in names])
        if superblocks:
            size = sum(each.part_size + each.fallback_size for each in superblocks)
            candidates.append((names, size))

    def _chains(
        self, target: Checksum, known: Deltas, digests: dict[DeltaName, bytes], *, indexed: bool
    ) -> list[tuple[DeltaName, DeltaName]]:
        """Two deltas that lead to the target by way of a commit that is not there."""
        middles = between(known, target)
        if indexed:
            first = self._indexes(middles)
        else:
            first = {
                middle: {name: known[name] for name in known if name.target == middle}
                for middle in middles
            }
        for deltas in first.values():
            digests.update(deltas)
        return chains(known, first, target, self._age)

    def _loose_size(self, name: DeltaName) -> int | None:
        """What the objects of the target that are missing take by themselves, if its commit says.

        The commit is in the superblock, and was not verified yet: this only decides what is tried.
        """
        from ostree.formats import commit, sizes

        superblock = self._superblocks[name]
        if superblock is None:
            return None
        entries = commit.decode(superblock.commit).metadata_value("ostree.sizes", "aay")
        if entries is None:
            return None
        objects = map(sizes.decode_entry, entries)
        return sum(
            size.archived for size in objects if not self._facts.has(size.checksum, size.type)
        )

    # fetching -----------------------------------------------------------------------------------

    def _load(self, wanted: Sequence[tuple[DeltaName, bytes | None]]) -> list[Superblock]:
        """The superblocks; none at all if one of them is missing.

        Raises:
            ChecksumError: ``Invalid checksum for static delta ID``.
        """
        new = [(name, digest) for name, digest in wanted if name not in self._superblocks]
        for name, digest in new:
            if digest is None and self._digests_required:
                raise OSTreeError(
                    "GPG verification enabled, but no summary signatures found (use "
                    f"gpg-verify-summary=false in remote config to disable): {name}"
                )
        paths = [name.superblock for name, _ in new]
        fetched = self._fetch(paths, superblock_format.MAX_SIZE)
        for (name, digest), data in zip(new, fetched, strict=True):
            self._superblocks[name] = None if data is None else _parse(name, digest, data)
        found = [self._superblocks[name] for name, _ in wanted]
        if None in found and self._required:
            name = wanted[found.index(None)][0]
            raise _none_found(name.source or "", name.target)
        return [] if None in found else [each for each in found if each is not None]

    def _fetch(self, paths: Sequence[str], limit: int) -> list[bytes | None]:
        """Several files at once; None for those that are not there."""
        bodies = [_Body() for _ in paths]
        for path, body in zip(paths, bodies, strict=True):
            url = join_url(self._source.content_url, path)
            self._fetcher.submit(Request(url, max_size=limit), body, body.done)
        self._fetcher.run()
        for body in bodies:
            # Upstream counts the requests, whatever comes of them.
            self._result.metadata += 1
            self._result.unplanned += 1
            if body.found:
                self._result.bytes_transferred += len(body.value())
        return [body.value() if body.found else None for body in bodies]


class _Body(MemorySink):
    """A file that may be missing."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def done(self, outcome: Response | OSTreeError) -> None:
        """The request has ended."""
        if not isinstance(outcome, OSTreeError):
            self.found = True
        elif not is_not_found(outcome):
            raise outcome


def _parse(name: DeltaName, digest: bytes | None, data: bytes) -> Superblock:
    if digest is not None and hashlib.sha256(data).digest() != digest:
        raise ChecksumError(f"Invalid checksum for static delta {name}")
    superblock = superblock_format.decode(data)
    if superblock.name != name:
        raise ChecksumError(f"Static delta {name} is that of {superblock.name}")
    return superblock


def _none_found(source: str, target: Checksum) -> OSTreeError:
    return OSTreeError(f"Static deltas required, but none found for {source} to {target}")
