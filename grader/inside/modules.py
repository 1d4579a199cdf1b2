"""Imports the student's modules, one at a time, in every way that students import them.

With a folder that holds `lenet.py` and `helpers.py`, package name `week5`: `import lenet`, `from .lenet import
LeNet`, `from week5.lenet import LeNet` and `from assignments.week5 import lenet` all give the same module.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .importing.absent import close_package, open_package
from .importing.callers import CHECKS
from .importing.sources import find_source

if TYPE_CHECKING:
    import torch

# A student's file of one of these names never replaces the library, whoever imports it.
LIBRARIES = frozenset(
    (
        *("torch", "torchvision", "numpy", "matplotlib", "sklearn", "scipy", "PIL", "pandas", "tqdm", "msgpack"),
        *("pytest", "hypothesis", "nbformat", "grader", "grader_inside", "fixtures"),
    )
)


class MissingModule(ImportError):
    """The submission has no file for a module that the week asks for."""


class ModuleEnded(ImportError):
    """An earlier import of the module ended its process, by an endless loop, a crash or an exit."""

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class StudentModules:
    """Imports a module at attribute access: `modules.lenet`. A failed import raises the same error at every access.

    An import that was cut short says nothing of the module, as the machine may have been busy: it is tried once more.
    `modules.device` is the torch.device on which probes are to train; `modules.elsewhere()` pretends to another one;
    `modules.kit` is what probes record with.
    """

    def __init__(self, folder: Path, package: str, ended: Mapping[str, ModuleEnded], device: str = "cpu") -> None:
        self._folder = folder
        self._package = package
        self._device = device
        self._errors: dict[str, BaseException] = dict(ended)
        self._cut_short: set[str] = set()
        self._finder = _Aliases(folder, package, ended)

    @property
    def device(self) -> torch.device:
        """The device on which a probe trains a network, and which it gives to functions that take a `device`."""
        import torch

        return torch.device(self._device)

    def elsewhere(self) -> AbstractContextManager[torch.device]:
        """Pretend within a `with` block that there is a second device, which it gives: see `elsewhere.py`."""
        from .elsewhere import elsewhere  # it imports torch, which collecting checks can do without

        return elsewhere()

    def instead(self, module: str, **helpers: Callable[[Any], Any]) -> AbstractContextManager[None]:
        """Let helpers of a module be right within a `with` block: `instead("lenet", pool_output_size=right_pool)`.

        `right_pool(own)` gets the student's function when it is first called, and returns what answers in its place.
        A helper that is wrong then costs its own task, and not that of a function which calls it.
        """
        from .replacing import replaced

        place = self._load(module)
        own = [sys.modules[name] for name in self._finder.own if name in sys.modules]
        return replaced(place, own, helpers)

    @property
    def kit(self) -> ModuleType:
        """What probes record with: models that note how they are called, what a figure shows, and more."""
        from . import kit  # it imports torch

        return kit

    def __getattr__(self, name: str) -> ModuleType:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._load(name)

    def _load(self, name: str) -> ModuleType:
        if name in self._errors:
            raise self._errors[name]
        if (loaded := sys.modules.get(f"{self._package}.{name}")) is not None:
            return loaded  # a check asks for the same module hundreds of times
        try:
            return self._import(name)
        except (Exception, SystemExit) as error:
            self._errors[name] = error
            raise
        except BaseException as error:  # a limit, or Ctrl-C
            if name in self._cut_short:
                self._errors[name] = error
            self._cut_short.add(name)
            raise

    def _import(self, name: str) -> ModuleType:
        if not (self._folder / f"{name}.py").is_file() and not (self._folder / name / "__init__.py").is_file():
            own = sorted(path.name for path in self._folder.glob("*.py") if not CHECKS.fullmatch(path.name))
            present = ", ".join(own) or "no Python file"
            raise MissingModule(f"{name}.py is missing from the submission, which has {present}")
        # They import torch, which collecting checks can do without.
        from .generators import generators_kept
        from .importing.settings import settings_kept

        # Else what a probe draws and computes would depend on which modules it imports first.
        with generators_kept(), settings_kept():
            return importlib.import_module(f"{self._package}.{name}")

    def _open(self) -> StudentModules:
        """Make the folder importable, as a package of that name."""
        sys.modules[self._package] = _Package(self._package, self._folder)
        sys.meta_path.insert(0, self._finder)
        open_package(self._package, self._folder)
        return self

    def _close(self) -> None:
        """Forget every module of the folder, so that another folder of the same names can be opened."""
        close_package(self._package)
        sys.meta_path.remove(self._finder)
        for path in [path for path in sys.path_importer_cache if path.startswith(str(self._folder))]:
            del sys.path_importer_cache[path]  # a later folder of the same path may hold other files
        for name, module in list(sys.modules.items()):
            own = name == self._package or name.startswith(f"{self._package}.")
            if own or name in self._finder.given or _inside(module, self._folder):
                sys.modules.pop(name, None)


def open_modules(
    folder: Path, package: str, ended: Mapping[str, ModuleEnded] | None = None, device: str = "cpu"
) -> StudentModules:
    """Open a student's folder; `close_modules` undoes it. A package name can have one open folder at a time.

    The modules in `ended` are not imported again: asking for one raises its exception.
    """
    return StudentModules(folder, package, ended or {}, device)._open()


def close_modules(modules: StudentModules) -> None:
    """Undo `open_modules`."""
    modules._close()


class _Package(ModuleType):
    """The folder as a package. A file of the package's own name, `week5.py`, gives it the names that it defines."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.__path__ = [str(folder)]
        self.__package__ = name
        self._own = folder / f"{name}.py"

    def __getattr__(self, name: str) -> Any:
        is_own = name == "__all__" or not name.startswith("__")
        if not is_own or not self._own.is_file() or (self._own.parent / f"{name}.py").is_file():
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        inner = importlib.import_module(f"{self.__name__}.{self.__name__}")
        if name == "__all__":
            return [given for given in vars(inner) if not given.startswith("_")]
        return getattr(inner, name)


