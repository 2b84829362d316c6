"""The repository's own summary: what ``ostree summary -u`` writes (repository format §7.17)."""

from __future__ import annotations

import os
import stat
import time

from ostree.errors import FormatError, ObjectNotFoundError
from ostree.formats import commit as commit_format
from ostree.formats import summary as summary_format
from ostree.formats.gvariant import Variant
from ostree.formats.hash_order import HashDict
from ostree.formats.refspec import looks_like_checksum
from ostree.formats.summary import Summary, SummaryRef
from ostree.repo.collections import collection_refs
from ostree.repo.static_delta import indexes, storage
from ostree.store.store import MAX_METADATA
from ostree.system import files
from ostree.types import Checksum, DirMeta, ObjectType, TreeId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostree.formats.delta.name import DeltaName
    from ostree.repo.repository import Repo
    from ostree.sign.interface import Signer

_METADATA_REF = "ostree-metadata"


def load(repo: Repo) -> Summary | None:
    """The summary file as it is, None if there is none.

    Raises:
        FormatError: if it is damaged.
    """
    try:
        data = files.read_file("summary", repo.dir_fd, limit=MAX_METADATA)
    except FileNotFoundError:
        return None
    return summary_format.decode(data)


def regenerate(
    repo: Repo,
    *,
    metadata: Sequence[tuple[str, Variant]] = (),
    signers: Sequence[Signer] = (),
) -> None:
    """Write the summary anew, as the command does.

    In a repository with a collection ID the metadata is committed to ``ostree-metadata`` first.

    Args:
        repo: A writable repository; no transaction is open.
        metadata: Further keys for the summary.
        signers: Sign that commit, and the summary; unsigned if there are none.

    Raises:
        ObjectNotFoundError: if a ref points to a commit that is not there.
        SignatureError: if a signer cannot sign; the summary is as it was.
        RepoError: if it cannot be written.
    """
    repo.require_writable()
    with repo.lock.hold(exclusive=False):
        if repo.config.collection_id is not None:
            _commit_metadata(repo, repo.config.collection_id, metadata, signers)
        refresh(repo, metadata=metadata, signers=signers)


def refresh(
    repo: Repo,
    *,
    metadata: Sequence[tuple[str, Variant]] = (),
    signers: Sequence[Signer] = (),
) -> None:
    """The same without a commit: what follows a change of refs by itself, unsigned.

    Raises:
        ObjectNotFoundError: if a ref points to a commit that is not there.
        SignatureError: if a signer cannot sign; the summary is as it was.
        RepoError: if it cannot be written.
    """
    with repo.lock.hold(exclusive=False):
        deltas = dict(storage.digests(repo))
        data = summary_format.encode(_build(repo, metadata, deltas))
        signatures = _signatures(data, signers)
        indexes.reindex(repo, deltas)
        _publish(repo, data, signatures)


def _signatures(data: bytes, signers: Sequence[Signer]) -> bytes | None:
    """The content of ``summary.sig``; None if nobody signs."""
    if not signers:
        return None
    from ostree.formats import signature_dict

    dictionary: list[tuple[str, Variant]] = []
    for signer in signers:
        signature = signer.sign(data)
        dictionary = signature_dict.with_signature(dictionary, signer.metadata_key, signature)
    return signature_dict.encode(dictionary)


def _publish(repo: Repo, data: bytes, signatures: bytes | None) -> None:
    """Put the summary in place, and its signatures, which get the same modification time."""
    sync = repo.config.fsync
    files.replace_file("summary", data, repo.dir_fd, sync=sync)
    if signatures is None:
        # They were made for the old one.
        files.remove_tree("summary.sig", repo.dir_fd)
        return
    files.replace_file("summary.sig", signatures, repo.dir_fd, sync=sync)
    time_ns = os.stat("summary.sig", dir_fd=repo.dir_fd).st_mtime_ns
    os.utime("summary", ns=(time_ns, time_ns), dir_fd=repo.dir_fd)


def _build(
    repo: Repo, metadata: Sequence[tuple[str, Variant]], deltas: Mapping[DeltaName, bytes]
) -> Summary:
    config = repo.config
    listed = {} if _hides_deltas(repo) else deltas
    own = config.collection_id
    collections = _by_collection(repo)
    # Remotes and mirrors may serve the repository's own collection, too.
    refs = repo.refs.local() if own is None else collections.pop(own, {})
    return summary_format.build(
        _entries(repo, refs),
        mode=config.mode_text,
        last_modified=int(time.time()),
        tombstone_commits=config.tombstones,
        collection_id=own,
        collection_map={name: _entries(repo, refs) for name, refs in collections.items()},
        static_deltas={str(name): digest for name, digest in listed.items()},
        extra=metadata,
    )


def _by_collection(repo: Repo) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for (collection, name), value in collection_refs(repo).items():
        found.setdefault(collection, {})[name] = value
    return found


def _entries(repo: Repo, refs: Mapping[str, str]) -> list[SummaryRef]:
    # Channels and aliases name one commit many times: it is read and described once.
    known: dict[str, SummaryRef] = {}
    entries = []
    for name, value in refs.items():
        entry = known.get(value)
        if entry is None:
            entry = known[value] = _entry(repo, name, value)
        entries.append(SummaryRef(name, entry.checksum, entry.size, entry.metadata))
    return entries


def _entry(repo: Repo, name: str, value: str) -> SummaryRef:
    if not looks_like_checksum(value):
        raise ObjectNotFoundError(f"No such metadata object {value}.commit")
    data = repo.load_metadata(value, ObjectType.COMMIT)
    try:
        commit = commit_format.decode(data)
    except FormatError as error:
        error.add_prefix(f"Loading {value}.commit")
        raise
    version = commit.metadata_value("version", "s")
    return SummaryRef.of_commit(
        name, Checksum(value), len(data), timestamp=commit.timestamp, version=version
    )


def _commit_metadata(
    repo: Repo,
    collection: str,
    metadata: Sequence[tuple[str, Variant]],
    signers: Sequence[Signer],
) -> None:
    """A commit of an empty tree that carries the summary's metadata to pulls of refs."""
    from ostree.formats import dirmeta, dirtree
    from ostree.repo.signing import sign_commit

    values = HashDict(metadata)
    values.insert("ostree.collection-binding", Variant("s", collection))
    values.insert("ostree.ref-binding", Variant("as", [_METADATA_REF]))
    with repo.transaction() as transaction:
        tree = transaction.write_metadata(
            ObjectType.DIRTREE, dirtree.encode(dirtree.DirTree([], []))
        )
        meta = dirmeta.encode(DirMeta(0, 0, stat.S_IFDIR | 0o755))
        root = TreeId(tree, transaction.write_metadata(ObjectType.DIRMETA, meta))
        commit = transaction.commit(
            root, parent=repo.refs.get(_METADATA_REF), metadata=values.items()
        )
        for signer in signers:
            sign_commit(repo, commit, signer)
        transaction.set_ref(_METADATA_REF, commit)


def _hides_deltas(repo: Repo) -> bool:
    return repo.config.keyfile.has_group("core") and repo.config.keyfile.get_boolean(
        "core", "no-deltas-in-summary", default=False
    )
