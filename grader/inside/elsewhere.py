"""Pretends that there is a second device, so that a probe sees on the CPU whether a function uses the one it is given.

Everything is computed on the CPU. A tensor is elsewhere once it is moved there, or comes from one that is. It then says
so of its `device`, and goes with tensors of the CPU, and with NumPy, no better than on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

# Programs that treat GPUs in a way of their own ask for this type. Nothing of CUDA itself is ever called.
DEVICE = torch.device("cuda", 0)
CPU = torch.device("cpu")


class _Event:
    """A mark in a GPU's work: here nothing waits, and nothing takes time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def record(self, *args: Any) -> None:
        pass

    wait = synchronize = record

    def query(self) -> bool:
        return True

    def elapsed_time(self, end: _Event) -> float:
        return 0.0


# What programs ask of a GPU whatever they do on it, and what they get.
_SILENCED: dict[str, Any] = {
    **dict.fromkeys(("synchronize", "set_device", "empty_cache", "ipc_collect", "reset_peak_memory_stats")),
    **dict.fromkeys(("reset_max_memory_allocated", "reset_max_memory_cached", "reset_accumulated_memory_stats")),
    **dict.fromkeys(("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved"), 0),
    "current_device": 0, "mem_get_info": (1 << 33, 1 << 33), "memory_summary": "", "memory_stats": {},
    "get_device_name": "a pretended device", "get_device_capability": (7, 0), "is_bf16_supported": False,
}  # fmt: skip
_HERE, _THERE = ("cpu",), ("cuda", "cuda:0")
# These take tensors of one device alone; in all others, a CPU's index or source may be welcome.
_STRICT = frozenset(
    (
        *("eq", "ne", "lt", "gt", "le", "ge", "add", "radd", "iadd", "sub", "rsub", "isub", "mul", "rmul", "imul"),
        *(
            "div",
            "truediv",
            "rtruediv",
            "true_divide",
            "matmul",
            "mm",
            "linear",
            "conv2d",
            "batch_norm",
            "cat",
            "stack",
        ),
        *("cross_entropy", "nll_loss", "mse_loss", "where"),
    )
)


_PARSE = getattr(torch._C._nn, "_parse_to", None)


@contextmanager
def elsewhere() -> Iterator[torch.device]:
    """Pretend within the block that there is a device, and give it."""
    own = {name: getattr(torch.cuda, name) for name in (*_SILENCED, "Event")}
    made = torch.nn.Parameter.__new__
    for name, answer in _SILENCED.items():
        setattr(torch.cuda, name, lambda *args, answer=answer, **kwargs: answer)
    torch.cuda.Event = _Event
    torch.nn.Parameter.__new__ = _made(made)
    try:
        with _Elsewhere():
            yield DEVICE
    finally:
        torch.nn.Parameter.__new__ = made
        for name, function in own.items():
            setattr(torch.cuda, name, function)


