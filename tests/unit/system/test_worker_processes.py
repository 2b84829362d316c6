"""Worker processes: tasks done elsewhere, errors met here, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from ostree.system.worker_processes import MAX_TASK, WorkerProcesses, one_by_one

if TYPE_CHECKING:
    from pathlib import Path

#: Each piece of code has a process of its own: a test run may have threads.
START = """
    import os, signal, sys, threading, time
    from ostree.system.worker_processes import WorkerProcesses, one_by_one

    def pid_of(task):
        if task == b"fail":
            raise ValueError("in a child")
        if task == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == b"interrupt":
            raise KeyboardInterrupt
        return b"%d %s" % (os.getpid(), task)

    def hand_out_all(processes, tasks):
        replies, left = [], []
        for _ in range(8):
            processes.hand_out(b"refused", print)
        for task in tasks:
            while not processes.hand_out(task, replies.append):
                left.append(task)
                if not processes.possible:
                    break
                processes.collect(wait=True)
        processes.drain()
        return replies, left
"""


def run(code: str) -> list[str]:
    """The lines that a piece of code prints."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(START) + textwrap.dedent(code)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stderr == ""
    assert result.returncode == 0
    return result.stdout.splitlines()


def test_tasks_are_done_in_children() -> None:
    lines = run("""
        with WorkerProcesses(one_by_one(pid_of), count=2) as processes:
            replies, _ = hand_out_all(processes, [b"%d" % n for n in range(50)])
        pids = {reply.split()[0] for reply in replies}
        print(len(pids), b"%d" % os.getpid() in pids)
        print(sorted(int(reply.split()[1]) for reply in replies) == list(range(50)))
    """)

    assert lines == ["2 False", "True"]


def test_a_child_may_do_several_tasks_at_a_time() -> None:
    lines = run("""
        def serve(tasks):  # answers when it has two of them
            while (first := tasks.take()) and (second := tasks.take()):
                tasks.answer(first + second)
                tasks.answer(b"")
        with WorkerProcesses(serve, count=1) as processes:
            print(processes.start(), processes.start())
            replies = []
            for task in (b"a", b"b", b"c", b"d"):
                print(processes.hand_out(task, replies.append))
            processes.drain()
            print(replies)
    """)

    assert lines == ["True True", *["True"] * 4, "[b'ab', None, b'cd', None]"]


def test_the_first_tasks_are_refused() -> None:
    lines = run("""
        with WorkerProcesses(one_by_one(pid_of), count=1) as processes:
            print([processes.hand_out(b"task", len) for _ in range(9)])
    """)

    assert lines == [str([False] * 8 + [True])]


def test_a_large_task_is_worth_a_fork_at_once_but_not_worth_waiting() -> None:
    lines = run("""
        gate, key = os.pipe()
        def wait(task):
            inside = processes.hand_out(b"task", len, large=True)  # in a child: refused
            return os.read(gate, 1) + b"%d" % inside
        replies = []
        with WorkerProcesses(one_by_one(wait), count=2) as processes:
            print([processes.hand_out(b"task", replies.append, large=True) for _ in range(3)])
            print(processes.hand_out(b"task", replies.append))
            os.write(key, b"...")
            processes.drain()
            print(processes.hand_out(b"task", replies.append, large=True))
            os.write(key, b".")
            processes.drain()
        print(replies)
    """)

    assert lines == ["[True, True, False]", "True", "True", "[b'.0', b'.0', b'.0', b'.0']"]


def test_nobody_is_given_more_than_a_few_tasks() -> None:
    lines = run("""
        gate, key = os.pipe()
        def wait(task):
            return os.read(gate, 1)
        with WorkerProcesses(one_by_one(wait), count=1) as processes:
            print(sum(processes.hand_out(b"task", len) for _ in range(20)))
            os.write(key, b"." * 20)
    """)

    assert lines == ["4"]


@pytest.mark.parametrize(("task", "still_possible"), [("fail", True), ("die", False)])
def test_what_a_child_cannot_do_is_the_parents(task: str, still_possible: bool) -> None:
    lines = run(f"""
        with WorkerProcesses(one_by_one(pid_of), count=1) as processes:
            replies, _ = hand_out_all(processes, [b"one", b"{task}"])
            print(replies[-1], processes.possible)
    """)

    assert lines == [f"None {still_possible}"]


