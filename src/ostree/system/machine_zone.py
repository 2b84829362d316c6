"""The time zone of the machine (``TZ``, ``/etc/localtime``)."""

from __future__ import annotations

import time

from ostree.formats.time_zone import FIRST, LAST, Zone


class MachineZone(Zone):
    """What the C library says about local time."""

    __slots__ = ()

    def at(self, moment: int) -> tuple[int, bool, str]:
        """See :meth:`ostree.formats.time_zone.Zone.at`."""
        try:
            local = time.localtime(moment)
        except (OverflowError, OSError):
            return self.at(LAST if moment > 0 else FIRST)
        return local.tm_gmtoff, local.tm_isdst > 0, local.tm_zone