def _made(new: Callable[..., Any]) -> Callable[..., Any]:
    """Make parameters where the tensors are of which they are made: a copy of a model is where that one is."""

    def made(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
        parameter = new(cls, data, requires_grad)
        if isinstance(data, torch.Tensor):
            parameter._is_elsewhere = is_there(data)
        return parameter

    return made


class _Elsewhere(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _ANSWERS:
            return _ANSWERS[func](is_there(args[0]))
        if func in _FOR_NUMPY and is_there(args[0]):
            raise TypeError(
                f"can't convert {DEVICE} device type tensor to numpy. "
                "Use Tensor.cpu() to copy the tensor to host memory first."
            )
        if func is _PARSE:  # for `module.to`, which then moves its tensors to the device that is named
            return func(*args, **kwargs)
        place = _asked_for(func, args, kwargs)
        return _computed(func, args, kwargs) if place is None else _moved(func, args, kwargs, place)


def is_there(tensor: torch.Tensor) -> bool:
    return getattr(tensor, "_is_elsewhere", False)


def _mark(result: Any, there: bool, given: list[torch.Tensor]) -> Any:
    """Note where a result is. What works in place returns a tensor that it was given, which stays where it is."""
    for tensor in tree_leaves(result):
        if isinstance(tensor, torch.Tensor) and not any(tensor is one for one in given):
            tensor._is_elsewhere = there
    return result


def _asked_for(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | None:
    """Tell whether a call asks for a result there (True) or on the CPU (False); None where it names no device."""
    if func in (torch.Tensor.cpu, torch.Tensor.cuda):
        return func is torch.Tensor.cuda
    named = [*args[1:], *kwargs.values()] if func is torch.Tensor.to else [kwargs.get("device")]
    for value in named:
        if isinstance(value, torch.Tensor):
            return is_there(value)
        if isinstance(value, (str, torch.device)) and str(value) in (*_HERE, *_THERE):
            return str(value) in _THERE
    return None


def _moved(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], there: bool) -> Any:
    """Call with the CPU in place of the device. What is where it is asked for is not copied, as everywhere in torch."""
    if func in (torch.Tensor.cpu, torch.Tensor.cuda):
        args, kwargs = (args[0], CPU), {}
        func = torch.Tensor.to
    result = func(*map(_on_cpu, args), **{name: _on_cpu(value) for name, value in kwargs.items()})
    if args and result is args[0]:
        if is_there(result) is there:
            return result
        result = result.clone()
    return _mark(result, there, [])


def _on_cpu(value: Any) -> Any:
    return CPU if isinstance(value, (str, torch.device)) and str(value) in _THERE else value


def _computed(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = [is_there(tensor) for tensor in given]
    mixed = {place for place, tensor in zip(there, given, strict=True) if tensor.dim() > 0}
    if len(mixed) > 1 and getattr(func, "__name__", "").strip("_") in _STRICT:
        two = f"at least two devices, {DEVICE} and cpu!{_sides(given)}"
        raise RuntimeError(f"Expected all tensors to be on the same device, but found {two}")
    result = func(*args, **kwargs)
    if func == torch.Tensor.data.__set__:  # how a module moves its parameters
        args[0]._is_elsewhere = is_there(args[1])
    return _mark(result, any(there) and not _is_made_here(func, args), given)


def _sides(given: list[torch.Tensor]) -> str:
    """Say where parameters are that meet something else, so that it is seen which of the two to move."""
    sides: dict[bool, set[bool]] = {True: set(), False: set()}
    for tensor in given:
        if tensor.dim() > 0:
            sides[isinstance(tensor, torch.nn.Parameter)].add(is_there(tensor))
    if any(len(places) != 1 for places in sides.values()):
        return ""
    own, other = (DEVICE if places == {True} else CPU for places in sides.values())
    return f" The layer's parameters are on {own}, its input is on {other}."


def _is_made_here(func: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Tell whether a call makes a tensor of numbers, which torch takes from wherever they are, on the CPU."""
    return func in _MAKERS and not (args and isinstance(args[0], torch.Tensor) and func in _CONVERTERS)


# Of a tensor these make one in the same place; of a list, even of numbers that are there, one on the CPU.
_CONVERTERS = frozenset((torch.tensor, torch.as_tensor, torch.asarray))
_MAKERS = _CONVERTERS | {
    *(torch.scalar_tensor, torch.zeros, torch.ones, torch.empty, torch.full, torch.arange, torch.linspace),
    *(torch.eye, torch.rand, torch.randn, torch.randint, torch.randperm),
}
_ANSWERS: dict[Any, Callable[[bool], Any]] = {
    torch.Tensor.device.__get__: lambda there: DEVICE if there else CPU,
    torch.Tensor.is_cuda.__get__: lambda there: there,
    torch.Tensor.is_cpu.__get__: lambda there: not there,
}
_FOR_NUMPY = (torch.Tensor.numpy, torch.Tensor.__array__)
