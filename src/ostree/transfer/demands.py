"""What the configuration of a remote demands, and whom it names to check it (signatures §4.3)."""

from __future__ import annotations

from functools import partial

from ostree.errors import SignatureError
from ostree.transfer.trust import Trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostree.repo.remotes import Remote
    from ostree.repo.repository import Repo
    from ostree.sign.engine import EngineVerifier, PublicKeys, SignEngine
    from ostree.sign.gpg.verifying import GpgVerifier
    from ostree.transfer.options import PullOptions
    from ostree.types import Checksum


def trust_in(repo: Repo, remote: Remote, options: PullOptions) -> Trust:
    """The trust that a pull from a remote needs.

    Args:
        repo: Has the keys.
        remote: The remote.
        options: May override what the remote's configuration says.

    Raises:
        SignatureError: if keys of an engine cannot be loaded; those of OpenPGP are loaded when
            they are needed.
        FormatError: if a setting is none.
    """
    # A directory that is pulled from has no name of its own.
    rings = _Rings(repo, remote.name or options.override_remote_name or "", options)
    gpg = _chosen(options.gpg_verify, remote, "gpg-verify", default=True)
    gpg_summary = _chosen(options.gpg_verify_summary, remote, "gpg-verify-summary", default=False)
    return Trust(
        gpg=rings.verifier_of if gpg else None,
        gpg_summary=rings.verifier() if gpg_summary else None,
        engines=list(_engines(repo, remote, "sign-verify", options.sign_verify)),
        summary_engines=list(
            _engines(repo, remote, "sign-verify-summary", options.sign_verify_summary)
        ),
    )


def local_trust(repo: Repo, options: PullOptions) -> Trust:
    """The trust that a pull from a directory needs: none, unless options ask for GPG (§4.6).

    Raises:
        SignatureError: ``Must specify remote name to enable gpg verification``.
    """
    if not (options.gpg_verify or options.gpg_verify_summary):
        return Trust()
    name = options.override_remote_name
    if name is None:
        raise SignatureError("Must specify remote name to enable gpg verification")
    rings = _Rings(repo, name, options)
    return Trust(
        gpg=rings.verifier_of if options.gpg_verify else None,
        gpg_summary=rings.verifier() if options.gpg_verify_summary else None,
    )


class _Rings:
    """The keyrings of one pull, each read once."""

    def __init__(self, repo: Repo, remote_name: str, options: PullOptions) -> None:
        self._repo = repo
        self._keyrings = options.keyring_remotes
        self._verifiers: dict[str, GpgVerifier] = {}
        self._name = remote_name

    def verifier(self) -> GpgVerifier:
        """Who checks what the remote itself signs."""
        return self._of(self._name)

    def verifier_of(self, commit: Checksum) -> GpgVerifier:
        """Who checks the signatures of a commit."""
        name = self._keyrings.get(commit, self._name)
        return self._of(name)

    def _of(self, name: str) -> GpgVerifier:
        if name not in self._verifiers:
            from ostree.repo import keyrings

            self._verifiers[name] = keyrings.verifier_for_remote(self._repo, name)
        return self._verifiers[name]


def _chosen(override: bool | None, remote: Remote, key: str, *, default: bool) -> bool:  # noqa: FBT001 - a setting with three states
    if override is not None:
        return override
    return remote.get_boolean(key, default=default)


def _engines(
    repo: Repo,
    remote: Remote,
    key: str,
    override: bool | None,  # noqa: FBT001 - a setting with three states
) -> Iterator[EngineVerifier]:
    """A verifier for each engine that a setting names, in its order."""
    value = remote.get(key) or ""
    if override is not None:
        value = "true" if override else "false"
    if value in {"", "false", "0"}:
        return
    from ostree.sign.engine import EngineVerifier, PublicKeys
    from ostree.sign.engines import NAMES, find_engine, search_public_keys

    all_engines = value in {"true", "1"}
    # Upstream writes lists with commas and reads them with semicolons.
    names = NAMES if all_engines else [name for name in value.replace(",", ";").split(";") if name]
    directories = repo.sign_settings.key_directories
    for name in names:
        engine = find_engine(name, repo.sign_settings)
        keys = _configured_keys(remote, engine)
        if keys is not None:
            yield EngineVerifier(engine, keys)
        elif not all_engines:
            raise SignatureError(f"No keys found for required signapi type {name}")
        elif engine.has_key_files:
            yield EngineVerifier(engine, partial(search_public_keys, engine, directories))
        else:
            yield EngineVerifier(engine, PublicKeys())


def _configured_keys(remote: Remote, engine: SignEngine) -> PublicKeys | None:
    """The keys that a remote's configuration has for an engine, None if it has no such setting."""
    inline = remote.get(f"verification-{engine.name}-key")
    path = remote.get(f"verification-{engine.name}-file")
    if inline is None and path is None:
        return None
    from ostree.sign.engine import PublicKeys
    from ostree.sign.engines import load_public_keys

    found: list[bytes] = []
    if path is not None:
        try:
            found += load_public_keys(engine, path)
        except SignatureError as error:
            # The quotation mark that is missing is upstream's.
            text = f"Failed loading '{engine.name}' keys from '{path}"
            raise SignatureError(text) from error
    if inline is not None:
        try:
            found.append(engine.public_key(inline))
        except SignatureError as error:
            text = f"Failed loading '{engine.name}' keys from inline `verification-key`"
            raise SignatureError(text) from error
    return PublicKeys(found)
