"""Week 6's public checks of `data.py`, tasks 6.1 to 6.4: 13 of 60 points."""

import math
import re

import torch
from hypothesis import given
from hypothesis import strategies as st

from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)
seeds = st.integers(0, 2**31 - 1)


def generator(seed):
    return torch.Generator().manual_seed(seed)


# 6.1: the split into folders


def images_for(gen, counts):
    """{path: text} of images in classes of these sizes, written in an order that is not the sorted one.

    Their names, and so what is in the files, are drawn.
    """
    files = {}
    for number, count in enumerate(counts, 1):
        series = int(torch.randint(10**6, (1,), generator=gen))
        names = [f"{index}-{series}.jpg" for index in torch.randperm(count, generator=gen).tolist()]
        if names == sorted(names) or names == sorted(names, reverse=True):
            names = names[1:] + names[:1]
        files |= {f"{number:03}.{'cba'[number % 3]}/{name}": f"{number} {name}" for name in names}
    return files


def wanted_tree(images, ratio):
    """The output's files and the totals."""
    tree, totals = {}, {"train": 0, "test": 0}
    for folder in sorted({path.split("/")[0] for path in images}):
        names = sorted(path for path in images if path.startswith(folder + "/"))
        for place, path in enumerate(names):
            part = "train" if place < int(len(names) * ratio) else "test"
            tree[f"{part}/{path}"] = images[path]
            totals[part] += 1
    return tree, [totals["train"], totals["test"]]


def other_split(found, images, ratio):
    """What rule has made these paths, where it is one that students think of."""
    folders = {}
    for path in images:
        folders.setdefault(path.split("/")[0], []).append(path.split("/")[1])

    def paths(order, cut):
        tree = set()
        for folder, names in folders.items():
            names = order(names)
            tree |= {
                f"{'train' if place < cut(len(names)) else 'test'}/{folder}/{name}" for place, name in enumerate(names)
            }
        return tree

    by_text, cut = sorted, lambda count: int(count * ratio)
    rules = {
        "the file names of a class are not sorted as text, by which '10' comes before '9'": paths(
            lambda names: sorted(names, key=lambda n: (len(n), n)), cut
        ),
        "the last names are taken for training, and not the first": paths(
            lambda names: sorted(names, reverse=True), cut
        ),
        "a class's share is rounded, where int(n * ratio) cuts it": paths(by_text, lambda count: round(count * ratio)),
        "a class's share is rounded up, where int(n * ratio) cuts it": paths(
            by_text, lambda count: math.ceil(count * ratio)
        ),
        "the ratio that is given is ignored": paths(by_text, lambda count: int(count * 0.8)),
        "the ratio is 0.9, and 0.8 by default": paths(by_text, lambda count: int(count * 0.9)),
    }
    everything = sorted(images)
    whole = {f"{'train' if n < int(len(everything) * ratio) else 'test'}/{path}" for n, path in enumerate(everything)}
    rules["the share is taken of all images together, and not of each class"] = whole
    wanted = paths(by_text, cut)
    named = [name for name, tree in rules.items() if found == tree != wanted]
    if named or found == wanted:
        return next(iter(named), None)
    if found and not {path.rpartition("/")[2] for path in found} & {path.rpartition("/")[2] for path in images}:
        return "the copies have other names than the images"
    if all(path.count("/") == 1 for path in found):
        return "the class folders are missing: out_dir/train/CLASS/NAME"
    if wanted < found:
        return "training images are in the test as well"
    sizes = [
        sum(path.startswith(f"{part}/") for path in tree) for tree in (found, wanted) for part in ("train", "test")
    ]
    unsorted = "the parts have the right sizes, but the file names of a class are not sorted as text"
    return unsorted if sizes[:2] == sizes[2:] else None


def trees_of(got, times):
    """What a run left in the output folder, each {path: text}."""
    trees = expect.items(expect.field(got, "trees"), times, "the output folders")
    for tree in trees:
        expect.instance(tree, dict, "the output folder")
        for part in (*tree, *tree.values()):
            expect.instance(part, str, "a file in the output folder")
    return trees


def only(tree, *parts):
    return {path: text for path, text in tree.items() if path.split("/")[0] in parts}


@task("6.1", points=2, title="each class's first images in sorted order are copied for training, the rest for the test",
      hint="Sort the names; int(n * ratio) of each class, not of all.")  # fmt: skip
