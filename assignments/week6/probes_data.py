"""What week 6's public checks ask of `data.py`: each probe calls it and returns plain data."""

import tempfile
from pathlib import Path

from torch.utils.data import Dataset

STALE = {"train/old/gone.jpg": "stale", "test/notes.txt": "stale", "train/002.b/9.jpg": "stale"}
OTHER = {"readme.txt": "mine", "results/run1/log.txt": "mine"}


def write(folder, files):
    """Text files by their paths, written in the order given."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def listing(folder):
    """Every file below a folder, with its text."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def split_folder(student, images, inside, as_text, times, **options):
    """The student's split of `images` ({path: text}), what it returned, and the files before and afterwards.

    With `inside` the images lie in the output folder itself, else beside it.
    """
    with tempfile.TemporaryDirectory() as folder:
        out_dir = Path(folder) / "out"
        images_dir = (out_dir if inside else Path(folder)) / "images"
        write(images_dir, images)
        write(out_dir, {**STALE, **OTHER})
        source, out = (str(images_dir), str(out_dir)) if as_text else (images_dir, out_dir)
        results, trees = [], []
        for _ in range(times):
            results.append(student.data.split_image_folder(source, out, **options))
            trees.append({path: text for path, text in listing(out_dir).items() if not path.startswith("images/")})
        return {"results": results, "trees": trees, "images": listing(images_dir)}


class Images(Dataset):
    """Pairs (image, label)."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        if not 0 <= index < len(self.images):
            raise IndexError(index)
        return self.images[index], 7


def channel_stats(student, images):
    return student.data.channel_stats(Images(images))


def format_labels(student, labels):
    return [student.data.format_label(label) for label in labels]


def normalized(student, image):
    """The student's result, and the image that was given afterwards."""
    given = image.clone()
    return {"result": student.data.normalize_image(given), "given": given}
