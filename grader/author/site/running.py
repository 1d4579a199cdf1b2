"""Runs a notebook with the student's modules, and keeps going where a cell fails."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import nbformat
from nbformat import NotebookNode

from grader.errors import CourseError
from grader.scratch import held

DATA = "GRADER_DATA"
SECONDS = 3600  # for one cell: five epochs of MNIST on an old laptop
KERNEL = "python3"
ENDED = "KernelEnded"  # the name of the error that cells have which could not run any more

Progress = Callable[[int, int], None]


def run(notebook: Path, modules: Path, data: Path | None = None, progress: Progress | None = None) -> NotebookNode:
    """Run a notebook with the modules in a folder; return it with its outputs, errors among them.

    The code runs unconfined, so use it for your own modules and the reference. `data` holds MNIST and other real data.
    `progress` is told how many of how many code cells have begun.
    """
    # Together these take a second to import, and making or comparing notebooks does not need them.
    from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415 - see above
    from nbclient import NotebookClient  # noqa: PLC0415 - see above
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415 - see above

    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        content,
        timeout=SECONDS,
        kernel_name=KERNEL,
        allow_errors=True,
        interrupt_on_timeout=True,
        resources={"metadata": {"path": str(modules)}},
    )
    client.on_cell_execute = _counted(content, progress)
    try:
        # What the kernel itself says is about this computer, and no reader's business.
        with _environment(data), _interruptible(client), tempfile.TemporaryFile() as log:
            client.execute(stderr=log)
    except (DeadKernelError, CellTimeoutError) as error:
        _mark_the_rest(content, str(error))
    except (NoSuchKernel, RuntimeError) as error:
        raise CourseError(f"no Python kernel starts for notebooks ({error}); pip install ipykernel") from None
    return content


def _counted(content: NotebookNode, progress: Progress | None) -> Callable[..., None]:
    code = [cell for cell in content.cells if cell.cell_type == "code" and cell.source.strip()]
    begun = iter(range(1, len(code) + 1))

    def tell(cell: NotebookNode, cell_index: int) -> None:
        if progress is not None:
            progress(next(begun, len(code)), len(code))

    return tell


def _mark_the_rest(content: NotebookNode, why: str) -> None:
    """Give the cells that could not run an error that says so: the last one that began, and those after it."""
    code = [cell for cell in content.cells if cell.cell_type == "code" and cell.source.strip()]
    begun = [number for number, cell in enumerate(code) if "execution" in cell.metadata or cell.outputs]
    for cell in code[begun[-1] if begun else 0 :]:
        cell.outputs.append(nbformat.v4.new_output("error", ename=ENDED, evalue=why.splitlines()[0], traceback=[]))


@contextlib.contextmanager
def _interruptible(client: Any) -> Iterator[None]:
    """Have signals interrupt the block as they do before it, and then end the kernel.

    nbclient sets handlers of its own before the kernel starts, which end the kernel alone, and default ones at its end.
    """
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    start = client.async_start_new_kernel

    def restore() -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in usual.items():
                signal.signal(number, handler)

    async def restore_and_start(**given: IO[bytes]) -> None:
        restore()
        await start(**given)

    client.async_start_new_kernel = restore_and_start
    try:
        yield
    except KeyboardInterrupt:
        process = getattr(getattr(client.km, "provisioner", None), "process", None)
        if process is not None:
            process.kill()
        raise
    finally:
        restore()


@contextlib.contextmanager
def _environment(data: Path | None) -> Iterator[None]:
    """Set the variables that the kernel inherits: where real data lie, and a folder for what Jupyter leaves."""
    with held() as folder:
        new = dict.fromkeys(("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"), str(folder))
        new |= {DATA: str(data.resolve())} if data else {}
        before = {name: os.environ.get(name) for name in new}
        os.environ.update(new)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.update({name: value}) if value is not None else os.environ.pop(name)