def test_split_folder(student, rng):
    images = images_for(rng, (12, 7, 10))
    for ratio, options in ((0.8, {}), (0.5, {"train_ratio": 0.5})):
        got = student.run(probes.split_folder, images, False, True, 1, **options)
        tree, totals = wanted_tree(images, ratio)
        found = only(trees_of(got, 1)[0], "train", "test")
        strangers = {path: text for path, text in found.items() if text == "stale"}
        found = {path: text for path, text in found.items() if path not in strangers}
        asked = f"with train_ratio={ratio}" if options else "where no train_ratio is given (0.8)"
        because = other_split(set(found), images, ratio)
        expect.equal(sorted(found), sorted(tree), f"the files in train and test {asked}", because=because)
        expect.true(
            found == tree, "a file's content is not that of the image of its name: copy the files (shutil.copy)"
        )
        result = expect.items(expect.items(expect.field(got, "results"), 1, "the results")[0], 2, "(n_train, n_test)")
        for value, want in zip(result, totals, strict=True):
            swapped = {"of the other part: the order is (n_train, n_test)": sum(totals) - want}
            expect.integer(value, want, "a total that is returned, (n_train, n_test)", context=swapped)


@task("6.1", points=2, title="leftovers of an earlier run go, everything else stays",
      hint="Which folders does a run own, and which not? Files beside the class folders are no images.")  # fmt: skip
def test_split_folder_leftovers(student, rng):
    images = images_for(rng, (5, 6))
    strays = {"checksums.txt": "not an image", ".hidden": "not an image"}
    for inside in (False, True):
        got = student.run(probes.split_folder, {**images, **strays}, inside, False, 1)
        tree = trees_of(got, 1)[0]
        left = [path for path, text in tree.items() if text == "stale"]
        stale = "files of an earlier run are still there: remove out_dir/train and out_dir/test first"
        expect.true(not left, stale, expected="none", got=", ".join(left))
        kept = only(tree, "readme.txt", "results")
        what = "what else was in out_dir, and is to stay (remove train and test alone)"
        expect.equal(kept, probes.OTHER, what)
        expect.equal(
            sorted(only(tree, "train", "test")), sorted(wanted_tree(images, 0.8)[0]), "the files in train and test"
        )


@task("6.1", points=1, title="the images are copied, and a second run gives the same",
      hint="Copy, never move; and run it twice yourself.")  # fmt: skip
def test_split_folder_again(student, rng):
    images = images_for(rng, (6, 9))
    got = student.run(probes.split_folder, images, True, False, 2)
    expect.equal(expect.field(got, "images"), images, "the images folder afterwards (copy the images, never move them)")
    first, second = trees_of(got, 2)
    expect.equal(second, first, "the output of the second run")
    expect.true(bool(only(first, "train")) and bool(only(first, "test")), "nothing was copied")


# 6.2: channel statistics


def channels(student, count, seed):
    """What channel_stats makes of images of several sizes, and the images."""
    gen = generator(seed)
    images = []
    for _ in range(count):
        height, width = torch.randint(4, 12, (2,), generator=gen).tolist()
        images.append(torch.rand(3, height, width, generator=gen) * torch.rand(3, 1, 1, generator=gen))
    result = expect.items(student.run(probes.channel_stats, images), 2, "what channel_stats returns")
    return result, images


def pixels_of(images, channel):
    """The pixels of each image in one channel."""
    return [image[channel].flatten().tolist() for image in images]


def deviations_of(images):
    """The images' own deviations, averaged by channel: of populations, and of samples."""
    biased, unbiased = [], []
    for pixels in (pixels_of(images, channel) for channel in range(3)):
        centres = [sum(p) / len(p) for p in pixels]
        squares = [sum((v - c) ** 2 for v in p) for p, c in zip(pixels, centres, strict=True)]
        biased.append(sum(math.sqrt(s / len(p)) for s, p in zip(squares, pixels, strict=True)) / len(images))
        unbiased.append(sum(math.sqrt(s / (len(p) - 1)) for s, p in zip(squares, pixels, strict=True)) / len(images))
    return torch.tensor(biased), torch.tensor(unbiased)


@task("6.2", points=1, title="channel_stats averages the images' own means", examples=8,
      hint="Each image counts the same, whatever its size; one number a channel.")  # fmt: skip
