"""What signatures say about commits that came from a remote (signatures §4.7)."""

from __future__ import annotations

from ostree.errors import NotFoundError, ObjectNotFoundError, SignatureError
from ostree.repo.signing import find_detached, inspect_commit, is_signed
from ostree.transfer.demands import trust_in
from ostree.transfer.options import PullOptions
from ostree.types import ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.repo.repository import Repo
    from ostree.types import Checksum


def verify_for_remote(repo: Repo, commit: Checksum, remote_name: str) -> str:
    """Verify a commit as a pull from a remote would; what there is to say about it.

    Raises:
        NotFoundError: ``Cannot verify, failed to load commit``, ``Remote "X" not found``.
        SignatureError: if it is not signed as it has to be, or need not be signed at all.
    """
    try:
        data = repo.load_metadata(commit, ObjectType.COMMIT)
    except ObjectNotFoundError as error:
        raise NotFoundError("Cannot verify, failed to load commit") from error
    detached = find_detached(repo, commit)
    if detached is None:
        raise SignatureError("Can't verify commit without detached metadata")
    trust = trust_in(repo, repo.remotes.get(remote_name), PullOptions())
    if not trust.demands_commit:
        raise SignatureError(
            f"Cannot verify commit for remote {remote_name}; GPG verification disabled, "
            "and no signapi verifiers configured"
        )
    gpg, engine = trust.attest(data, detached)
    texts = gpg.descriptions("GPG: ") if gpg is not None else []
    if engine is not None:
        texts.append(engine.describe().removesuffix("\n"))
    return "".join(texts)


def describe_for_remote(
    repo: Repo, commit: Checksum, remote_name: str, prefix: str = ""
) -> list[str]:
    """What the OpenPGP signatures of a commit are worth, where a remote demands them.

    Returns:
        Descriptions; none if the remote demands none, is not configured, or the commit has none.

    Raises:
        SignatureError: if what it has are no signatures.
    """
    if not repo.remotes.has(remote_name):
        return []
    remote = repo.remotes.get(remote_name)
    if not remote.get_boolean("gpg-verify", default=True) or not is_signed(repo, commit):
        return []
    from ostree.repo.keyrings import verifier_for_remote

    verdict = inspect_commit(repo, commit, verifier_for_remote(repo, remote_name))
    return [] if verdict is None else verdict.descriptions(prefix)
