from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks import diagnose
from grader.pytest_plugin import meanings

WANT = torch.tensor([[1.0, -2.0, 3.5], [0.5, 4.0, -1.5]])
SQUARE = torch.tensor([[1.0, -2.0, 0.3], [0.5, 4.0, -1.5], [2.2, 0.1, 0.7]])
FIRST, SECOND = [[0.3, 2.0, 0.1], [1.0, 0.7, 5.0], [0.2, 0.9, 3.0]], [[1.3, 0.0, 2.1], [0.4, 6.7, 1.0], [2.0, 9.0, 4.0]]
IMAGE = torch.tensor([FIRST, SECOND])

EXPLAINED = {
    "sign": (-WANT, WANT, "the sign is flipped"),
    "transposed": (SQUARE.t(), SQUARE, "the axes are transposed"),
    "softmax": (WANT.softmax(1), WANT, "softmax is already applied; raw logits are expected"),
    "log-softmax": (WANT.log_softmax(1), WANT, "log-softmax is already applied; raw logits are expected"),
    "no softmax": (WANT, WANT.softmax(1), "softmax is missing: these are logits, probabilities are expected"),
    "softmax over the batch": (
        WANT.softmax(0), WANT.softmax(1), "columns sum to 1 and rows should: a softmax over the wrong axis",
    ),
    "softmax over each batch": (
        torch.cat([IMAGE[0].softmax(0), IMAGE[1].softmax(0)]), IMAGE.reshape(6, 3).softmax(1),
        "its rows should sum to 1, as probabilities do",
    ),
    "one number": (torch.tensor([-2.5]), torch.tensor([2.5]), "the sign is flipped"),
    "relu": (WANT.relu(), WANT, "a ReLU too many: negative values are cut to 0"),
    "no relu": (WANT, WANT.relu(), "a ReLU is missing: negative values should be 0"),
    "order": (WANT.flip(0), WANT, "the values are right, but in another order"),
    "order of a vector": (
        torch.tensor([3.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0]), "the values are right, but in another order",
    ),
    "factor": (WANT * 6, WANT, "everything is the expected value times 6"),
    "pixels": (WANT / 255, WANT, "everything is the expected value times 1/255 (were pixels scaled once too often?)"),
    "sum for mean": (
        WANT * 3, WANT,
        "everything is the expected value times 3, the number of entries along axis 1 (a sum in place of a mean?)",
    ),
    "root": (
        SQUARE * 3**0.5, SQUARE,
        "everything is the expected value times √3, the root of the number of entries along axis 0",
    ),
    "unbiased": (
        WANT * 1.5, WANT, "everything is the expected value times 3/2 (an unbiased estimate in place of a biased one?)",
    ),
    "kernel": (IMAGE.flip(-2, -1), IMAGE, "it is reversed along the last two axes"),
    "mirrored": (IMAGE.flip(-1), IMAGE, "it is reversed along the last axis"),
    "zeros": (torch.zeros(2, 3), WANT, "it is zero everywhere"),
    "constant": (torch.full((2, 3), 0.25), WANT, "it is 0.25 everywhere"),
    "offset": (WANT + 0.25, WANT, "everything is +0.25 from the expected value; is a bias added?"),
    "offset of integers": (
        torch.tensor([1, 2, 7]), torch.tensor([2, 3, 8]), "everything is -1 from the expected value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAINED)
def test_known_mistakes_are_explained(name: str) -> None:
    got, want, because = EXPLAINED[name]
    assert diagnose.arrays(got, want) == because


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_near_miss_is_not_explained_away(name: str) -> None:
    got, want, _ = EXPLAINED[name]
    missed = got.clone().double().contiguous()
    missed.view(-1)[0] += 0.37
    # That probabilities do not sum to 1 is no guess: it stays true of a near miss.
    assert diagnose.arrays(missed, want) in (None, "its rows should sum to 1, as probabilities do")


def test_sizes_of_the_problem_name_a_factor() -> None:
    sizes = {"images in a batch": 64}
    root = "√64, the root of the number of images in a batch"
    assert diagnose.arrays(WANT * 8, WANT, sizes=sizes) == f"everything is the expected value times {root}"
    assert diagnose.number(0.5 * 64, 0.5, sizes) == (
        "it is the expected value times 64, the number of images in a batch (a sum in place of a mean?)"
    )
    assert diagnose.number(0.5 * 63 / 64, 0.5, sizes) == (
        "it is the expected value times 63/64 (a biased estimate in place of an unbiased one?)"
    )
    assert diagnose.number(0.5 * 60, 0.5, sizes) is None
    assert diagnose.number(0.7, 0.5, {"classes": 1}) is None


GRADIENTS = {"conv1.weight": torch.ones(2), "fc.bias": torch.tensor([0.0, 1e-9])}


def test_absent_and_zero_gradients_are_named_with_their_parameters() -> None:
    assert diagnose.gradients(GRADIENTS) is None
    assert diagnose.gradients({**GRADIENTS, "a": None, "b": None}) == "no gradient reaches a, b"
    zero = {**GRADIENTS, "fc.bias": torch.zeros(2)}
    assert diagnose.gradients(zero) == "the gradient of fc.bias is zero everywhere"


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("got", "where"),
    [
        ([[1, 2], [NAN, 3], [1, 1]], "NaN, in 1 of 6 values, first in row 1"),
        ([[1, 2], [NAN, NAN], [NAN, NAN]], "NaN, in 4 of 6 values, whole rows from row 1 on"),
        ([[1, 2], [INF, -INF], [1, 1]], "infinity, in 2 of 6 values, first in row 1"),
        ([NAN, INF], "every value is: NaN and infinity"),
        ([1.0, NAN], "NaN, in 1 of 2 values, first in row 1"),
    ],
)
def test_where_nan_starts_is_said(got: list[object], where: str) -> None:
    assert diagnose.not_finite(torch.tensor(got)) == where


def test_context_names_what_came_instead() -> None:
    before = torch.tensor([[9.0, 8.0, 7.0], [6.0, 5.0, 4.0]])
    context = {"of another shape": torch.ones(2), "before the ReLU": before}
    assert diagnose.arrays(before, WANT, context) == "these are the values before the ReLU"


def test_what_nothing_explains_stays_unexplained() -> None:
    generator = torch.Generator().manual_seed(0)
    assert diagnose.arrays(torch.randn(4, 5, generator=generator), torch.randn(4, 5, generator=generator)) is None


def test_one_wrong_entry_is_not_explained_by_a_factor() -> None:
    got = WANT.clone()
    got[0, 0] = 7
    assert diagnose.arrays(got, WANT) is None


def test_constant_arrays_are_not_explained_by_chance() -> None:
    assert diagnose.arrays(torch.full((2, 2), 3.0), torch.full((2, 2), 1.0)) is None
    assert diagnose.arrays(torch.ones(2, 2), torch.zeros(2, 2)) is None


@pytest.mark.parametrize(
    ("got", "want", "because"),
    [
        (-2.5, 2.5, "the sign is flipped"),
        (97.0, 0.97, "it is the expected value times 100 (percent or fraction?)"),
        (0.97, 97.0, "it is the expected value times 1/100 (percent or fraction?)"),
        (3.0, 2.0, None),
        (0.0, 1.0, None),
        (1.5, 2.25, "it is the square root of the expected value"),
        (2.25, 1.5, "it is the square of the expected value"),
        (0.5 * 255, 0.5, "it is the expected value times 255 (are pixels to be scaled to [0, 1]?)"),
        (1.0, 0.0, None),
    ],
)
def test_a_wrong_number_is_explained_where_something_explains_it(got: float, want: float, because: str | None) -> None:
    assert diagnose.number(got, want) == because


@pytest.mark.parametrize(
    ("got", "want", "because"),
    [
        ((3, 2), (2, 3), "the axes look permuted"),
        ((2, 3, 1), (2, 3), "an axis of size 1 is missing or too many"),
        ((2, 3), (1, 2, 3), "an axis of size 1 is missing or too many"),
        ((6,), (2, 3), None),
    ],
)
def test_a_wrong_shape_is_explained_where_something_explains_it(
    got: tuple[int, ...], want: tuple[int, ...], because: str | None
) -> None:
    assert diagnose.shapes(torch.zeros(got), torch.zeros(want)) == because


def test_right_values_in_a_wrong_shape_are_said_to_be_right() -> None:
    assert diagnose.shapes(WANT.flatten(), WANT) == "the values are right, only their arrangement in axes is not"
    assert diagnose.shapes(WANT[None], WANT) == "an axis of size 1 is missing or too many; the values are right"
    assert diagnose.shapes(WANT[None] + 1, WANT) == "an axis of size 1 is missing or too many"
    assert diagnose.shapes(WANT.flatten() + 1, WANT) is None
    assert diagnose.shapes(WANT, IMAGE[:, :2]) == "the first axis, over the examples, is missing"


VALUES = st.floats(allow_nan=True, width=32)


@settings(deadline=None)
@given(shape=st.lists(st.integers(1, 3), max_size=5), data=st.data(), integers=st.booleans())
def test_no_pair_of_arrays_with_entries_crashes_it(shape: list[int], data: st.DataObject, integers: bool) -> None:
    count = math.prod(shape)
    values = st.integers(-9, 9) if integers else VALUES
    got, want = (
        torch.tensor(data.draw(st.lists(values, min_size=count, max_size=count))).reshape(shape) for _ in range(2)
    )
    assert isinstance(diagnose.arrays(got, want), (str, type(None)))


CONTAINERS: dict[str, tuple[Any, Any, str | None]] = {
    "sets": ({"train", "test"}, {"test"}, "not expected: 'train'"),
    "dicts": ({"a": True, "b": 1, "d": 0}, {"a": False, "b": 1, "c": 2},
              "a is True and should be False; missing: c; too much: d"),
    "a long list": ([*range(40), 3], [*range(41)], "missing: 40; too often: 3"),
    "more than can be told": ([], [*range(9)], "missing: 0, 1, 2, 3, 4, … (+4)"),
    "an entry that is there too often": ([7] * 8, [7, *range(4)], "missing: 0, 1, 2, 3; too often: 7 (7×)"),
    "another order": ([0, 2, 1, 3, 4], [0, 1, 2, 3, 4],
                      "the entries are right, but in another order: at index 1 stands 2, and not 1"),
    "short lists stand side by side": ([1, 2], [2, 1], None),
    "numbers": (3, 4, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_are_told_by_what_differs(name: str) -> None:
    got, want, because = CONTAINERS[name]
    assert diagnose.containers(got, want) == because


def test_an_activation_after_the_last_layer_is_recognised() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    assert diagnose.activation(logits) is None
    for name, function in (
        ("softmax is applied", lambda x: x.softmax(1)),
        ("log-softmax is applied", lambda x: x.log_softmax(1)),
        ("a ReLU comes after", torch.relu),
        ("a sigmoid", torch.sigmoid),
    ):
        assert name in str(diagnose.activation(function(logits)))


def test_positive_logits_are_no_relu() -> None:
    assert diagnose.activation(torch.tensor([[3.0, 4.0], [5.0, 7.0]])) is None


def test_a_number_for_a_row_is_not_called_an_axis_of_examples() -> None:
    assert diagnose.shapes(torch.tensor(0.5), torch.rand(10)) is None


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("mat1 and mat2 shapes cannot be multiplied (1x4 and 784x1024)", "rows of 784 features, and gets 1 of 4"),
        ("Expected more than 1 value per channel when training, got input size [1, 4]", "model.eval()"),
        ("element 0 of tensors does not require grad and does not have a grad_fn", "does the network stay frozen"),
        (
            "a single image has no batch axis before it gets one, by unsqueeze(0): mat1 and mat2 shapes cannot be "
            "multiplied (16x16 and 256x120)",
            "1×28×28 becomes 1×1×28×28",
        ),
        ("[Errno 2] No such file or directory: '/tmp/work/ab/best.pt'", "no epoch has been saved"),
        ("running_mean should contain 4 elements not 8", "takes 8 features, and gets 4: is the batch's axis missing?"),
        ("Expected all tensors to be on the same device, but found cuda:0 and cpu!", "belongs on one device"),
        ("'Axes' object has no attribute 'flat'", "squeeze=False keeps it"),
        ("'Axes' object is not subscriptable", "squeeze=False keeps it"),
        ("Boolean value of Tensor with more than one value is ambiguous", "compare or sort by a single number"),
        ("'MSELoss' object has no attribute 'backward'", "criterion = nn.MSELoss(), then criterion(outputs, labels)"),
        ("cannot assign parameters before Module.__init__() call", "super().__init__() comes first"),
        ("Only Tensors of floating point and complex dtype can require gradients", "of a float"),
        ("mean(): could not infer output dtype. Input dtype must be floating point. Got: Long", ".float()"),
        ("grad can be implicitly created only for scalar outputs", "a single number, such as a loss"),
        ("EOF when reading a line", "nobody answers input() here"),
        ("pytest: reading from stdin while output is captured! Consider using `-s`.", "nobody answers input() here"),
        ("img should be Tensor Image. Got <class 'PIL.Image.Image'>", "ToTensor comes before Normalize"),
        ("[Errno 20] Not a directory: '/tmp/a/.hidden'", "is_dir() is True"),
        ("unsupported operand type(s) for /: 'str' and 'str'", "makes a path of it"),
        (
            "Calculated padded input size per channel: (1 x 1). Kernel size: (3 x 3). "
            "Kernel size can't be greater than actual input size",
            "is padding missing?",
        ),
        (
            'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "weight". \n\t'
            'Unexpected key(s) in state_dict: "model". ',
            "save state_dict() itself",
        ),
        ("shape '[-1, 784]' is invalid for input of size 4", "need not have 784 numbers an example"),
        ("[enforce fail at inline_container.cc:672] . unexpected pos 14911744 vs 14911696", "little room for files"),
        ("[Errno 28] No space left on device", "keep the weights of one epoch"),
        ("'Tanh' object has no attribute 'in_features'", "Tanh is no Linear"),
        ("'numpy.ndarray' object has no attribute 'double'", "torch.as_tensor makes a tensor of it"),
        ("'int' object has no attribute 'sort'", "squeeze() and tolist() make a number"),
        ("The size of tensor a (3) must match the size of tensor b (6) at non-singleton dimension 3", "has 3 rows"),
        (
            "Expected parameter concentration of distribution Dirichlet(concentration: torch.Size([2])) to satisfy the "
            "constraint IndependentConstraint(GreaterThan(lower_bound=0.0), 1)",
            "0 is a case of its own",
        ),
    ],
)
def test_torchs_own_messages_are_explained(text: str, means: str) -> None:
    assert means in str(meanings.meaning(text))
    assert meanings.meaning("list index out of range") is None


@pytest.mark.parametrize("text", ["tuple index out of range", "not enough values to unpack (expected 4, got 2)"])
def test_a_shape_has_fewer_numbers_where_the_line_asks_for_them(text: str) -> None:
    assert "fewer axes" in str(meanings.meaning(text, "  a.py:3\n      n, c, h, w = images.shape"))
    assert meanings.meaning(text, "  a.py:3\n      first, second = parts") is None


def test_a_missing_axis_of_the_examples_is_told_from_any_other_of_size_1() -> None:
    assert "flatten() of all axes" in str(diagnose.axes((7,), (1, 7)))
    assert "flatten()" not in str(diagnose.axes((3, 7), (3, 1, 7))) and diagnose.axes((3, 7), (2, 7)) is None


@pytest.mark.parametrize(
    ("code", "is_loss"),
    [
        ("loss = nn.MSELoss(model(x), y)", True),
        ("return CrossEntropyLoss(logits, labels)", True),
        ("loss = nn.MSELoss()(model(x), y) if x else 0", False),
        ("loss = nn.MSELoss(reduction='sum')(model(x), y)", False),
        ("best = sorted(weighed)", False),
    ],
)
def test_a_loss_that_is_made_of_tensors_is_told_from_a_comparison_of_them(code: str, is_loss: bool) -> None:
    """The class says the same as `if` does, since its first parameters are switches."""
    means = meanings.meaning("Boolean value of Tensor with more than one value is ambiguous", f"  a.py:3\n      {code}")
    assert ("make the loss first" in str(means)) is is_loss and ("sort by a single number" in str(means)) is not is_loss


def test_torch_says_so_where_a_loss_is_made_of_tensors() -> None:
    outputs = torch.zeros(2, 1)
    with pytest.raises(RuntimeError) as raised:
        torch.nn.MSELoss(outputs, outputs)
    assert "make the loss first" in str(meanings.meaning(str(raised.value), "nn.MSELoss(outputs, outputs)"))


def test_of_two_things_a_sum_is_told_before_an_estimate() -> None:
    assert "a sum in place of a mean" in (diagnose.factor_name(2.0, {"points": 2}) or "")
    assert "a mean in place of a sum" in (diagnose.factor_name(0.5, {"points": 2}) or "")
    assert "unbiased" in (diagnose.factor_name(1.5, {"points": 3}) or "")


def test_a_file_of_the_students_own_is_no_checkpoint_of_the_checks() -> None:
    assert meanings.meaning("[Errno 2] No such file or directory: '/home/ana/week5/best.pt'") is None