@given(count=st.integers(2, 5), seed=seeds)
def test_channel_means(student, count, seed):
    (mean, _), images = channels(student, count, seed)
    means = [sum(sum(p) / len(p) for p in pixels_of(images, channel)) / count for channel in range(3)]
    single = type(mean) is torch.Tensor and mean.numel() == 1
    expect.true(not single, "the means are one number for all channels: take one for each channel, mean(dim=(1, 2))")
    biased, unbiased = deviations_of(images)
    expect.close(mean, torch.tensor(means), "the means", atol=1e-4, context={
        "of all pixels pooled: average the images' own means": slips_of(images, 0)["mean"],
        "of the last image alone: add up over the images": images[-1].flatten(1).mean(1),
        "of the first image alone: add up over the images": images[0].flatten(1).mean(1),
        "of the deviations: the order is (means, deviations)": biased,
        "of the deviations; the order is (means, deviations)": unbiased,
    })  # fmt: skip


@task("6.2", points=2, title="channel_stats averages the images' own deviations", examples=8,
      hint="Each image has a deviation of its own, around its own mean; average these.")  # fmt: skip
@given(count=st.integers(2, 5), seed=seeds)
def test_channel_deviations(student, count, seed):
    (_, std), images = channels(student, count, seed)
    std = expect.tensor(std, "the deviations", shape=(3,))
    biased, unbiased = deviations_of(images)
    slips = [slips_of(images, correction) for correction in (0, 1)]
    if not expect.same_values(std.double(), unbiased.double(), atol=1e-4):
        names = {
            "deviation": "of all pixels pooled: average the images' own deviations",
            "variance": "of the mean of variances: average the deviations",
            "root": "of the root of the mean variance: average the deviations themselves",
        }
        context = {
            name + ending: slip[key]
            for slip, ending in zip(slips, ("", " "), strict=True)
            for key, name in names.items()
        }
        expect.close(std, biased, "the deviations", atol=1e-4, context=context)


def slips_of(images, correction):
    """What other averages than the lesson's give, by channel."""
    pixels = torch.cat([image.flatten(1) for image in images], dim=1)
    variances = torch.stack([image.flatten(1).var(1, correction=correction) for image in images]).mean(0)
    deviation = pixels.std(1, correction=correction)
    return {"mean": pixels.mean(1), "deviation": deviation, "variance": variances, "root": variances.sqrt()}


# 6.3 and 6.4


@task("6.3", points=2, title="format_label drops the number and joins the capitalised words",
      hint="Split at the dot, then at the underscores.")  # fmt: skip
def test_format_label(student, rng):
    drawn = [[word(rng) for _ in range(count)] for count in (2, 3, 4)]
    cases = {
        "001.Black_footed_Albatross": "BlackFootedAlbatross",
        "036.Northern_Flicker": "NorthernFlicker",
        "200.Common_Yellowthroat": "CommonYellowthroat",
        "012.yellow_headed_blackbird": "YellowHeadedBlackbird",
        "7.Ovenbird": "Ovenbird",
        **{f"{number}.{'_'.join(words)}": "".join(map(capital, words)) for number, words in enumerate(drawn, 98)},
    }
    got = expect.items(student.run(probes.format_labels, list(cases)), len(cases), "the labels")
    for value, (label, want) in zip(got, cases.items(), strict=True):
        expect.equal(value, want, f"format_label({label!r})", because=other_label(value, label))


def word(gen):
    """Three to eight small letters."""
    count = int(torch.randint(3, 9, (1,), generator=gen))
    return "".join(chr(97 + letter) for letter in torch.randint(26, (count,), generator=gen).tolist())


def other_label(value, label):
    """What rule has made this text of a label, where it is one that students think of."""
    if type(value) is not str:
        return None
    number, _, words = label.partition(".")
    rules = {
        "the number is not dropped": [label, label.replace("_", ""), number + "".join(map(capital, words.split("_")))],
        "the words are not capitalised": [words.replace("_", "")],
        "the first word alone is capitalised, and all others are not": [words.replace("_", "").capitalize()],
        "four characters are cut off: numbers have any length": ["".join(map(capital, label[4:].split("_")))],
    }
    between = joint(value, [capital(word) for word in words.split("_")])
    if between is not None:
        return f"the words are joined by {between!r}: join them by nothing"
    found = next((name for name, texts in rules.items() if value in texts), None)
    return found or ("the number is not dropped" if value.startswith(number) else None)


