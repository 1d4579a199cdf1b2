"""`doctor --attack`: the real sandbox holds what it promises, and a promise breaks visibly where its defence is gone.

A defence is taken away as in tests/attacks: by a changed copy of the program inside, or by bubblewrap's options.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from grader.cli.main import main
from grader.errors import SandboxError
from grader.sandbox import Bubblewrap, Process, views, worker_client
from grader.sandbox.attack import GROUPS, Finding, Verdict, attack, failed, ground
from grader.sandbox.attack.findings import Attack, CannotTry, Group, Promised, Seen
from grader.sandbox.attack.ground import Ground
from grader.sandbox.bubblewrap import ENVIRONMENT, INSIDE, Command
from grader.sandbox.processes import MemoryWatch
from tests.support import amount, sandboxes
from tests.support.quick import quick
from tests.support.runs import take_interrupts

ROOT = Path(__file__).parents[2]
elsewhere = amount.in_full("it takes a weakened sandbox of its own, and others are tried")
Cut = tuple[str, str, str]  # file in grader/inside, what to find in it, what to put there


@dataclass(frozen=True)
class Weak(Bubblewrap):
    """The sandbox without some of bubblewrap's options, or with more of them."""

    left_out: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    environment: bool = False

    def arguments(self) -> list[str]:
        kept = [word for word in super().arguments() if word not in self.left_out]
        at = kept.index("--remount-ro", len(kept) - 4)  # before the root becomes read-only
        return [*kept[:at], *self.more, *kept[at:]]

    def command(self, fd: int) -> Command:
        command = super().command(fd)
        return Command(command.arguments, dict(os.environ)) if self.environment else command


def weak(folder: Path, *cuts: Cut, left_out: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> Weak:
    inside = folder / "inside"
    shutil.copytree(INSIDE, inside)
    for file, find, put in cuts:
        source = (inside / file).read_text()
        assert source.count(find) == 1, f"{find!r} is not in {file} exactly once"
        (inside / file).write_text(source.replace(find, put))
    return quick(Weak(sandboxes.real().program, inside, left_out=left_out, more=more))


def groups(*names: str) -> list[Group]:
    return [group for group in GROUPS if group.name in names]


def not_held(sandbox: Bubblewrap, *names: str) -> set[str]:
    """Return what does not hold of these groups; nothing may be left unclear."""
    found = list(attack(sandbox, groups(*names)))
    assert [finding for finding in found if finding.verdict is Verdict.UNCLEAR] == []
    return {finding.tries for finding in found if finding.verdict is Verdict.NOT_HELD}


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Several test runs may share one machine; a person who waits has less patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ground, "ALL_SECONDS", 1500.0)
        patch.setattr(ground, "PATIENCE", 10.0)
        yield


@pytest.fixture
def outside_tmp() -> Iterator[Path]:
    """A folder that is not below /tmp, which the sandbox covers."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


# The real sandbox.


@pytest.fixture(scope="module")
def real_findings() -> list[Finding]:
    """What becomes of all attacks."""
    return list(attack(sandboxes.real()))


def test_the_real_sandbox_holds_what_it_promises(real_findings: list[Finding]) -> None:
    bad = [f for f in real_findings if f.verdict in (Verdict.NOT_HELD, Verdict.UNCLEAR)]
    assert bad == []


def test_every_attack_has_one_finding_in_one_line(real_findings: list[Finding]) -> None:
    assert [(f.group, f.tries) for f in real_findings] == [(g.name, a.tries) for g in GROUPS for a in g.attacks]
    assert len({(f.group, f.tries) for f in real_findings}) == len(real_findings)
    assert [f for f in real_findings if not f.saw or "\n" in f.saw] == []


def test_only_what_is_not_promised_is_open_in_the_real_sandbox(real_findings: list[Finding]) -> None:
    never = {a.tries for group in GROUPS for a in group.attacks if a.promised is Promised.NEVER}
    assert {f.tries for f in real_findings if f.verdict is Verdict.OPEN} <= never


# Without a sandbox.

# What holds there all the same: it is promised without a sandbox, or the kernel sees to it.
HOLDS = {
    *("a secret in the environment of whoever grades", "other variables of that environment"),
    *("descriptors that were left open", "staying on after the check, in other sessions"),
    *("memory of several processes", "a file that is too long", "too many descriptors"),
    *(a.tries for group in groups("time and ends") for a in group.attacks),
}


@pytest.fixture(scope="module")
def own_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for temporary files of the attacks alone: other runs on this machine have theirs elsewhere."""
    return tmp_path_factory.mktemp("own")