def test_nobody_is_asked_after_the_last_child_has_died() -> None:
    lines = run("""
        with WorkerProcesses(one_by_one(pid_of), count=1) as processes:
            hand_out_all(processes, [b"one"])
            processes.hand_out(b"die", [].append)
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            print(processes.hand_out(b"two", print), processes.possible)
    """)

    assert lines == ["False False"]


def test_an_interrupt_in_a_child_is_silent() -> None:
    lines = run("""
        with WorkerProcesses(one_by_one(pid_of), count=1) as processes:
            print(hand_out_all(processes, [b"interrupt"])[0])
    """)

    assert lines == ["[None]"]


def test_there_are_no_children_beside_threads() -> None:
    lines = run("""
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        with WorkerProcesses(one_by_one(pid_of), count=1) as processes:
            print([processes.hand_out(b"task", len) for _ in range(10)], processes.possible)
        done.set()
        thread.join()
    """)

    assert lines == [f"{[False] * 10} False"]


def test_children_have_ended_after_the_context() -> None:
    lines = run("""
        with WorkerProcesses(one_by_one(pid_of), count=2) as processes:
            hand_out_all(processes, [b"%d" % n for n in range(9)])
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("none")
        print(sorted(os.listdir("/proc/self/fd")))
    """)

    assert lines == ["none", "['0', '1', '2', '3']"]


def test_an_error_of_the_parent_ends_the_children_too() -> None:
    lines = run("""
        def fail(reply):
            raise LookupError("in the parent")
        try:
            with WorkerProcesses(one_by_one(pid_of), count=2) as processes:
                for _ in range(15):
                    processes.hand_out(b"task", fail)
                processes.drain()
        except LookupError as error:
            print(error)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("none")
    """)

    assert lines == ["in the parent", "none"]


def test_children_die_with_their_parent(tmp_path: Path) -> None:
    """Killed in the midst of a task, they leave no second process that goes on."""
    note = tmp_path / "pid"
    code = textwrap.dedent(START) + textwrap.dedent(f"""
        def forever(task):
            with open({str(note)!r} + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename({str(note)!r} + ".new", {str(note)!r})
            time.sleep(600)
        with WorkerProcesses(one_by_one(forever), count=1) as processes:
            for _ in range(9):
                processes.hand_out(b"task", len)
            processes.drain()
    """)
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        deadline = time.monotonic() + 30
        while not note.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child = int(note.read_text())

        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

        while _is_running(child):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("size", [0, MAX_TASK + 1])
def test_a_task_that_cannot_be_sent_at_once_is_refused(size: int) -> None:
    with WorkerProcesses(one_by_one(lambda task: task), count=1) as processes:
        taken = [processes.hand_out(bytes(size), print) for _ in range(10)]

    assert taken == [False] * 10


def test_the_largest_task_and_a_larger_answer() -> None:
    lines = run("""
        from ostree.system.worker_processes import MAX_TASK
        with WorkerProcesses(one_by_one(lambda task: task * 100), count=1) as processes:
            replies, _ = hand_out_all(processes, [b"x" * MAX_TASK] * 6)
        print([len(reply) == 100 * MAX_TASK for reply in replies])
    """)

    assert lines == [str([True] * 6)]


def test_children_that_were_dismissed_finish_what_they_do() -> None:
    """Nothing more is handed out, and only closing waits for their end."""
    lines = run("""
        import select
        reader, writer = os.pipe()
        go, gone = os.pipe()
        def work(task):
            os.read(go, 1)
            os.write(writer, b"done")
            return task
        with WorkerProcesses(one_by_one(work), count=1) as processes:
            print(processes.hand_out(b"task", print, large=True))
            processes.dismiss()
            print(processes.started, processes.hand_out(b"task", print, large=True))
            print(select.select([reader], [], [], 0)[0])
            os.write(gone, b"!")
        print(os.read(reader, 9))
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("none")
    """)

    assert lines == ["True", "False False", "[]", "b'done'", "none"]
