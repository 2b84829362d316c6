"""The plan of a merge of /etc: facts in, steps out."""

from __future__ import annotations

import pytest

from ostree.errors import SysrootError
from ostree.sysroot.etc_diff import EtcNode, diff_etc
from ostree.sysroot.etc_plan import Act, plan_merge
from unit.sysroot.test_etc_diff import directory, fifo, file, link


def plan(default: EtcNode, edited: EtcNode, offered: EtcNode) -> list[tuple[str, str, str]]:
    """The steps in words, with where they are taken from and lead to."""
    changes = diff_etc(default, edited, lambda _path: True)
    return [
        (step.act.value, step.source, step.target) for step in plan_merge(changes, edited, offered)
    ]


def test_what_was_not_touched_follows_the_new_default() -> None:
    default = directory(a=file(1), gone=file(), sub=directory(b=file(1)))
    offered = directory(a=file(2), new=file(), sub=link("new"))

    assert plan(default, default, offered) == []


def test_a_modified_file_replaces_the_new_default() -> None:
    default = directory(a=file(1), sub=directory(b=file(1)))
    edited = directory(a=file(2), sub=directory(b=link("x")))
    offered = directory(a=file(3), sub=directory(b=file(3)))

    assert plan(default, edited, offered) == [
        ("remove", "a", "a"),
        ("copy file", "a", "a"),
        ("copy attributes", "sub", "sub"),
        ("remove", "sub/b", "sub/b"),
        ("copy link", "sub/b", "sub/b"),
    ]


def test_a_modified_file_comes_back_with_its_directories() -> None:
    default = directory(sub=directory(deep=directory(b=file(1))))
    edited = directory(sub=directory(deep=directory(b=file(2))))

    assert plan(default, edited, directory()) == [
        ("make directory", "sub", "sub"),
        ("copy attributes", "sub", "sub"),
        ("make directory", "sub/deep", "sub/deep"),
        ("copy attributes", "sub/deep", "sub/deep"),
        ("copy file", "sub/deep/b", "sub/deep/b"),
    ]
    assert plan(default, edited, directory(sub=directory())) == [
        ("make directory", "sub/deep", "sub/deep"),
        ("copy attributes", "sub/deep", "sub/deep"),
        ("copy file", "sub/deep/b", "sub/deep/b"),
    ]


def test_what_was_removed_stays_removed_with_what_is_new_in_it() -> None:
    default = directory(a=file(), sub=directory(b=file()), gone=file())
    offered = directory(a=file(2), sub=directory(b=file(), c=file()))

    assert plan(default, directory(), offered) == [("remove", "a", "a"), ("remove", "sub", "sub")]


def test_an_added_directory_is_united_with_a_new_one() -> None:
    edited = directory(d=directory(0o700, mine=file(), both=file(1)))
    offered = directory(d=directory(both=file(2), theirs=file()))

    assert plan(directory(), edited, offered) == [
        ("copy attributes", "d", "d"),
        ("remove", "d/both", "d/both"),
        ("copy file", "d/both", "d/both"),
        ("copy attributes", "d", "d"),
        ("copy file", "d/mine", "d/mine"),
    ]


def test_an_added_directory_is_copied_as_a_whole() -> None:
    edited = directory(d=directory(e=directory(f=file()), l=link("e")))

    assert plan(directory(), edited, directory()) == [
        ("make directory", "d", "d"),
        ("copy attributes", "d", "d"),
        ("make directory", "d/e", "d/e"),
        ("copy attributes", "d/e", "d/e"),
        ("copy file", "d/e/f", "d/e/f"),
        ("copy link", "d/l", "d/l"),
    ]


def test_permissions_of_a_directory_alone_are_lost_as_in_the_reference() -> None:
    assert (
        plan(directory(d=directory()), directory(d=directory(0o700)), directory(d=directory()))
        == []
    )


def test_pipes_and_devices_are_ignored_but_told() -> None:
    edited = directory(pipe=fifo(), d=directory(pipe=fifo()))

    assert plan(directory(), edited, directory()) == [
        ("make directory", "d", "d"),
        ("copy attributes", "d", "d"),
        ("ignore", "d/pipe", "d/pipe"),
        ("ignore", "pipe", "pipe"),
    ]


