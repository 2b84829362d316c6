"""The interface of finders."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostree.formats.summary import Summary
    from ostree.repo.remotes import Remote
    from ostree.repo.repository import Repo

    #: A collection ID and the name of a ref.
    CollectionRef = tuple[str, str]


class Offer:
    """A repository and what it says of itself.

    Attributes:
        finder: Who has found it.
        name: Its name among offers of equal worth.
        remote: How to pull from it; its name is that of the remote whose keys it is signed with.
        url: Where it is, as people are told.
        summary: What it says of itself.
        collections: The collections that it is trusted with; None for all that it has.
    """

    __slots__ = ("collections", "finder", "name", "remote", "summary", "url")

    def __init__(
        self,
        finder: Finder,
        name: str,
        remote: Remote,
        url: str,
        summary: Summary,
        *,
        collections: frozenset[str] | None = None,
    ) -> None:
        self.finder = finder
        self.name = name
        self.remote = remote
        self.url = url
        self.summary = summary
        self.collections = collections


class Lead:
    """A repository that may have refs which were asked for.

    Attributes:
        finder: Who has found it.
        name: Its name among offers of equal worth.
        remote: How to pull from it; its name is that of the remote whose keys it is signed with.
        url: Where it is, as people are told.
        collections: The collections that it is trusted with; None for all that it has.
        expected: Refs of which its summary has to list one.
        summary: What it says of itself; None if it is still to be asked.
    """

    __slots__ = ("collections", "expected", "finder", "name", "remote", "summary", "url")

    def __init__(
        self,
        finder: Finder,
        name: str,
        remote: Remote,
        url: str,
        *,
        collections: frozenset[str] | None = None,
        expected: Sequence[CollectionRef] = (),
        summary: Summary | None = None,
    ) -> None:
        self.finder = finder
        self.name = name
        self.remote = remote
        self.url = url
        self.collections = collections
        self.expected = expected
        self.summary = summary

    def offer(self, summary: Summary) -> Offer | None:
        """What it offers according to its summary; None if that is not what was expected of it."""
        if self.expected and not any(summary.find(ref, of) for of, ref in self.expected):
            return None
        return Offer(
            self.finder, self.name, self.remote, self.url, summary, collections=self.collections
        )


class Finder:
    """Looks for repositories in one kind of place.

    Attributes:
        title: How results name it; upstream's name for the class.
        priority: Which of equal offers is taken first: that of the lowest number.
    """

    title = ""
    priority = 100

    def find(self, repo: Repo, refs: Sequence[CollectionRef]) -> list[Lead]:
        """What there is that may have one of the refs; servers are not asked for it.

        A place that cannot be looked at is passed over.

        Args:
            repo: The repository that asks; its remotes tell which keys are trusted.
            refs: What is looked for.

        Raises:
            OSTreeError: if nothing can be found in this way at all.
        """
        raise NotImplementedError