in_the_open = amount.in_full("it takes a minute, and each attack is tried on what it is about in tests/attacks")


@pytest.fixture(scope="module")
def unconfined(own_tmp: Path) -> list[Finding]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(own_tmp))
        return list(attack(quick(Process())))


@in_the_open
def test_without_a_sandbox_no_promise_is_broken_that_was_not_made(unconfined: list[Finding]) -> None:
    assert [f for f in unconfined if f.verdict in (Verdict.NOT_HELD, Verdict.UNCLEAR)] == []
    assert not failed(unconfined)
    assert {f.tries for f in unconfined if f.verdict is Verdict.HELD} >= HOLDS


@in_the_open
@pytest.mark.parametrize("name", ["network", "files", "processes", "the kernel", "side by side", "an interrupted run"])
def test_attacks_get_through_where_nothing_is_in_their_way(unconfined: list[Finding], name: str) -> None:
    """An attack that failed even there would prove nothing."""
    some = {
        *("too many threads", "staying on after the check, in other sessions", "flags of standard streams"),
        *("times of a file", "how many processes one may have", "descriptors on their way", "the size of new pipes"),
        *("keyrings", "inotify", "notices of a folder"),
    }
    held = {f.tries for f in unconfined if f.group == name and f.verdict is Verdict.HELD}
    assert held <= some


# Weakened sandboxes, one for each promise: some of them, and all on Mondays.

SOCKETS: Cut = ("seccomp.py", "code += _on_argument(_SOCKET[", "_on_argument(_SOCKET[")
NET: Cut = ("confine.py", " | _IPC | _NET)", " | _IPC)")
IPC: Cut = ("confine.py", " | _IPC | _NET)", " | _NET)")
FILTER: Cut = ("confine.py", "    seccomp.install()\n", "")
CAPABILITIES: Cut = (
    "confine.py",
    '    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())\n',
    "",
)


@elsewhere
def test_a_shared_network_is_noticed(tmp_path: Path) -> None:
    open_to_all = weak(tmp_path, SOCKETS, NET, left_out=("--unshare-net",))
    by_address = {a.tries for a in groups("network")[0].attacks if "path" not in a.tries and "services" not in a.tries}
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        assert not_held(open_to_all, "network") == by_address
        return
    assert not_held(open_to_all, "network") == by_address - {"TCP to this machine, by IPv6"}


@elsewhere
def test_a_shared_network_behind_the_filter_lets_names_of_sockets_through(tmp_path: Path) -> None:
    filtered = weak(tmp_path, NET, left_out=("--unshare-net",))
    assert not_held(filtered, "network") == {"a socket of this machine, by its name (abstract)"}


@elsewhere
def test_a_home_folder_in_view_is_noticed(tmp_path: Path, outside_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(outside_tmp))
    shown = weak(tmp_path, more=(*views.parents([outside_tmp]), "--bind", str(outside_tmp), str(outside_tmp)))
    assert not_held(shown, "files") == {"the home folder"}
    outside_tmp.chmod(0o777)
    assert {"new files in folders of this machine"} <= not_held(shown, "files")