class _Aliases(importlib.abc.MetaPathFinder):
    """Finds `lenet`, `assignments.week5` and `assignments.week5.lenet` as the package's own modules."""

    def __init__(self, folder: Path, package: str, ended: Mapping[str, ModuleEnded]) -> None:
        self.folder = folder
        self.package = package
        self.ended = {f"{package}.{name}": error for name, error in ended.items()}
        self.given: set[str] = set()
        self.own: dict[str, None] = {}  # full names of the package's modules, in the order of their import

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name in self.ended:
            raise self.ended[name]
        if name.startswith(f"{self.package}."):
            self.own[name] = None
            return find_source(name, path)
        real = self._real_name(name)
        if real is None:
            return None
        self.given.add(name)
        return importlib.machinery.ModuleSpec(name, _AliasLoader(real), is_package=True)

    def _real_name(self, name: str) -> str | None:
        """Return the name inside the package, "" for the parent `assignments`, None for what is not the student's."""
        if name == "assignments":
            return ""
        inner = name.removeprefix("assignments.")
        if inner == self.package or inner.startswith(f"{self.package}."):
            return inner if inner != name else None  # the package's own names need no alias
        top = name.partition(".")[0]
        if top in LIBRARIES or top in sys.stdlib_module_names or not self._has(top):
            return None
        return f"{self.package}.{name}"

    def _has(self, top: str) -> bool:
        return (self.folder / f"{top}.py").is_file() or (self.folder / top).is_dir()


class _AliasLoader(importlib.abc.Loader):
    def __init__(self, real: str) -> None:
        self.real = real
        self.spec: Any = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        if not self.real:
            return None
        module = importlib.import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        if self.real:
            module.__spec__ = self.spec  # the import system has just replaced it by the alias's


def _inside(module: Any, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    # The name tells most of a thousand modules apart without making a path of each.
    return isinstance(file, str) and folder.name in file and folder in Path(file).parents
