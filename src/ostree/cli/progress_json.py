"""Progress of a pull for programs: lines of JSON on standard error (docs/json.md)."""

from __future__ import annotations

import json

from ostree.cli.json_output import text_fields
from ostree.events import Message, PullProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ostree.cli.context import Context
    from ostree.cli.json_output import Json
    from ostree.cli.progress import PullListener
    from ostree.events import Event
    from ostree.transfer.options import PullResult


class JsonLines:
    """Writes each event as one line, and leaves standard output what it is without.

    Args:
        ctx: Where to print.
        listener: Shows what goes to standard output, that is messages which are no warnings.
    """

    def __init__(self, ctx: Context, listener: PullListener) -> None:
        self._output = ctx.stderr
        self._listener = listener
        self._percent: int | None = None

    def __call__(self, event: Event) -> None:
        """Write one event."""
        if isinstance(event, PullProgress):
            self._write("progress", self._progress(event))
        elif isinstance(event, Message):
            self._write("message", {**text_fields("text", event.text), "warning": event.warning})
            if not event.warning:
                self._listener(event)

    def finish(self, result: PullResult) -> None:
        """Write how it ended."""
        commits = [
            {"ref": ref, "checksum": checksum} for ref, checksum in sorted(result.commits.items())
        ]
        self._write(
            "end",
            {
                "metadata": result.metadata,
                "content": result.content,
                "delta_parts": result.delta_parts,
                "bytes_transferred": result.bytes_transferred,
                "content_bytes_written": result.content_bytes_written,
                "seconds": result.seconds,
                "commits": commits,
            },
        )

    def _progress(self, event: PullProgress) -> dict[str, Json]:
        fetched = event.fetched_metadata + event.fetched_content
        requested = event.requested_metadata + event.requested_content
        if requested and not event.scanning:
            # More may turn out to be needed; what was said before is not taken back.
            self._percent = max(self._percent or 0, min(100, fetched * 100 // requested))
        return {
            "percent": self._percent,
            "fetched_metadata": event.fetched_metadata,
            "requested_metadata": event.requested_metadata,
            "fetched_content": event.fetched_content,
            "requested_content": event.requested_content,
            "bytes_transferred": event.bytes_transferred,
            "scanning": event.scanning,
        }

    def _write(self, event: str, fields: dict[str, Json]) -> None:
        text = json.dumps({"event": event, **fields}, ensure_ascii=False)
        self._output.write_bytes(text.encode("utf-8", "backslashreplace") + b"\n")
        self._output.flush()