@elsewhere
def test_files_of_the_system_in_view_are_noticed(tmp_path: Path) -> None:
    shown = weak(tmp_path, more=("--ro-bind", "/etc/passwd", "/etc/passwd"))
    assert not_held(shown, "files") == {"files of the system"}


@elsewhere
def test_a_folder_that_can_be_written_to_is_noticed(tmp_path: Path) -> None:
    more = ("--perms", "1777", "--tmpfs", "/opened")
    assert not_held(weak(tmp_path, more=more), "files") == {
        "all folders that are shown, for one that can be written to"
    }


@elsewhere
def test_a_proc_in_view_is_noticed(tmp_path: Path) -> None:
    cut = ("confine.py", '    _call("mount", b"none", b"/proc", b"tmpfs", _READ_ONLY, b"size=4k,mode=555")\n', "")
    assert not_held(weak(tmp_path, cut), "files") == {"/proc and /sys"}


@elsewhere
def test_the_judges_environment_is_noticed(tmp_path: Path) -> None:
    plain = weak(tmp_path, left_out=("--clearenv",))
    found = not_held(quick(Weak(plain.program, left_out=("--clearenv",), environment=True)), "environment")
    assert {"a secret in the environment of whoever grades"} <= found
    assert found <= {"a secret in the environment of whoever grades", "other variables of that environment"}


