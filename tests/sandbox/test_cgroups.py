"""Control groups are had where they are ours to have, and nothing of anybody else's is touched elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox import doctor
from grader.sandbox.cgroups import home as cgroup_home
from grader.sandbox.cgroups.group import REST, Kernel, NoCgroup, Run
from grader.sandbox.cgroups.home import Host, Way
from tests.support.cgroups import ALL, Model
from tests.support.machines import wait_until

FS = Path("/sys/fs/cgroup")
UNIFIED = "34 23 0:31 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "32 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
OURS, OTHERS = (100, 101), (7, 8)
SESSION = "/user.slice/user-1000.slice/session-3.scope"


def host_of(
    folder: Path, model: Model, group: str, mounts: str = UNIFIED, systemd: bool = False, user: int = 0
) -> Host:
    (folder / "self").mkdir(parents=True)
    (folder / "self" / "cgroup").write_text(f"0::{group}\n")
    (folder / "self" / "mountinfo").write_text(mounts)
    (folder / "bin").mkdir()
    (folder / "bin" / "systemd-run").touch(0o755)
    ruled = folder if systemd else folder / "none"
    return Host(folder, ruled, user, {"PATH": str(folder / "bin"), "SECRET": "x"}, model)


def run_of(host: Host, model: Model) -> Run:
    home = cgroup_home.look(host).home
    assert home is not None
    return Run(home, lambda: OURS, model)


def test_on_a_machine_without_systemd_the_root_group_is_divided(tmp_path: Path) -> None:
    model = Model(FS)
    model.put(FS, *OURS, *OTHERS, ours=True)
    before = dict(model.groups_)
    with closing(run_of(host_of(tmp_path, model, "/"), model)) as run:
        group = run.group(100, 1000)
        assert {
            name: model.read(model.where(100) / name) for name in ("memory.max", "memory.swap.max", "pids.max")
        } == {
            "memory.max": "1250",
            "memory.swap.max": "0",
            "pids.max": "72",
        }
        assert model.where(101) == FS
        group.close()
    assert model.moved == [100]
    assert model.groups_.keys() == before.keys()


def test_in_a_container_that_is_ours_alone_our_processes_make_room(tmp_path: Path) -> None:
    model = Model(FS.parent / "host")
    model.put(model.top)
    model.groups_[model.top].hands_on |= ALL
    home = model.top / "docker"
    model.put(home, *OURS, ours=True)
    mounts = f"34 23 0:31 / {home} rw - cgroup2 c rw\n"
    with closing(run_of(host_of(tmp_path / "1", model, "/", mounts), model)) as run:
        run.group(101, 1000)
        assert model.where(100) == home / REST
    assert model.groups(home) == [home / REST]
    second = host_of(tmp_path / "2", model, f"/{REST}", mounts)  # it is where the first one was put
    with closing(run_of(second, model)):
        assert model.where(100) == home / REST


# A host's groups, where we are in them, and a part of the reason why we have none.
Layout = tuple[str, str, bool, int, str]
NONE: dict[str, Layout] = {
    "a service of systemd": ("/system.slice/cron.service", UNIFIED, True, 0, "no login session"),
    "a job of Slurm": ("/system.slice/slurmstepd.scope/job_1/step_0/user/task_0", UNIFIED, True, 1000, "no login"),
    "another user's session": ("/user.slice/user-1001.slice/session-3.scope", UNIFIED, True, 1000, "no login session"),
    "hybrid, as before systemd 232": ("/", HYBRID, False, 0, "no memory and no pids controller"),
    "version 1 alone": (
        "/",
        "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        False,
        0,
        "cgroup v2",
    ),
    "a mount of other groups": ("/a", "34 23 0:31 /b /sys/fs/cgroup rw - cgroup2 c rw\n", False, 0, "shows our own"),
    "outside of our namespace": ("/../../other", UNIFIED, False, 0, "shows our own"),
    "a container beside others": ("/k8s/pod", UNIFIED, False, 0, "processes of others"),
    "a container of another user": ("/docker/1", UNIFIED, False, 1000, "Permission denied"),
    "a container with a read-only view": ("/docker/2", UNIFIED, False, 0, "Read-only file system"),
}


@pytest.mark.parametrize("name", NONE)
def test_where_groups_are_not_ours_there_are_none(tmp_path: Path, name: str) -> None:
    group, mounts, systemd, user, why = NONE[name]
    top = FS / "unified" if mounts is HYBRID else FS
    model = Model(top, () if mounts is HYBRID else ALL, read_only="read-only" in name)
    model.put(FS / "k8s", hands_on=ALL)
    model.put(FS / "docker", hands_on=ALL)
    model.put(FS / group.lstrip("/"), *OURS, *(OTHERS if "beside" in name else ()), ours=not user)
    if mounts is HYBRID:
        model.put(top, *OURS, ours=True)
    before = {path: {*found.processes} for path, found in model.groups_.items()}
    with pytest.raises(NoCgroup, match=why):
        run_of(host_of(tmp_path, model, group, mounts, systemd, user), model)
    assert not model.moved
    assert {path: found.processes for path, found in model.groups_.items() if path.name != REST} == before


def test_a_machine_that_shows_no_groups_has_none(tmp_path: Path) -> None:
    with pytest.raises(NoCgroup, match="shows no control groups"):
        cgroup_home.look(Host(tmp_path))


@pytest.mark.parametrize("user", [0, 1000])
def test_in_a_login_session_systemd_is_asked_for_a_scope_of_its_user(tmp_path: Path, user: int) -> None:
    way = cgroup_home.look(host_of(tmp_path, Model(FS), SESSION, systemd=True, user=user))
    assert way.home is None
    assert "--property=Delegate=memory pids" in way.prefix
    assert ("--user" in way.prefix) == bool(user)
    assert ("--slice=user-1000.slice" in way.prefix) == (not user)  # the limits of that user still hold
    assert way.prefix[-3:] == ("--", "/usr/bin/env", "-i")  # a submission might read the environment
    assert "SECRET" not in way.environment


def test_a_scope_that_systemd_does_not_give_is_no_group(tmp_path: Path) -> None:
    """Whatever systemd-run does instead: end, wait, or start the command where it is."""
    host = host_of(tmp_path, Model(FS), SESSION, systemd=True, user=1000)
    program = tmp_path / "bin" / "systemd-run"
    for does in ("exit 1", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'):
        program.write_text(f"#!/bin/sh\n{does}\n")
        with pytest.raises(NoCgroup):
            cgroup_home.find(host)


@pytest.mark.parametrize("had", [True, False])
def test_the_doctor_says_which_of_the_two_limits_memory(had: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> Way:
        if not had:
            raise NoCgroup("there is no mount")
        return Way(Host(), "systemd")

    monkeypatch.setattr(cgroup_home, "find", find)
    line = next(str(finding) for finding in doctor.examine() if finding.what == "memory")
    says = "a control group of its own, from systemd" if had else "no control group can be had (there is no mount)"
    assert says in line
    assert line.startswith("ok")  # limits hold in both ways


def test_what_a_killed_run_left_is_removed_and_a_living_one_is_left_alone() -> None:
    model = Model(FS)
    model.put(FS, *OURS, *OTHERS, ours=True)
    dead, alive = Run(FS, lambda: OURS, model), Run(FS, lambda: OURS, model)
    dead.group(100, 1000)
    alive.group(101, 1000)
    model.groups_[model.where(100).parent].locked = False  # its process has ended
    left = model.where(100)
    Run(FS, lambda: OURS, model).close()
    assert left not in model.groups_
    assert left.parent not in model.groups_
    assert model.where(101)
    dead.close()  # it is gone already
    alive.close()
    assert model.groups(FS) == []


def test_a_kernel_without_swap_has_all_other_limits() -> None:
    class WithoutSwap(Model):
        def write(self, file: Path, text: str) -> None:
            if file.name == "memory.swap.max":
                raise FileNotFoundError
            super().write(file, text)

    model = WithoutSwap(FS)
    model.put(FS, 100, ours=True)
    with closing(Run(FS, lambda: OURS, model)) as run:
        run.group(100, 1000)
        assert model.read(model.where(100) / "memory.max") == "1250"


@pytest.mark.parametrize(
    ("events", "exceeded"),
    [
        ("oom 0\noom_kill 0\n", False),
        ("oom 1\noom_kill 2\noom_group_kill 1\n", True),
        ("oom 0\noom_kill 1\n", False),  # the whole machine ran out of memory, and this one was chosen
        ("oom 3\noom_kill 0\n", False),  # an allocation was refused, which its code has been told
    ],
)
def test_only_the_own_limit_says_that_memory_ran_out(events: str, exceeded: bool) -> None:
    model = Model(FS)
    model.put(FS, 100, ours=True)
    group = Run(FS, lambda: OURS, model).group(100, 1000)
    model.groups_[model.where(100)].files["memory.events"] = events
    assert group.exceeded() is exceeded
    group.close()
    assert not group.exceeded()


PROCESSES = st.sets(st.integers(100, 103))


@given(
    own=PROCESSES,
    others=st.sets(st.integers(1, 4)),
    writable=st.booleans(),
    controllers=st.sets(st.sampled_from(sorted(ALL))),
    handed=st.sets(st.sampled_from(sorted(ALL))),
    root=st.booleans(),
)
def test_on_any_host_there_are_groups_or_a_reason_and_others_stay_where_they_are(
    own: set[int], others: set[int], writable: bool, controllers: set[str], handed: set[str], root: bool
) -> None:
    model = Model(FS, controllers)
    home = FS if root else FS / "own"
    model.groups_[FS].hands_on = handed & controllers
    model.put(home, *own, *others, ours=writable, hands_on=model.groups_[FS].hands_on if root else ())
    try:
        run = Run(home, lambda: own, model)
    except NoCgroup as why:
        assert str(why)
    else:
        assert {"memory", "pids"} <= controllers
        for process in own:
            run.group(process, 1000)
            assert model.where(process).parent.parent == home
        run.close()
    assert not {*model.moved} & others
    assert others <= model.groups_[home].processes
    assert [path for path in model.groups(home) if path.name != REST] == []


_TAKES = """
import os, sys
print("ready", flush=True)
sys.stdin.readline()
for _ in range(1 << 10):  # memory of a file that is in no process's count
    os.write(os.memfd_create("hidden"), bytes(1 << 20))
