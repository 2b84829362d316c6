"""Signatures of commits in a repository: added, removed, looked at."""

from __future__ import annotations

from ostree.errors import ObjectNotFoundError, RepoError, SignatureError
from ostree.formats import signature_dict
from ostree.system import files
from ostree.types import Checksum, ObjectType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.gvariant import Variant
    from ostree.repo.repository import Repo
    from ostree.sign.engine import SignEngine
    from ostree.sign.gpg.verifying import GpgVerdict, GpgVerifier
    from ostree.sign.interface import Signer, Verdict, Verifier


def find_detached(repo: Repo, commit: Checksum) -> bytes | None:
    """The detached metadata of a commit as it is stored, None if there is none."""
    try:
        return repo.load_metadata(commit, ObjectType.COMMITMETA)
    except ObjectNotFoundError:
        return None


def detached_of(repo: Repo, commit: Checksum) -> list[tuple[str, Variant]]:
    """The detached metadata of a commit, whatever its state; empty if there is none."""
    return signature_dict.decode(find_detached(repo, commit) or b"")


def is_signed(repo: Repo, commit: Checksum) -> bool:
    """Whether a commit has OpenPGP signatures, of whatever worth."""
    from ostree.sign.gpg.verifying import METADATA_KEY

    return signature_dict.signatures(detached_of(repo, commit), METADATA_KEY) is not None


def sign_commit(repo: Repo, commit: Checksum, signer: Signer) -> None:
    """Add a signature of a commit to its detached metadata, in one step.

    Raises:
        ObjectNotFoundError: if the commit is not there.
        SignatureError: if the signer cannot sign.
        RepoError: if it cannot be written.
    """
    data = repo.load_metadata(commit, ObjectType.COMMIT)
    signature = signer.sign(data)
    dictionary = detached_of(repo, commit)
    _write(repo, commit, signature_dict.with_signature(dictionary, signer.metadata_key, signature))


def verify_commit(repo: Repo, commit: Checksum, verifier: Verifier) -> Verdict:
    """Make sure that a commit has a good signature.

    Raises:
        ObjectNotFoundError: if the commit is not there.
        SignatureError: if it has none.
    """
    data = repo.load_metadata(commit, ObjectType.COMMIT)
    return verifier.verify(data, verifier.signatures(detached_of(repo, commit)))


def inspect_commit(repo: Repo, commit: Checksum, verifier: GpgVerifier) -> GpgVerdict | None:
    """What the OpenPGP signatures of a commit are worth; None if it has no place for any.

    Raises:
        SignatureError: if what is there are no signatures.
    """
    signatures = verifier.signatures(detached_of(repo, commit))
    if signatures is None:
        return None
    return verifier.check(repo.load_metadata(commit, ObjectType.COMMIT), signatures)


def is_signed_by(repo: Repo, commit: Checksum, name: str, verifier: GpgVerifier) -> bool:
    """Whether one of a commit's signatures, good or not, was made with the key that a name means.

    Only keys that the verifier trusts are known.

    Raises:
        SignatureError: if what is there are no signatures.
    """
    verdict = inspect_commit(repo, commit, verifier)
    return verdict is not None and _made_with(verdict, name, verifier) is not None


def delete_gpg_signatures(
    repo: Repo, commit: Checksum, names: Sequence[str], verifier: GpgVerifier
) -> int:
    """Remove the first signature by each of some keys; the number of those removed.

    Raises:
        SignatureError: if what is there are no signatures.
        RepoError: if it cannot be written.
    """
    verdict = inspect_commit(repo, commit, verifier)
    if verdict is None:
        return 0
    from ostree.formats.openpgp import dearmored, signature_packets

    dictionary = detached_of(repo, commit)
    elements = verifier.signatures(dictionary) or []
    packets = signature_packets(b"".join(map(dearmored, elements)))
    deleted = 0
    for name in names:
        index = _made_with(verdict, name, verifier)
        if index is not None:
            del packets[index]
            verdict.signatures.pop(index)
            deleted += 1
    if deleted:
        remaining = signature_dict.with_signatures(dictionary, verifier.metadata_key, packets)
        _write(repo, commit, remaining)
    return deleted


def delete_signatures(repo: Repo, commit: Checksum, engine: SignEngine, keys: Sequence[str]) -> int:
    """Remove every signature that one of some public keys makes good; the number of those.

    Raises:
        ObjectNotFoundError: if the commit is not there.
        SignatureError: if a key is none.
        RepoError: if it cannot be written.
    """
    from ostree.sign.engine import PublicKeys, check_count

    data = repo.load_metadata(commit, ObjectType.COMMIT)
    publics = [PublicKeys([engine.public_key(key)]) for key in keys]
    dictionary = detached_of(repo, commit)
    elements = signature_dict.signatures(dictionary, engine.metadata_key) or []
    check_count(elements)

    def is_good(signature: bytes, public: PublicKeys) -> bool:
        try:
            engine.verify(data, [signature], public)
        except SignatureError as error:
            if error.hint is not None:  # of the engine, not of the signature
                raise
            return False
        return True

    remaining = [one for one in elements if not any(is_good(one, public) for public in publics)]
    if len(remaining) < len(elements):
        kept = signature_dict.with_signatures(dictionary, engine.metadata_key, remaining)
        _write(repo, commit, kept)
    return len(elements) - len(remaining)


def _made_with(verdict: GpgVerdict, name: str, verifier: GpgVerifier) -> int | None:
    """The first of the signatures that the key of a name made."""
    from ostree.sign.gpg.keyring import find_key

    key = find_key(verifier.ring, name)
    if key is None:
        return None
    made = (i for i, one in enumerate(verdict.signatures) if key.has(one.fingerprint))
    return next(made, None)


def _write(repo: Repo, commit: Checksum, dictionary: Sequence[tuple[str, Variant]]) -> None:
    data = signature_dict.encode(dictionary)
    try:
        repo.store.replace_metadata(commit, ObjectType.COMMITMETA, data)
    except OSError as error:
        raise RepoError(files.describe("open(O_TMPFILE)", error)) from error
