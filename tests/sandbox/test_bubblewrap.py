"""Choosing a sandbox: never a weaker one than was asked for, and never one that does not work."""

from __future__ import annotations

import mmap
import re
import subprocess
import sys
from itertools import islice, pairwise
from pathlib import Path

import pytest

from grader.cli import main
from grader.errors import SandboxError, UsageError
from grader.inside import memory, seccomp
from grader.sandbox import Bubblewrap, Process, choose, doctor, views
from grader.sandbox.bubblewrap import ENVIRONMENT, INSIDE
from tests.support import sandboxes


@pytest.fixture
def no_bwrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def fake_bwrap(folder: Path, script: str) -> None:
    program = folder / "bwrap"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)


def test_auto_takes_bubblewrap_where_it_works() -> None:
    assert choose("auto") == sandboxes.real() == choose("bwrap")


def test_process_is_taken_only_by_name_or_with_a_warning_that_says_why(no_bwrap: None) -> None:
    assert "NO SANDBOX" in choose("process").says
    instead = choose("auto")
    assert not instead.confined
    assert "NO SANDBOX" in instead.says and "bubblewrap (the program `bwrap`) is not installed" in instead.says


def test_a_sandbox_asked_for_by_name_works_or_is_an_error(no_bwrap: None) -> None:
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        choose("bwrap")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import sys; sys.exit('bwrap: No permissions to create new namespace')", "No permissions to create"),
        ("print('something else')", "something else"),
        ("raise SystemExit(7)", "exit status 7"),
    ],
)
def test_a_bubblewrap_that_does_not_work_says_what_the_machine_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    fake_bwrap(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=said):
        choose("bwrap")
    assert said in choose("auto").says


def test_an_unknown_kind_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there are auto, bwrap, process"):
        choose("docker")


@pytest.mark.parametrize("cut", ["    confine.map_user()\n", "    confine.hide_proc()\n"])
def test_a_sandbox_is_refused_where_any_step_of_its_trial_fails(tmp_path: Path, cut: str) -> None:
    """Where a step fails, as it would on a machine that refuses it, the sandbox is refused."""
    inside = tmp_path / "inside"
    inside.mkdir()
    for file in INSIDE.glob("*.py"):
        (inside / file.name).write_bytes(file.read_bytes())
    selftest = (inside / "selftest.py").read_text()
    assert selftest.count(cut) == 1
    (inside / "selftest.py").write_text(selftest.replace(cut, "    raise OSError('refused here')\n"))
    with pytest.raises(SandboxError, match="refused here"):
        Bubblewrap(sandboxes.real().program, inside).test()


def test_a_course_inside_what_must_be_shown_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "SYSTEM", (str(tmp_path),))
    with pytest.raises(SandboxError, match="move it elsewhere"):
        views.arguments(tmp_path / "course" / "grader" / "inside")


TELLING = (
    "__editable__.course-1.pth", "__editable___course_1_finder.py",
    "__pycache__/__editable___course_1_finder.cpython-311.pyc", "course.pth", "course.egg-link",
    "course-1.dist-info/direct_url.json", "sklearn/datasets/data/digits.csv.gz",
)  # fmt: skip
NEEDED = ("needed.pth", "course-1.dist-info/METADATA", "sklearn/__init__.py")


def test_what_tells_where_the_course_lies_is_covered_at_every_path_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    for name in (*TELLING, *NEEDED):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("import needed" if name in NEEDED else "/home/ada/course")
    (tmp_path / "venv" / "lib64").symlink_to("lib")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    monkeypatch.setattr(views.site, "getsitepackages", lambda: [str(packages)])
    words = views.arguments(INSIDE)
    at = [place for place, two in enumerate(pairwise(words)) if two == ("--ro-bind", "/dev/null")]
    covered = [words[place + 2] for place in at]
    inner = {path for path in covered if path.startswith("/venv/")}
    assert inner == {f"/venv/{lib}/python3.11/site-packages/{name}" for lib in ("lib", "lib64") for name in TELLING}


def test_a_python_that_was_started_by_a_way_around_is_shown_where_its_prefix_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "course" / ".." / "venv" / "bin" / "python"))
    assert views.python() == "/venv/bin/python"


def test_the_doctor_says_what_to_do(no_bwrap: None) -> None:
    lines = [str(finding) for finding in islice(doctor.examine(), 8)]  # the last one takes seconds
    assert lines[0].startswith("BAD  sandbox: bubblewrap (the program `bwrap`) is not installed; install it")
    assert any(line.startswith("ok   torch: ") for line in lines)


def test_the_doctor_names_the_setting_that_forbids_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "setting"
    setting.write_text("0\n")
    fake_bwrap(tmp_path, "import sys; sys.exit('refused')")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "SETTINGS", ((str(setting), "0", "sysctl -w x=1"), ("/no/such/file", "0", "never")))
    assert next(doctor.examine()).advice == "sysctl -w x=1"


def test_the_doctor_ends_with_status_0_where_nothing_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    sandboxes.real()
    assert main.main(["doctor"]) == 0
    assert "sandbox: " in capsys.readouterr().out


