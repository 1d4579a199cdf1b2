"""Week 6, part 1: folders of images, their statistics, and showing them."""

import shutil
from pathlib import Path

import torch
from torch.utils.data import Dataset


def split_image_folder(images_dir: str | Path, out_dir: str | Path, train_ratio: float = 0.8) -> tuple[int, int]:
    """Copy `images_dir/CLASS/*` into `out_dir/train/CLASS` and `out_dir/test/CLASS`; the totals `(n_train, n_test)`.

    Of each class the first `int(n * train_ratio)` names in sorted order are for training. What `train` and `test` held
    before is removed; nothing else in `out_dir` is touched.
    """
    raise NotImplementedError("TODO 6.1: copy each class's images into a training and a test folder")


def channel_stats(dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel, averaged over images: two tensors of 3.

    The dataset has a length and items `(image, label)`, with images 3×H×W of any sizes.
    """
    raise NotImplementedError("TODO 6.2: average the images' own means and deviations")


def format_label(label: str) -> str:
    """'001.Black_footed_Albatross' → 'BlackFootedAlbatross'."""
    raise NotImplementedError("TODO 6.3: drop the number, capitalise each word, join the words")


def normalize_image(image: torch.Tensor) -> torch.Tensor:
    """The image rescaled to [0, 1] by its least and greatest value; the one given stays as it is."""
    raise NotImplementedError("TODO 6.4: rescale a copy to the range from 0 to 1")
