"""State files below ``/run``: whatever is in them, they are read or refused."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostree.errors import FormatError
from ostree.formats import gvariant
from ostree.formats.booted_state import BootedState
from ostree.formats.gvariant import Variant
from ostree.formats.staged_state import DeploymentReference, StagedState
from ostree.types import Checksum

CHECKSUMS = st.integers(0, (1 << 256) - 1).map(lambda number: f"{number:064x}")
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
REFERENCES = st.builds(
    DeploymentReference,
    st.text("abz09-_.", min_size=1).filter(lambda name: name not in {".", ".."}),
    CHECKSUMS.map(Checksum),
    st.integers(0, 10**6),
    CHECKSUMS,
)
STATES = st.builds(
    StagedState,
    REFERENCES,
    locked=st.booleans(),
    merge=st.none() | REFERENCES,
    arguments=st.none() | st.lists(TEXTS),
    overlay_initrds=st.lists(CHECKSUMS),
    extra_keys=st.lists(st.tuples(TEXTS, TEXTS)),
    unknown=st.lists(st.tuples(TEXTS.map("new-".__add__), TEXTS.map(lambda t: Variant("s", t)))),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATES)
def test_states_are_read_back(state: StagedState) -> None:
    back = StagedState.decode(state.encode())

    for name in StagedState.__slots__:
        assert getattr(back, name) == getattr(state, name), name


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATES, st.data())
def test_a_changed_byte_is_read_or_refused(state: StagedState, data: st.DataObject) -> None:
    content = bytearray(state.encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))

    with suppress(FormatError):
        back = StagedState.decode(bytes(content))
        assert "/" not in back.target.stateroot
        assert "/" not in back.target.name


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_anything_else_is_read_or_refused(content: bytes) -> None:
    with suppress(FormatError):
        StagedState.decode(content)
    BootedState.decode(content)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["composefs", "sysroot-ro", "root.transient"]), unique=True))
def test_what_is_missing_is_false(keys: list[str]) -> None:
    state = BootedState.decode(
        gvariant.encode("a{sv}", [(key, Variant("b", True)) for key in keys])
    )

    assert state.composefs == ("composefs" in keys)
    assert state.sysroot_ro == ("sysroot-ro" in keys)
    assert state.root_transient == ("root.transient" in keys)