def test_the_process_has_no_other_variables_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    assert "GITHUB_TOKEN" not in Process().command(3).environment
    assert Bubblewrap("bwrap").command(3).environment == {}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_names_each_call_once_and_jumps_stay_inside(machine: str) -> None:
    numbers = list(seccomp.refused(machine).values())
    assert len(set(numbers)) == len(numbers) > 50
    code = seccomp.assemble(machine)
    assert len(code) % 8 == 0
    for line in range(len(code) // 8):
        operation, true, false = code[8 * line], code[8 * line + 2], code[8 * line + 3]
        assert operation == 0x06 or line + max(true, false) + 1 < len(code) // 8


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),  # 64-bit ARM has the generic numbers
    ],
)
def test_the_numbers_are_those_of_the_system_headers(machine: str, header: str) -> None:
    if not Path(header).exists():
        pytest.skip(f"there is no {header} here")
    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", Path(header).read_text()))
    ours = seccomp.refused(machine)
    assert {name: int(known.get(name, number)) for name, number in ours.items()} == ours


def test_large_pages_lie_whole_in_private_memory_without_a_file() -> None:
    maps = (
        "00200000-00a00000 rw-p 00000000 00:00 0 \n"
        "00b00001-00e00000 rw-p 00000000 00:00 0                          [heap]\n"
        "10000000-10800000 r--p 00000000 00:00 0 \n"
        "20000000-20800000 rw-p 00000000 08:01 77                         /usr/lib/libx.so\n"
        "30000000-30800000 rw-s 00000000 00:01 0 \n"
        "40000000-401fffff rw-p 00000000 00:00 0 \n"
    )
    found = [0x200000, 0x400000, 0x600000, 0x800000, 0xC00000]
    assert list(memory.large_pages(memory.parsed(maps))) == found


def test_what_a_library_only_reads_joins_its_code_or_its_data() -> None:
    maps = (
        "00001000-00002000 r--p 00000000 08:01 77                         /usr/lib/libx y.so (deleted)\n"
        "00002000-00004000 r-xp 00001000 08:01 77                         /usr/lib/libx y.so (deleted)\n"
        "00004000-00005000 r--p 00003000 08:01 77                         /usr/lib/libx y.so (deleted)\n"
        "00005000-00006000 r--p 00003000 08:01 77                         /usr/lib/libx y.so (deleted)\n"
        "00006000-00007000 rw-p 00004000 08:01 77                         /usr/lib/libx y.so (deleted)\n"
        "00007000-00008000 rw-p 00000000 00:00 0 \n"
        "00008000-00009000 r--p 00000000 00:00 0 \n"
        "00009000-0000a000 r-xp 00000000 00:00 0                          [vdso]\n"
        "0000b000-0000c000 r--p 00000000 08:01 78                         /usr/lib/libz.so\n"
        "0000d000-0000e000 r-xp 00002000 08:01 78                         /usr/lib/libz.so\n"
        "0000e000-0000f000 r--s 00000000 08:01 78                         /usr/lib/libz.so\n"
        "0000f000-00010000 r--p 00000000 08:01 79                         /usr/lib/other\n"
        "00010000-00011000 r-xp 00000000 08:02 79                         /usr/lib/other\n"
    )
    code, data = mmap.PROT_READ | mmap.PROT_EXEC, mmap.PROT_READ | mmap.PROT_WRITE
    found = [(0x1000, 0x2000, code), (0x4000, 0x5000, code), (0x5000, 0x6000, data)]
    assert list(memory.joined(memory.parsed(maps))) == found


def test_joining_makes_fewer_mappings_and_none_that_can_be_written_and_run() -> None:
    """In a process of its own: this one keeps what the loader gave it."""
    code = """if True:
        import sys
        from pathlib import Path
        import numpy.linalg
        sys.path.insert(0, sys.argv[1])
        import memory
        read = Path("/proc/self/maps").read_text
        before = len(read().splitlines())
        assert memory.join() > 4
        assert len(read().splitlines()) <= before - 4, read()
        assert "rwx" not in read()
        assert abs(numpy.linalg.det(numpy.eye(3) * 2) - 8) < 1e-6
    """
    subprocess.run([sys.executable, "-c", code, memory.__file__.rpartition("/")[0]], check=True)


def test_a_heap_with_room_is_touched_in_large_pages_and_gives_it_back() -> None:
    """In a process of its own: the heap of this one is what it is."""
    modes = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not modes.exists() or "[never]" in modes.read_text():
        pytest.skip("this kernel gives no large pages")
    code = """if True:
        import ctypes
        import resource
        import sys
        sys.path.insert(0, sys.argv[1])
        import memory
        libc = ctypes.CDLL(None)
        libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
        libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
        memory.make_room(64 << 20)
        end = libc.sbrk(0)
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(24):
            block = libc.malloc(2 << 20)
            libc.memset(block, 1, 2 << 20)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults < 24 * 512 / 4
        assert libc.sbrk(0) == end
        memory.give_back_room()
        assert end - libc.sbrk(0) > 8 << 20
    """
    settings = {name: value for name, value in ENVIRONMENT.items() if name.startswith("MALLOC_")}
    subprocess.run([sys.executable, "-c", code, memory.__file__.rpartition("/")[0]], check=True, env=settings)
