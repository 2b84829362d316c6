"""Origin files."""

from __future__ import annotations

from ostree.formats import origin as origins
from ostree.formats.keyfile import KeyFile


def test_a_fresh_origin_is_one_line() -> None:
    assert (
        origins.new_origin("remote:os/stable").to_text() == "[origin]\nrefspec=remote:os/stable\n"
    )


def test_transient_state_goes_and_the_rest_stays() -> None:
    origin = KeyFile.parse(
        "[origin]\nrefspec=a\noverride-commit=x\nunlocked=hotfix\n\n"
        "[libostree-transient]\npinned=true\n\n[packages]\nrequested=vim\n"
    )

    origins.remove_transient_state(origin)
    origins.remove_transient_state(origin)

    assert origin.to_text() == "[origin]\nrefspec=a\n\n[packages]\nrequested=vim\n"


def test_marks() -> None:
    origin = KeyFile.parse("[origin]\nunlocked=hotfix\n[libostree-transient]\npinned=true\n")

    assert origins.is_pinned(origin)
    assert origins.is_hotfixed(origin)
    assert origins.refspec_of(origin) is None


def test_no_origin_and_nonsense_mark_nothing() -> None:
    nonsense = KeyFile.parse("[origin]\nunlocked=yes\n[libostree-transient]\npinned=maybe\n")

    assert not origins.is_pinned(None)
    assert not origins.is_hotfixed(None)
    assert not origins.is_pinned(nonsense)
    assert not origins.is_hotfixed(nonsense)