@pytest.mark.parametrize(
    ("default", "edited"),
    [
        (directory(a=file(1)), directory(a=file(2))),
        (directory(), directory(a=file())),
        (directory(a=directory()), directory(a=link("b"))),
        (directory(a=directory()), directory(a=file())),
        (directory(), directory(a=fifo())),
    ],
)
def test_a_changed_file_is_never_thrown_away_for_a_directory(
    default: EtcNode, edited: EtcNode
) -> None:
    with pytest.raises(SysrootError) as caught:
        plan(default, edited, directory(a=directory()))

    assert str(caught.value) == (
        "Modified config file newly defaults to directory 'a', cannot merge"
    )


def test_a_new_link_leads_to_where_changed_files_go() -> None:
    default = directory(d=directory(a=file(1)))
    edited = directory(d=directory(a=file(2)))
    offered = directory(d=link("x/../other"), x=directory(), other=directory(a=file(3)))

    assert plan(default, edited, offered) == [
        ("copy attributes", "d", "other"),
        ("remove", "d/a", "other/a"),
        ("copy file", "d/a", "other/a"),
    ]


def test_a_new_link_to_the_top() -> None:
    edited = directory(d=directory(a=file(2)))

    assert plan(directory(d=directory(a=file(1))), edited, directory(d=link("."))) == [
        ("copy attributes", "d", "."),
        ("copy file", "d/a", "a"),
    ]


@pytest.mark.parametrize("target", ["/etc/other", "../etc/other", "/usr/../etc/./other", "x"])
def test_a_new_link_may_lead_out_and_back(target: str) -> None:
    """Within the deployment: the /etc of the running system is another one."""
    default = directory(d=directory(a=file(1)))
    edited = directory(d=directory(a=file(2)))
    offered = directory(d=link(target), other=directory(), x=link("/etc/other"))

    assert plan(default, edited, offered) == [
        ("copy attributes", "d", "other"),
        ("copy file", "d/a", "other/a"),
    ]


@pytest.mark.parametrize(
    "target", ["..", "../x", "/", "/usr", "x/../../usr", "/etcetera", "../../.."]
)
def test_nothing_is_written_where_a_new_link_leads_out(target: str) -> None:
    default = directory(d=directory(a=file(1)))
    edited = directory(d=directory(a=file(2)))

    with pytest.raises(SysrootError, match="newly defaults to a link out of /etc, cannot merge"):
        plan(default, edited, directory(d=link(target)))


def test_links_in_a_circle_end() -> None:
    edited = directory(d=directory(a=file(2)))

    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        plan(directory(d=directory(a=file(1))), edited, directory(d=link("e"), e=link("d")))


def test_a_file_where_a_changed_file_had_its_directory() -> None:
    edited = directory(d=directory(a=file(2)))

    with pytest.raises(SysrootError, match=r"^opendir\(d\): Not a directory$"):
        plan(directory(d=directory(a=file(1))), edited, directory(d=file()))


def test_removed_below_what_is_no_directory_any_more() -> None:
    """There is nothing left to be removed, so it is not an error."""
    default = directory(d=directory(a=file(), b=file()))

    assert plan(default, directory(d=directory(b=file())), directory(d=file())) == []


def test_what_the_steps_have_made_counts_for_later_ones() -> None:
    """A directory that replaces a file takes files that were added below it."""
    default = directory(a=file())
    edited = directory(a=directory(x=file(), y=directory()))

    assert plan(default, edited, directory(a=file(2))) == [
        ("remove", "a", "a"),
        ("make directory", "a", "a"),
        ("copy attributes", "a", "a"),
        ("copy file", "a/x", "a/x"),
        ("make directory", "a/y", "a/y"),
        ("copy attributes", "a/y", "a/y"),
    ]


def test_deep_trees_are_planned() -> None:
    """Deeper than the interpreter's stack."""
    deep, shallow = directory(x=file()), directory()
    for _ in range(1200):
        deep, shallow = directory(d=deep), directory(d=shallow)

    changes = diff_etc(shallow, deep, lambda _path: True)

    assert [step.act for step in plan_merge(changes, deep, directory())][-1] is Act.COPY_FILE