def test_a_variable_is_known_by_its_name_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that the sandbox sets for a variable of its own may be that of another one here, as of LC_ALL."""
    (inherited,) = [a for g in groups("environment") for a in g.attacks if a.tries.startswith("other variables")]
    inside = {**ENVIRONMENT, "COURSE_YEAR": "twenty-six"}
    for name, value in {"LC_ALL": ENVIRONMENT["LANG"], "LANG": ENVIRONMENT["LANG"], "COURSE_YEAR": "other"}.items():
        monkeypatch.setenv(name, value)
    stand_in = cast(Ground, SimpleNamespace(act=lambda *_: inside))
    assert inherited.run(stand_in).held
    monkeypatch.setenv("COURSE_YEAR", "twenty-six")
    assert inherited.run(stand_in) == Seen(False, "got through: COURSE_YEAR")


def test_descriptors_that_were_left_open_are_noticed(tmp_path: Path) -> None:
    kept = weak(tmp_path, ("worker.py", '        os.closerange(4, os.sysconf("SC_OPEN_MAX"))\n', ""))
    assert not_held(kept, "environment") == {"descriptors that were left open"}


@elsewhere
def test_missing_limits_on_processes_are_noticed(tmp_path: Path) -> None:
    cut = ("confine.py", "resource.RLIMIT_NPROC: PROCESSES, ", "")
    assert not_held(weak(tmp_path, cut), "processes") == {"too many processes", "too many threads"}


@elsewhere
def test_a_missing_filter_is_noticed(tmp_path: Path) -> None:
    names = ("processes", "the kernel", "memory and disk", "side by side")
    # All libraries are imported before: an attack on memory has no room for that.
    found = not_held(replace(weak(tmp_path, FILTER), without=()), *names)
    assert {
        *("new namespaces", "whether a filter is in force", "calls: keys", "calls: messages between processes"),
        *("calls: mounts", "calls: other processes", "calls: programs and events in the kernel"),
        *("calls: the whole machine", "calls: memory and files of all", "larger buffers of sockets and pipes"),
        *("a lock of a file (flock)", "a record lock (POSIX)", "a record lock of an open file", "inotify"),
    } <= found
    kernel = {attack.tries for attack in groups("the kernel")[0].attacks}
    assert found - kernel <= {
        *("a lock of a file (flock)", "a record lock (POSIX)", "a record lock of an open file", "a lease of a file"),
        *("inotify", "notices of a folder", "cores of other judges", "larger buffers of sockets and pipes"),
        *("files in memory (memfd_create)", "shared memory without a file (MAP_SHARED)"),
        *("names that the kernel knows", "hints for a file", "queues for notices", "pages of a file in memory"),
    }


@elsewhere
def test_a_missing_limit_on_signals_is_noticed(tmp_path: Path) -> None:
    cut = ("confine.py", "        limits[resource.RLIMIT_SIGPENDING] = SIGNALS", "        pass")
    assert not_held(weak(tmp_path, cut), "side by side") == {"signals on their way"}


@elsewhere
def test_capabilities_that_were_kept_are_noticed(tmp_path: Path) -> None:
    assert not_held(weak(tmp_path, CAPABILITIES), "the kernel") == {
        "capabilities, another user and programs that give more"
    }


@elsewhere
def test_missing_limits_on_memory_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryWatch, "exceeded", lambda _: False)
    unlimited = weak(
        tmp_path,
        FILTER,
        ("confine.py", "        resource.RLIMIT_DATA: _data + memory,\n", ""),
        ("confine.py", ", resource.RLIMIT_AS: _mapped + 2 * memory", ""),
        ("confine.py", "ROOM = 64 << 20 ", "ROOM = 256 << 20 "),
        ("confine.py", "resource.RLIMIT_NOFILE: 256", "resource.RLIMIT_NOFILE: 512"),
        ("confine.py", "nr_inodes=16384", "nr_inodes=32768"),
    )
    everything = {a.tries for a in groups("memory and disk")[0].attacks if a.promised is not Promised.NEVER}
    assert not_held(unlimited, "memory and disk") == everything - {"shared memory by way of /dev/zero"}


@elsewhere
def test_shared_places_are_noticed_as_channels(tmp_path: Path) -> None:
    cuts = (
        ("confine.py", 'FOLDERS = ("/tmp", "/dev/shm")', 'FOLDERS = ("/tmp",)'),
        ("worker.py", "        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)", "        pass"),
        FILTER,
        IPC,
    )
    found = list(attack(weak(tmp_path, *cuts), groups("side by side", "one after the other")))
    assert [f for f in found if f.verdict is Verdict.UNCLEAR] == []
    beside, after = (
        {f.tries for f in found if f.group == name and f.verdict is Verdict.NOT_HELD}
        for name in ("side by side", "one after the other")
    )
    stay = {
        *("a file in /dev/shm", "flags of standard streams", "memory of System V", "semaphores of System V"),
        *("messages of System V", "message queues of POSIX"),
        *("names that the kernel knows", "pages of a file in memory"),
    }
    assert after - {"hints for a file"} == stay  # these are taken from who owns the file alone
    assert stay <= beside


def test_a_check_that_is_not_ended_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_client, "REPLY_SECONDS", 2.0)
    cut = ("worker.py", "            os.kill(self.check, signal.SIGKILL)  #", "            pass  #")
    (group,) = groups("time and ends")
    one = Group(group.name, group.promise, group.attacks[:1])
    (finding,) = attack(weak(tmp_path, cut), [one])
    assert finding.verdict is Verdict.NOT_HELD and "does NOT run" in finding.saw


def test_a_sandbox_that_outlives_its_starter_is_noticed(tmp_path: Path) -> None:
    assert not_held(weak(tmp_path, left_out=("--die-with-parent",)), "an interrupted run") == {
        "staying on after the sandbox was killed"
    }


# The suite itself.


def one(run: Callable[[Ground], Seen]) -> list[Group]:
    another = Attack("another", lambda _: Seen(True, "no"))
    return [Group("group", "A promise", (Attack("something", run), another))]


def hangs(arena: Ground) -> Seen:
    return Seen(True, str(arena.act("endings", "sleep", seconds=0.3)))


def crashes(arena: Ground) -> Seen:
    return Seen(True, str(arena.act("endings", "crash")))


def lacks(_: Ground) -> Seen:
    raise CannotTry("this machine has none")


def succeeds(_: Ground) -> Seen:
    return Seen(False, "in")


ENDS = {
    hangs: (Verdict.UNCLEAR, "no answer in time"),
    crashes: (Verdict.UNCLEAR, "its process ended"),
    lacks: (Verdict.UNTRIED, "this machine has none"),
    succeeds: (Verdict.NOT_HELD, "in"),
}


@pytest.fixture(scope="module")
def in_a_row() -> list[Finding]:
    return list(attack(quick(sandboxes.real()), [group for run in ENDS for group in one(run)]))


@pytest.mark.parametrize("run", ENDS)
def test_an_attack_that_comes_to_no_end_is_no_success_and_the_next_one_runs(
    in_a_row: list[Finding], run: Callable[[Ground], Seen]
) -> None:
    first, second = in_a_row[2 * list(ENDS).index(run) :][:2]
    verdict, says = ENDS[run]
    assert (first.verdict, second.verdict) == (verdict, Verdict.HELD)
    assert says in first.saw
    assert failed([first, second]) == (verdict is not Verdict.UNTRIED)


def test_all_attacks_together_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "ALL_SECONDS", 0.2)
    found = list(attack(quick(Process())))
    assert found[-1].verdict is Verdict.UNCLEAR and "no time was left" in found[-1].saw
    assert failed(found)


def test_a_sandbox_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    broken = weak(tmp_path, ("worker.py", "def main(control_fd", "def gone(control_fd"))
    with pytest.raises(SandboxError, match="while it started"):
        list(attack(broken))


@in_the_open
def test_a_run_without_a_sandbox_leaves_nothing_behind(unconfined: list[Finding], own_tmp: Path) -> None:
    assert unconfined
    assert list(own_tmp.iterdir()) == []


def test_an_interrupted_run_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.quick", "doctor", "--attack", "--sandbox", "process"]
    own = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(
        command, cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509 - these tests start no threads
    )  # fmt: skip
    assert run.stdout is not None
    while "TCP to this machine" not in run.stdout.readline():
        pass
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "grader: interrupted" in errors and "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


# The command.


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    found = [
        Finding("network", "There is none", "TCP", Verdict.HELD, "nothing arrived"),
        Finding("network", "There is none", "UDP", Verdict.UNTRIED, "no \x1b[31mnetwork"),
    ]
    monkeypatch.setattr("grader.sandbox.attack.attack", lambda sandbox: iter(found))
    return found


def test_the_command_prints_a_line_for_each_attack_under_its_promise(
    findings: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--attack", "--sandbox", "process"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == [
        "There is none (network)",
        "  held                  TCP: nothing arrived",
        "  cannot be tried here  UDP: no \\x1b[31mnetwork",
    ]
    assert lines[-1].startswith("1 held, 1 cannot be tried here; ")


@pytest.mark.parametrize("verdict", [Verdict.NOT_HELD, Verdict.UNCLEAR])
def test_the_command_fails_where_a_promise_did_not_hold_or_nobody_knows(
    findings: list[Finding], verdict: Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    findings.append(Finding("files", "None to see", "home", verdict, "it is there"))
    assert main(["doctor", "--attack", "--sandbox", "process"]) == 1
    assert f"  {verdict:<20}  home: it is there" in capsys.readouterr().out


def test_the_command_prints_json_for_scripts(findings: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    findings.append(Finding("files", "None to see", "home", Verdict.NOT_HELD, "it is there"))
    assert main(["doctor", "--attack", "--sandbox", "process", "--json"]) == 1
    read = json.loads(capsys.readouterr().out)
    assert (read["sandbox"], read["held"], len(read["findings"])) == ("process", False, 3)
    assert read["findings"][2] == {
        "group": "files",
        "promise": "None to see",
        "tries": "home",
        "verdict": "NOT HELD",
        "saw": "it is there",
    }


@pytest.mark.parametrize("words", [["--json"], ["--sandbox", "process"]])
def test_options_of_the_attack_need_it(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *words]) == 2
    assert "go with --attack" in capsys.readouterr().err