"""


def test_the_kernel_counts_memory_that_no_process_is_charged_for() -> None:
    """For real, where this machine lets us: `.ci/run` says how."""
    try:
        way = cgroup_home.find()
    except NoCgroup as why:
        pytest.skip(str(why))
    words = [*way.prefix, sys.executable, "-c", _TAKES]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=dict(way.environment), stdin=pipe, stdout=pipe) as taker:
        assert taker.stdout is not None
        assert taker.stdout.readline() == b"ready\n"  # systemd-run has become it
        with closing(way.settle(taker.pid)) as run:
            group = run.group(taker.pid, 64 << 20)
            assert not group.exceeded()
            taker.communicate(b"\n", timeout=60)
            assert taker.returncode == -signal.SIGKILL
            assert group.exceeded()
            group.close()


def test_the_real_files_are_used_as_the_model_has_them(tmp_path: Path) -> None:
    kernel = Kernel()
    kernel.make(tmp_path / "a")
    assert kernel.groups(tmp_path) == [tmp_path / "a"]
    with pytest.raises(FileNotFoundError):
        kernel.write(tmp_path / "a" / "memory.max", "1")  # never makes a file
    lock = kernel.lock(tmp_path / "a")
    with pytest.raises(BlockingIOError):
        kernel.lock(tmp_path / "a")
    kernel.unlock(lock)
    kernel.unlock(kernel.lock(tmp_path / "a"))
    with subprocess.Popen(["/bin/sleep", "60"]) as sleeper:
        (tmp_path / "a" / "cgroup.procs").write_text(f"{sleeper.pid}\n0\n")
        kernel.kill(tmp_path / "a")  # before Linux 5.14 there is no cgroup.kill
        wait_until(lambda: sleeper.poll() is not None)
    (tmp_path / "a" / "cgroup.procs").unlink()
    kernel.remove(tmp_path / "a")
