"""What data of a remote has to prove before anything is made of it (signatures §4.4, §4.5).

Bytes go in, and are accepted or refused; no rule here touches disk or network.  What is signed is
always the bytes themselves, and what the signatures say is looked at before anything else is.
"""

from __future__ import annotations

import hashlib

from ostree.errors import ChecksumError, OSTreeError, SignatureError
from ostree.formats import signature_dict
from ostree.types import Checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostree.formats.signature_dict import Dictionary
    from ostree.sign.interface import Verdict, Verifier

_NO_GPG_SIGNATURES = (
    "GPG verification enabled, but no signatures found "
    "(use gpg-verify=false in remote config to disable)"
)


class SummaryWords:
    """How it is said that a summary, or its signature file, is missing.

    Attributes:
        no_gpg_summary: The summary, where OpenPGP signatures are demanded.
        no_gpg_signature: The signature file, where OpenPGP signatures are demanded.
        no_summary: The summary, where signatures of engines are demanded.
        no_signature: The signature file, where signatures of engines are demanded.
        summary_first: Which of the last two it is if both are missing.
    """

    __slots__ = (
        "no_gpg_signature",
        "no_gpg_summary",
        "no_signature",
        "no_summary",
        "summary_first",
    )

    def __init__(
        self,
        no_gpg_summary: str,
        no_gpg_signature: str,
        no_summary: str,
        no_signature: str,
        *,
        summary_first: bool,
    ) -> None:
        self.no_gpg_summary = no_gpg_summary
        self.no_gpg_signature = no_gpg_signature
        self.no_summary = no_summary
        self.no_signature = no_signature
        self.summary_first = summary_first


_GPG_OFF = "(use gpg-verify-summary=false in remote config to disable)"
_SIGN_OFF = "(use sign-verify-summary=false in remote config to disable)"
_WRONG_URL = "(check that the configured URL in remote config is correct)"

#: Those of a pull.
WHEN_PULLING = SummaryWords(
    f"GPG verification enabled, but no summary found {_GPG_OFF}",
    f"GPG verification enabled, but no summary.sig found {_GPG_OFF}",
    f"Signatures verification enabled, but no summary found {_SIGN_OFF}",
    f"Signatures verification enabled, but no summary.sig found {_SIGN_OFF}",
    summary_first=False,
)
#: Those of commands that look at nothing else.
WHEN_LOOKING = SummaryWords(
    f"GPG verification enabled, but no summary found {_WRONG_URL}",
    f"GPG verification enabled, but no summary signatures found {_GPG_OFF}",
    f"Signature verification enabled, but no summary found {_WRONG_URL}",
    f"Signature verification enabled, but no summary signatures found {_SIGN_OFF}",
    summary_first=True,
)


