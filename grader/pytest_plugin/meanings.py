"""Says what the message of an exception means, to those who read it for the first time."""

from __future__ import annotations

import re

from grader.inside import says

# A class of losses whose instance is made of tensors: their names are what a beginner hands over.
_LOSS = re.compile(r"\b(?P<loss>[A-Z]\w*Loss)\((?!\)|\w+=)")
_UNCALLED = says("make the loss first, then call it: criterion = nn.{loss}(), then criterion(outputs, labels)")
# What torch's own messages mean, for those who read them for the first time.
_MEANINGS = (
    (r"mat1 and mat2.*a single image has no batch axis|a single image has no batch axis.*mat1 and mat2",
     says("give it one axis more in front: 1×28×28 becomes 1×1×28×28")),
    (r"mat1 and mat2 shapes cannot be multiplied \((?P<count>\d+)x(?P<size>\d+) and (?P<wanted>\d+)x\d+\)",
     says("the layer takes rows of {wanted} features, and gets {count} of {size}: flatten each "
          "image by itself, or mend the layer's size")),
    (r"shape '\[-1, (?P<size>\d+)\]' is invalid for input of size",
     says("the input need not have {size} numbers an example: flatten(start_dim=1) takes any")),
    (r"Expected more than 1 value per channel when training",
     says("the model is in training mode: call model.eval() first")),
    (r"running_mean should contain (?P<got>\d+) elements not (?P<wanted>\d+)",
     says("the layer takes {wanted} features, and gets {got}: is the batch's axis missing?")),
    (r"No such file or directory: '(?:/tmp/[^']*/)?best\.pt'", says("no epoch has been saved to `checkpoint` by then")),
    (r"inline_container\S* ?\S* unexpected pos|No space left on device|File too large",
     says("there is little room for files where you are graded: keep the weights of one epoch, and not of each")),
    (r"must be Tensor, not tuple",
     says("where a network returns a tuple, (logits, hidden), the logits are its first part")),
    (r"not implemented for '(?P<dtype>Long|Int)'",
     says("{dtype} is the dtype of labels: a criterion takes (logits, labels), in this order")),
    (r"NVIDIA driver|not compiled with CUDA|[Rr]e-initialize CUDA|No CUDA GPUs|CUDA driver",
     says("write .to(device) in place of .cuda() or 'cuda': where you are graded there may be no GPU")),
    (r"does not require grad and does not have a grad_fn",
     says("nothing that this is computed from requires grad: does the network stay frozen (requires_grad_(False)), "
          "or does detach() or torch.no_grad() cut it off?")),
    (r"Can't call numpy\(\) on Tensor that requires grad",
     says("detach() it first, or evaluate under torch.no_grad()")),
    (r"backward through the graph a second time", says("a loss is kept from an earlier batch, or backward runs twice")),
    (r"modified by an inplace operation",
     says("a method whose name ends in _, or +=, changes what the gradient needs")),
    (r"img should be Tensor Image|pic should be PIL|should be a torch tensor", says("ToTensor comes before Normalize")),
    (r"stack expects each tensor to be equal size", says("torch.cat joins batches, of any sizes")),
    (r"Boolean value of Tensor with more than one value",
     says("a comparison of tensors has many answers where one is needed: compare or sort by a single number")),
    (r"'(?P<loss>\w+Loss)' object has no attribute '(backward|item|detach)'", _UNCALLED),
    (r"cannot assign \w+ before Module.__init__\(\) call", says("super().__init__() comes first in __init__")),
    (r"Only Tensors of floating point and complex dtype can require gradients",
     says("whole numbers have no gradient: make the tensor of a float")),
    (r"mean\(\): (could not infer output dtype|input dtype should be)",
     says("whole numbers have no mean: make them floats first, by .float()")),
    (r"grad can be implicitly created only for scalar outputs",
     says("backward() begins at a single number, such as a loss")),
    (r"EOF when reading a line|reading from stdin while output is captured",
     says("nobody answers input() here: compute with what the function is given")),
    (r"Expected all tensors to be on the same device",
     says("what meets in one operation, as a network and its inputs do, or logits and labels, belongs on one device: "
          "move it by .to(device)")),
    (r"expected [34]D .*input \(got (?P<axes>\d)D input\)",
     says("a layer got {axes} axes: is the batch's axis missing? unsqueeze(0) adds it")),
    (r"expected np\.ndarray \(got Tensor\)",
     says("torch.from_numpy takes arrays alone: torch.as_tensor takes tensors, too")),
    (r"Weights only load failed", says("a whole model or another object was saved: save its state_dict()")),
    (r"'Axes' object (is not (iterable|subscriptable)|has no attribute '(flat|flatten|ravel|shape)')",
     says("plt.subplots gives no 2-dimensional array for one row or one column: squeeze=False keeps it")),
    (r"The size of tensor a \((?P<one>\d+)\) must match the size of tensor b \((?P<other>\d+)\) "
     r"at non-singleton dimension 1",
     says("one has {one} channels or features, and the other {other}")),
    (r"The size of tensor a \((?P<one>\d+)\) must match the size of tensor b \((?P<other>\d+)\) "
     r"at non-singleton dimension [23]",
     says("one map has {one} rows or columns, and the other {other}: is there a stride or padding on one way alone?")),
    (r"concentration.*GreaterThan", says("this distribution is for numbers above 0: 0 is a case of its own")),
    (r"'NoneType' object has no attribute 'step'",
     says("a scheduler may be None: step it only where there is one")),
    (r"expected scalar type (\w+) but found (\w+)", says("the two tensors differ in dtype: convert one")),
    (r"a leaf Variable that requires grad is being used in an in-place",
     says("change parameters under torch.no_grad()")),
    (r"Not a directory", says("a file stands among the folders: take those entries alone of which is_dir() is True")),
    (r"unsupported operand type\(s\) for /: 'str' and 'str'", says("text has no /: Path(…) makes a path of it")),
    (r"Kernel size can't be greater than actual input size",
     says("the maps have become smaller than the filter: is padding missing?")),
    (r"Error\(s\) in loading state_dict [^$]*Missing key\(s\)[^$]*Unexpected key\(s\)",
     says("what is loaded has other names than the network: save state_dict() itself, and nothing around it")),
    (r"'(?P<kind>\w+)' object has no attribute 'in_features'",
     says("{kind} is no Linear: the last layer of a Sequential is [-1]")),
    (r"'numpy.ndarray' object has no attribute",
     says("an array of NumPy's came: torch.as_tensor makes a tensor of it, and takes tensors, too")),
    (r"'(int|float)' object has no attribute '(sort|append|extend)'",
     says("a number stands where a list should: of one value alone squeeze() and tolist() make a number")),
)  # fmt: skip
_FEW_AXES = says("a shape has one number for each axis, and this tensor has fewer axes")


def meaning(text: str, code: str = "") -> str | None:
    """Say what a message means, or None; `code` is what the student's lines were that led to it."""
    if "Boolean value of Tensor" in text and (found := _LOSS.search(code)):
        return _UNCALLED.format(loss=found["loss"])
    if re.search(r"tuple index out of range|not enough values to unpack", text) and re.search(
        r"\.(shape|size)\b", code
    ):
        return _FEW_AXES
    for pattern, means in _MEANINGS:
        if found := re.search(pattern, text):
            return means.format(**found.groupdict())
    return None
