"""Things that hold something and have to give it back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


def warn_unclosed(resource: object) -> None:
    """Tell the developer that a resource was forgotten; for ``__del__``, before it is closed."""
    from warnings import warn

    warn(f"unclosed {resource!r}", ResourceWarning, stacklevel=3, source=resource)


class Closing:
    """Base of resources: a ``with`` block closes them at its end."""

    __slots__ = ()

    def close(self) -> None:
        """Give back what it holds; once more does nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
