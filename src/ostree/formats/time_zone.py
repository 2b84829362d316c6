"""What a local time zone says about moments.

That of the machine is :class:`ostree.system.machine_zone.MachineZone`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

_DAY = 86400

# What datetime can hold; later years are like those that a cycle of the calendar lies before.
FIRST = -62135596800 + 2 * _DAY
LAST = 253402300799 - 2 * _DAY
_CYCLE = 146097 * _DAY


class Zone:
    """A local time zone.  Times are seconds since 1970, wall times those that clocks show."""

    __slots__ = ()

    def at(self, moment: int) -> tuple[int, bool, str]:
        """Seconds ahead of UTC, whether daylight saving applies, and the zone's name then."""
        raise NotImplementedError

    def offset(self, moment: int) -> int:
        """Seconds ahead of UTC."""
        return self.at(moment)[0]

    def names(self, now: int) -> dict[str, bool | None]:
        """The zone's names in the year from now, and whether each means daylight saving.

        None is for a name that means both.
        """
        names: dict[str, bool | None] = {}
        for quarter in range(4):
            _, saving, name = self.at(now + quarter * 90 * _DAY)
            names[name] = saving if names.get(name, saving) is saving else None
        return names

    def moments(self, wall: int) -> list[int]:
        """When clocks show that: one moment, two as summer time ends, none as it begins."""
        offsets = {self.offset(wall - _DAY), self.offset(wall + _DAY)}
        return sorted(wall - offset for offset in offsets if self.offset(wall - offset) == offset)

    def moment(self, wall: int) -> int:
        """When clocks show that; the later of two, and if there is none as if they had not moved."""
        moments = self.moments(wall)
        return moments[-1] if moments else wall - self.offset(wall - _DAY)


class TzinfoZone(Zone):
    """One of Python's time zones."""

    __slots__ = ("_tz",)

    def __init__(self, tz: tzinfo) -> None:
        self._tz = tz

    def at(self, moment: int) -> tuple[int, bool, str]:
        """See :meth:`Zone.at`."""
        from datetime import UTC, datetime, timedelta

        near = max(moment, FIRST)
        if near > LAST:
            near = LAST - _CYCLE + (near - LAST) % _CYCLE
        there = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=near)
        there = there.astimezone(self._tz)
        offset, saving = there.utcoffset(), there.dst()
        return (
            int(offset.total_seconds()) if offset else 0,
            bool(saving),
            there.tzname() or "",
        )


def zone_of(zone: tzinfo | Zone) -> Zone:
    """The zone itself, or that of a Python time zone."""
    return zone if isinstance(zone, Zone) else TzinfoZone(zone)
