"""What counts the tries to start a deployment, in GRUB's script language.

GRUB cannot calculate, and Debian's has no command that counts: each number has a line.  In the
environment block ``boot_counter`` is the number of tries that are left; at 0 the second entry is
taken, and after as many tries of that the first one again.  ``boot_success=1``, which a system that
is up sets, begins anew, as does a block without a count.
"""

from __future__ import annotations

from ostree.formats.sysroot_config import MAX_TRIES

#: GRUB's variables for the entries: what the kernel is told, and which try this is.
FALLBACK, TRY = "ostree_fallback", "ostree_try"

_HEAD = """\
# The tries are counted in grubenv, until a system says that it is up.
set timeout=3
set {TRY}=1
set {FALLBACK}=
"""
_COUNT = """\
set ostree_next={first}
set ostree_entry=0
if [ -s "$prefix/grubenv" ]; then
  load_env boot_counter boot_success
fi
if [ "$boot_success" != 1 ]; then
"""
_SAVE = """\
set boot_success=0
save_env boot_counter boot_success
echo "ostree: try ${TRY}, limit {tries}"
"""
_CHOOSE = """\
set default=$ostree_entry
if [ "$ostree_entry" = 1 ]; then
  echo "ostree: FALLBACK"
  set {FALLBACK}=ostree.fallback=${TRY}
  set fallback="0 {last}"
else
  set fallback="1 {last}"
fi
"""


def format_counting(tries: int, *, entries: int) -> str:
    """Commands that count a try and say which entry is to be taken.

    They set ``default`` and ``fallback`` for a menu whose first entries are those of the deployments,
    and that has one after them to start again.

    Args:
        tries: How many each of the first two gets, 1 to 5.
        entries: How many there are.
    """
    head = _HEAD.format(TRY=TRY, FALLBACK=FALLBACK)
    save = _SAVE.format(TRY=TRY, tries=tries)
    if entries < 2:
        # There is no other one: the next one that comes gets all tries, however often this one failed.
        return f"{head}set boot_counter={tries}\n{save}set default=0\nset fallback={entries}\n"
    count = _COUNT.format(first=tries - 1)
    word = "if"
    for counter in range(MAX_TRIES, -tries, -1):
        count += f'  {word} [ "$boot_counter" = {counter} ]; then\n'
        count += f"    set ostree_next={counter - 1}\n"
        count += f"    set {TRY}={max(tries - counter + 1, 1)}\n"
        if counter <= 0:
            count += "    set ostree_entry=1\n"
        word = "elif"
    count += "  fi\nfi\nset boot_counter=$ostree_next\n"
    choose = _CHOOSE.format(TRY=TRY, FALLBACK=FALLBACK, last=entries)
    return head + count + save + choose
