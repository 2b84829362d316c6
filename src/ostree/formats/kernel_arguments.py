"""The kernel command line as an ordered list of words, and the edits of it (deployments §6)."""

from __future__ import annotations

from ostree.errors import FormatError, NotFoundError, SysrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Words that belong to one particular boot and are not taken from ``/proc/cmdline``.
_BOOT_ONLY = ("BOOT_IMAGE=", "initrd=")


def split_words(text: str) -> list[str]:
    """The words of a command line.

    Blanks separate, except inside double quotes; the quotes stay part of the word.  There are no
    empty words.  After a quote that is never closed the rest is one word.
    """
    words = []
    word: list[str] = []
    quoted = False
    for char in text:
        if char == '"':
            quoted = not quoted
        if not quoted and char in " \t\n\r\f\v":
            if word:
                words.append("".join(word))
                word = []
        else:
            word.append(char)
    if word:
        words.append("".join(word))
    return words


def split_key(word: str) -> tuple[str, str | None]:
    """Key and value of a word; ``a`` has no value, ``a=`` an empty one."""
    key, equals, value = word.partition("=")
    return key, value if equals else None


def _join_key(key: str, value: str | None) -> str:
    return key if value is None else f"{key}={value}"


class KernelArguments:
    """An ordered list of kernel arguments; keys may occur more than once."""

    __slots__ = ("_words",)

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words: list[tuple[str, str | None]] = []
        for word in words:
            self.append(word)

    @classmethod
    def parse(cls, text: str) -> KernelArguments:
        """The arguments of a command line."""
        return cls(split_words(text))

    @classmethod
    def of_running_kernel(cls, proc_cmdline: str) -> KernelArguments:
        """The arguments in the content of ``/proc/cmdline`` but what the boot loader put there."""
        return cls(word for word in split_words(proc_cmdline) if not word.startswith(_BOOT_ONLY))

    def copy(self) -> KernelArguments:
        """An independent copy."""
        other = KernelArguments()
        other._words = list(self._words)
        return other

    def append(self, argument: str) -> None:
        """Add at the end; ``argument`` may hold several words."""
        self._words.extend(split_key(word) for word in split_words(argument))

    def replace(self, argument: str) -> None:
        """Put each word of ``argument`` in the place of all words with its key.

        The new word stands where the first of them stood, or at the end if there was none.
        """
        for word in split_words(argument):
            self._replace_word(*split_key(word))

    def _replace_word(self, key: str, value: str | None) -> None:
        first = next((i for i, (k, _) in enumerate(self._words) if k == key), None)
        if first is None:
            self._words.append((key, value))
            return
        rest = [pair for pair in self._words[first + 1 :] if pair[0] != key]
        self._words[first:] = [(key, value), *rest]

    def append_if_missing(self, argument: str) -> None:
        """Add each word of ``argument`` at the end unless its key occurs with whatever value."""
        for word in split_words(argument):
            key, value = split_key(word)
            if key not in self:
                self._words.append((key, value))

    def delete(self, argument: str) -> None:
        """Remove one word, given as ``key=value`` or, if that is unambiguous, as ``key``.

        Raises:
            NotFoundError: there is no such word.
            SysrootError: ``key`` alone was given and occurs several times, always with a value.
        """
        key, value = split_key(argument)
        positions = [i for i, (k, _) in enumerate(self._words) if k == key]
        if not positions:
            raise NotFoundError(f"No key '{key}' found")
        exact = [i for i in positions if self._words[i][1] == value]
        if exact:
            del self._words[exact[0]]
        elif value is not None:
            raise NotFoundError(f"No karg '{argument}' found")
        elif len(positions) == 1:
            del self._words[positions[0]]
        else:
            raise SysrootError(f"Multiple values for key '{key}' found")

    def delete_if_present(self, argument: str) -> None:
        """As :meth:`delete`, but nothing happens if the *key* does not occur."""
        if split_key(argument)[0] in self:
            self.delete(argument)

    def without(self, key: str) -> KernelArguments:
        """A copy without any word of ``key``."""
        other = KernelArguments()
        other._words = [pair for pair in self._words if pair[0] != key]
        return other

    def get(self, key: str) -> str | None:
        """The value of the first word with ``key`` that has one."""
        return next((v for k, v in self._words if k == key and v is not None), None)

    def check(self) -> None:
        """Make sure that the arguments survive being written on one line of UTF-8 text.

        Raises:
            FormatError: a word holds a line break (possible inside quotes) or is not UTF-8.
        """
        text = str(self)
        if "\n" in text or "\r" in text or "\0" in text:
            raise FormatError("Kernel arguments must not contain line breaks")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise FormatError("Kernel arguments are not valid UTF-8") from error

    def __contains__(self, key: object) -> bool:
        return any(k == key for k, _ in self._words)

    def __iter__(self) -> Iterator[str]:
        return (_join_key(key, value) for key, value in self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __str__(self) -> str:
        return " ".join(self)

    def __repr__(self) -> str:
        return f"KernelArguments({list(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KernelArguments):
            return NotImplemented
        return self._words == other._words

    __hash__ = None  # type: ignore[assignment]  # mutable