def joint(value, parts):
    """What stands between the parts of a text, where it is the same everywhere."""
    first, *others = map(re.escape, parts)
    found = re.fullmatch(f"{first}(?P<joint>.+){'(?P=joint)'.join(others)}", value) if others else None
    return found and found["joint"]


def capital(word):
    return word[:1].upper() + word[1:]


@task("6.4", points=1, title="normalize_image gives a float32 image, as it is given",
      hint="A network of float32 takes no float64.")  # fmt: skip
def test_normalize_dtype(student, rng):
    image = torch.randn(3, 4, 5, generator=rng)
    got = student.run(probes.normalized, image)
    result = expect.tensor(expect.field(got, "result"), "the rescaled image", shape=(3, 4, 5), dtype=torch.float32)
    same = result[0, 0, 0].item() + 0.0  # no -0
    flat = f"every pixel of the rescaled image is {same:g}, though the given ones differ: (image − min) / (max − min)"
    expect.true(bool((result != same).any()), flat)
    alike = torch.corrcoef(torch.stack([image.flatten(), result.flatten()]).double())[0, 1].item()
    expect.true(alike > 0.6, "normalize_image gives another image: its bright places are not those of the given one")


@task("6.4", points=1, title="normalize_image rescales to [0, 1] and leaves the image alone", examples=10,
      hint="The whole image's least value becomes 0, its greatest 1; names that end in _ work in place.")  # fmt: skip
@given(channels=st.sampled_from([1, 3]), height=st.integers(2, 6), scale=st.sampled_from([1.0, 5.0, 100.0]), seed=seeds)
def test_normalize_image(student, channels, height, scale, seed):
    image = torch.randn(channels, height, 5, generator=generator(seed)) * scale - scale / 3
    got = student.run(probes.normalized, image)
    low, high = min(image.flatten().tolist()), max(image.flatten().tolist())
    want = torch.tensor([(value - low) / (high - low) for value in image.flatten().tolist()]).view(image.shape)
    judge_given(got, image)
    slips = {
        "of dividing by the maximum: subtract the minimum, and divide by maximum − minimum": image / high,
        "of each channel rescaled by itself: take the whole image's minimum and maximum": by_channel(image),
        "of clamping: rescale instead": image.clamp(0, 1),
        "of an epsilon that is too large: it must not show in the ends": (image - low) / (high - low + 0.01),
        "0 everywhere": torch.zeros_like(image),
    }
    cure = "subtract the image's minimum, and divide by maximum − minimum"
    expect.close(expect.field(got, "result"), want, "the rescaled image", atol=2e-4, context=slips, otherwise=cure)


def judge_given(got, image):
    """The function works on an image of its own."""
    given_image = expect.tensor(expect.field(got, "given"), "the image that was given", shape=image.shape)
    kept = torch.equal(given_image, image)
    expect.true(
        kept, "the image that was given has changed: work on a copy, not in place (no method whose name ends in _)"
    )


def by_channel(image):
    low, high = image.amin((1, 2), keepdim=True), image.amax((1, 2), keepdim=True)
    return (image - low) / (high - low)


@task("6.4", points=1, title="normalize_image copes with a constant image", hint="What is divided by what, here?")
def test_normalize_constant(student, rng):
    for value in (0.0, 3.0, -2.0):
        image = torch.full((3, 4, 4), value)
        got = student.run(probes.normalized, image)
        result = expect.field(got, "result")
        broken = type(result) is torch.Tensor and not bool(torch.isfinite(result).all())
        expect.true(
            not broken, "a constant image gives NaN or infinity: its maximum − minimum is 0, do not divide by it"
        )
        expect.tensor(result, "the rescaled image", shape=(3, 4, 4))
        inside = bool((result >= 0).all()) and bool((result <= 1).all())
        expect.true(inside, "a constant image leaves [0, 1]", expected="values in [0, 1]", got=result)
        judge_given(got, image)
    want = (torch.rand(1, 4, 5, generator=rng) < 0.5).float()  # not every image is taken for a constant one
    want[0, 0, :2] = torch.tensor([0.0, 1.0])
    got = student.run(probes.normalized, want * 3)
    expect.close(expect.field(got, "result"), want, "the rescaled image of two values", atol=2e-4)