class Trust:
    """The verifiers of one remote.  GPG and engines both have to be content, where both are asked.

    Args:
        gpg: Tells who checks the OpenPGP signatures of a commit; None if nobody has to.
        gpg_summary: Checks those of the summary.
        engines: Of these one has to find a commit signed; empty if none has to.
        summary_engines: The same for the summary.
    """

    def __init__(
        self,
        *,
        gpg: Callable[[Checksum], Verifier] | None = None,
        gpg_summary: Verifier | None = None,
        engines: Sequence[Verifier] = (),
        summary_engines: Sequence[Verifier] = (),
    ) -> None:
        self._gpg = gpg
        self._gpg_summary = gpg_summary
        self._engines = engines
        self._summary_engines = summary_engines

    @property
    def demands_commit(self) -> bool:
        """Whether commits have to be signed."""
        return self._gpg is not None or bool(self._engines)

    @property
    def demands_gpg_summary(self) -> bool:
        """Whether the summary has to have an OpenPGP signature."""
        return self._gpg_summary is not None

    @property
    def demands_summary(self) -> bool:
        """Whether the summary has to be signed."""
        return self.demands_gpg_summary or bool(self._summary_engines)

    # summaries --------------------------------------------------------------------------------

    def check_summary(
        self, summary: bytes | None, signature: bytes | None, words: SummaryWords
    ) -> Verdict | None:
        """Accept a summary.

        Args:
            summary: As it came, not yet looked at; None if the server has none.
            signature: The signature file; None if the server has none.
            words: How it is said that one is missing.

        Returns:
            What was said about its OpenPGP signatures, if they had to be looked at.

        Raises:
            SignatureError: if it is not signed as it has to be.
        """
        gpg = self._gpg_summary
        if gpg is not None and summary is None:
            raise SignatureError(words.no_gpg_summary)
        if gpg is not None and signature is None:
            raise SignatureError(words.no_gpg_signature)
        if self._summary_engines and (summary is None or signature is None):
            of_summary = summary is None and (words.summary_first or signature is not None)
            raise SignatureError(words.no_summary if of_summary else words.no_signature)
        if summary is None or signature is None:
            return None
        verdict = None
        dictionary = signature_dict.decode(signature) if self.demands_summary else []
        if gpg is not None:
            verdict = _check_gpg(gpg, summary, dictionary)
        if self._summary_engines:
            _check_present(self._summary_engines, summary, dictionary)
        return verdict

    # commits ----------------------------------------------------------------------------------

    def check_fetched(
        self, checksum: Checksum, commit: bytes, detached: bytes | None
    ) -> Verdict | None:
        """Accept a commit that has just come, before it is stored.

        Args:
            checksum: Its name.
            commit: The object.
            detached: Its detached metadata; None if there is none.

        Returns:
            What was said about its OpenPGP signatures, if they had to be looked at.

        Raises:
            ChecksumError: if it is not what its name says.
            SignatureError: if it is not signed as it has to be.
        """
        verdict = self._check_gpg_of(checksum, commit, detached)
        if self._engines:
            if detached is None:
                raise SignatureError("Can't verify commit without detached metadata")
            try:
                _check_present(self._engines, commit, signature_dict.decode(detached))
            except OSTreeError as error:
                error.add_prefix("Can't verify commit")
                raise
        return verdict

    def check_stored(
        self, checksum: Checksum, commit: bytes, detached: bytes | None
    ) -> Verdict | None:
        """Accept a commit that is there already, here or in a source on this machine.

        As :meth:`check_fetched`, but upstream asks the engines otherwise here: every one of them,
        and the complaint is that of the first.
        """
        verdict = self._check_gpg_of(checksum, commit, detached)
        if self._engines:
            try:
                _check_each(self._engines, commit, signature_dict.decode(detached or b""))
            except OSTreeError as error:
                error.add_prefix(f"Can't verify commit {checksum}")
                raise
        return verdict

    def attest(
        self, commit: bytes, detached: bytes | None
    ) -> tuple[Verdict | None, Verdict | None]:
        """What speaks for a commit, for people: what GPG says, and what an engine says.

        Raises:
            SignatureError: as :meth:`check_fetched`, without naming the commit.
        """
        if detached is None:
            raise SignatureError("Can't verify commit without detached metadata")
        dictionary = signature_dict.decode(detached)
        gpg = engine = None
        if self._gpg is not None:
            checksum = Checksum.of_digest(hashlib.sha256(commit).digest())
            gpg = _check_gpg(self._gpg(checksum), commit, dictionary)
        if self._engines:
            try:
                engine = _check_present(self._engines, commit, dictionary)
            except OSTreeError as error:
                error.add_prefix("Can't verify commit")
                raise
        return gpg, engine

    def _check_gpg_of(
        self, checksum: Checksum, commit: bytes, detached: bytes | None
    ) -> Verdict | None:
        if not self.demands_commit:
            return None
        # A signature of another commit, stored under this one's name, would be good otherwise.
        actual = hashlib.sha256(commit).hexdigest()
        if actual != checksum:
            raise ChecksumError(
                f"Corrupted commit object; checksum expected='{checksum}' actual='{actual}'"
            )
        if self._gpg is None:
            return None
        try:
            dictionary = signature_dict.decode(detached or b"")
            return _check_gpg(self._gpg(checksum), commit, dictionary)
        except OSTreeError as error:
            error.add_prefix(f"Commit {checksum}")
            raise


#: The trust in who need not prove anything.
EVERYTHING = Trust()


def _check_gpg(verifier: Verifier, data: bytes, dictionary: Dictionary) -> Verdict:
    signatures = verifier.signatures(dictionary)
    if signatures is None:
        raise SignatureError(_NO_GPG_SIGNATURES)
    return verifier.verify(data, signatures)


def _check_present(engines: Sequence[Verifier], data: bytes, dictionary: Dictionary) -> Verdict:
    """Ask the engines that have signatures there; one has to be content."""
    failures: list[OSTreeError] = []
    for engine in engines:
        signatures = engine.signatures(dictionary)
        if signatures is None:
            continue
        try:
            return engine.verify(data, signatures)
        except OSTreeError as error:
            failures.append(error)
    if not failures:
        raise SignatureError("No signatures found")
    if len(failures) > 1:
        failures[0].add_prefix(f"({len(failures) - 1} other invalid signatures)")
    raise failures[0]


def _check_each(engines: Sequence[Verifier], data: bytes, dictionary: Dictionary) -> None:
    """Ask every engine; one has to be content."""
    first: OSTreeError | None = None
    for engine in engines:
        try:
            engine.verify(data, engine.signatures(dictionary))
        except OSTreeError as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first
