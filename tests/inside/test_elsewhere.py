"""A pretended device tells what was moved there, and takes what was not amiss, as a GPU does."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from grader.inside.elsewhere import elsewhere

MOVES: dict[str, Callable[[torch.Tensor, torch.device], torch.Tensor]] = {
    "to": lambda x, device: x.to(device),
    "to by name": lambda x, device: x.to(device=device, non_blocking=True),
    "to a word": lambda x, device: x.to(str(device)),
    "with a type": lambda x, device: x.to(device, torch.float64),
    "like another": lambda x, device: x.to(torch.zeros(1, device=device)),
    "cuda": lambda x, device: x.cuda(),
    "as_tensor": lambda x, device: torch.as_tensor(x, device=device),
    "where the model is": lambda x, device: x.to(next(nn.Linear(2, 2).to(device).parameters()).device),
    "and on": lambda x, device: x.to(device).flatten(1).double() * 2,
    "back and forth": lambda x, device: x.to(device).cpu().to(device),
    "another of its kind": lambda x, device: x.to(device).new_tensor([1.0]),
    "a copy": lambda x, device: torch.as_tensor(x.to(device)),
    "as many zeros": lambda x, device: torch.zeros_like(x.to(device)),
}
STAYS: dict[str, Callable[[torch.Tensor, torch.device], torch.Tensor]] = {
    "nothing": lambda x, device: x,
    "a lost result": lambda x, device: (x.to(device), x)[1],
    "to the CPU": lambda x, device: x.to(device).to("cpu"),
    "cpu": lambda x, device: x.to(device).cpu(),
    "another one's place": lambda x, device: x.to(x.device),
    "numbers that are there": lambda x, device: torch.tensor([x.to(device).sum(), 1.0]),
    "numbers as a tensor": lambda x, device: torch.as_tensor([x.to(device).sum(), 1.0]),
    "filled with a number": lambda x, device: torch.full((2,), x.to(device).sum()),
    "as many as": lambda x, device: torch.arange(x.to(device).sum()),
}


@pytest.mark.parametrize("way", MOVES)
def test_what_is_moved_is_there(way: str) -> None:
    with elsewhere() as device:
        moved = MOVES[way](torch.ones(2, 2), device)
        assert (moved.device, moved.is_cuda) == (device, True)


@pytest.mark.parametrize("way", STAYS)
def test_what_is_not_moved_stays(way: str) -> None:
    with elsewhere() as device:
        left = STAYS[way](torch.ones(2, 2), device)
        assert left.device == torch.device("cpu") and not left.is_cuda


@pytest.mark.parametrize(
    "use",
    [
        lambda there, here: there == here,
        lambda there, here: there + here,
        lambda there, here: nn.Linear(2, 2)(there),
        lambda there, here: nn.functional.cross_entropy(there, here.argmax(1)),
        lambda there, here: there.numpy(),
        lambda there, here: np.asarray(there),
    ],
)
def test_what_fails_on_a_gpu_fails(use: Callable[[torch.Tensor, torch.Tensor], object]) -> None:
    with elsewhere() as device, pytest.raises((RuntimeError, TypeError), match=r"same device|Use Tensor\.cpu"):
        use(torch.ones(2, 2, device=device), torch.ones(2, 2))


def test_which_of_a_layer_and_its_input_is_elsewhere_is_said() -> None:
    layer, batch = nn.Linear(2, 2), torch.ones(3, 2)
    with elsewhere() as device:
        with pytest.raises(RuntimeError, match="The layer's parameters are on cpu, its input is on cuda:0"):
            layer(batch.to(device))
        with pytest.raises(RuntimeError, match="The layer's parameters are on cuda:0, its input is on cpu"):
            layer.to(device)(batch)
        with pytest.raises(RuntimeError, match=r"cuda:0 and cpu!$"):
            nn.functional.cross_entropy(batch.to(device), torch.tensor([0, 1, 0]))


def test_programs_may_wait_for_it_and_ask_its_name() -> None:
    own = torch.cuda.synchronize
    with elsewhere() as device:
        torch.cuda.set_device(device)
        torch.cuda.synchronize(device)
        assert "pretended" in torch.cuda.get_device_name(device)
    assert torch.cuda.synchronize is own


def test_numbers_scalars_and_places_of_the_cpu_are_welcome_there() -> None:
    with elsewhere() as device:
        there = torch.arange(6.0, device=device)
        assert (there + 1).sum().item() == 21
        assert (there * torch.tensor(2.0)).device == device
        assert there[torch.tensor([1, 2])].tolist() == [1.0, 2.0]


def test_a_network_trains_there_and_comes_back() -> None:
    with elsewhere() as device:
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.1), nn.Linear(4, 2)).to(device)
        assert {tensor.device for tensor in (*model.parameters(), *model.buffers())} == {device}
        x, y = torch.randn(8, 3).to(device), torch.tensor([0, 1] * 4).to(device)
        for kind in (torch.optim.SGD, torch.optim.Adam):
            optimizer = kind(model.parameters(), lr=0.1)
            before = model[0].weight.detach().clone()
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            assert not torch.equal(before, model[0].weight)
        assert model.cpu()[0].weight.device == torch.device("cpu")
    assert torch.ones(1).to("cpu").device == torch.device("cpu")


def test_a_copy_of_a_model_and_a_parameter_made_there_are_there() -> None:
    with elsewhere() as device:
        model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).to(device)
        twin = copy.deepcopy(model)
        assert {part.device for part in (*twin.parameters(), *twin.buffers())} == {device}
        twin(torch.zeros(3, 2).to(device))
        assert nn.Parameter(torch.ones(2, device=device)).device == device
        assert nn.Parameter(torch.ones(2)).device == copy.deepcopy(nn.Linear(2, 2)).weight.device == torch.device("cpu")
    assert type(nn.Parameter(torch.ones(2))) is nn.Parameter
    assert "_is_elsewhere" not in vars(nn.Parameter(torch.ones(2)))


def test_programs_may_measure_time_and_memory_there() -> None:
    own = torch.cuda.Event
    with elsewhere() as device:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        end.record()
        torch.cuda.synchronize()
        assert (start.elapsed_time(end), torch.cuda.max_memory_allocated(device)) == (0.0, 0)
        assert not torch.cuda.is_bf16_supported()
        assert torch.cuda.current_device() == 0
        scaler = torch.amp.GradScaler("cuda", enabled=False)
        assert scaler.scale(torch.ones(1, device=device)).device == device
    assert torch.cuda.Event is own


MODEL_MOVES: dict[str, Callable[[nn.Module, torch.device], nn.Module]] = {
    "to": lambda model, device: model.to(device),
    "to by name": lambda model, device: model.to(device=device),
    "at leisure": lambda model, device: model.to(device=device, non_blocking=True),
    "to a word": lambda model, device: model.to(str(device)),
    "with a type": lambda model, device: model.to(device, torch.float32),
    "cuda": lambda model, device: model.cuda(),
    "twice": lambda model, device: model.to(device).to(device=device),
    "back and forth": lambda model, device: model.to(device=device).cpu().to(device=device),
}


@pytest.mark.parametrize("way", MODEL_MOVES)
def test_a_model_goes_there_with_all_it_has_and_takes_what_is_there(way: str) -> None:
    with elsewhere() as device:
        model = MODEL_MOVES[way](nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), device)
        assert {part.device for part in (*model.parameters(), *model.buffers())} == {device}
        model(torch.zeros(3, 2).to(device))
