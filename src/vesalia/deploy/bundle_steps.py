"""Steps of an evaluation config in MONAI's own transforms, so that a bundle needs no Vesalia where it runs.

Where MONAI's transform of a like name does something else (its spacings, its nearest neighbours, its order of repeated
channels), the step is an expression in MONAI's configs, made of numbers from the plan alone.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from vesalia.errors import ConfigError

__all__ = ["PREDICTION", "Node", "monai_post", "monai_pre"]

Node = dict[str, Any]
PREDICTION: Final = "pred"
"""What MONAI calls the field that we call ``model``."""
_FIELD: Final = "model"


def monai_pre(steps: Sequence[Mapping[str, Any]], *, is_label: bool) -> list[Node]:
    """The pre-transforms, for :func:`monai_post` to be undone.

    Args:
        steps: Names and arguments.
        is_label: How the prediction goes back to the file's grid: by the nearest voxel, or linearly.

    Raises:
        ConfigError: A step has no counterpart; all of them are named.
    """
    made: list[Node] = []
    faults = []
    for index, step in enumerate(steps):
        maker = _PRE.get(step["name"])
        nodes = None if maker is None else maker({**step["args"], "nearest": is_label})
        if nodes is None:
            faults.append(_fault(f"pre_transforms[{index}]", step["name"], _PRE))
        made += nodes or []
    if faults:
        raise ConfigError("\n".join(faults))
    return made


def monai_post(steps: Sequence[Mapping[str, Any]], writers: Sequence[Mapping[str, Any]]) -> tuple[list[Node], bool]:
    """The post-transforms, the way back to the file's grid, and the writers.

    Args:
        steps: Names and arguments.
        writers: The same of the writers.

    Returns:
        The transforms, and whether the way back takes the nearest voxel.

    Raises:
        ConfigError: A step has no counterpart; all of them are named.
    """
    made: list[Node] = []
    faults = []
    written = {writer["args"].get("field") for writer in writers} - {_FIELD}
    nearest: bool | None = None
    for index, step in enumerate(steps):
        name, args = step["name"], step["args"]
        if name == "RestoreOriginalShape" and nearest is None:
            nearest = bool(args["is_label"])
            made.append(_way_back(nearest=nearest))
        elif name == "SplitBasedOnLabel" and not written & set(args["label_names"]):
            continue  # masks for metrics
        elif name in _POST:
            made += _POST[name](args)
        else:
            faults.append(_fault(f"post_transforms[{index}]", name, [*_POST, "RestoreOriginalShape"]))
    faults += [_fault("writers", writer["name"], ["WriteNifti"]) for writer in writers if _is_foreign(writer)]
    if faults or len(writers) != 1:
        raise ConfigError("\n".join(faults or [_fault("writers", f"{len(writers)} of them", ["one WriteNifti"])]))
    args = writers[0]["args"]
    if nearest is None:
        nearest = not args["dtype"].startswith("float")
        made.append(_way_back(nearest=nearest))
    return [*made, _saving(args["dtype"])], nearest


def _fault(where: str, found: str, known: Any) -> str:
    expected = ", ".join(known)
    return f"--to bundle: {where}: found {found}, expected one of {expected} in such a place; write --to torchscript"


def _is_foreign(writer: Mapping[str, Any]) -> bool:
    return bool(writer["name"] != "WriteNifti" or writer["args"]["field"] != _FIELD)


def _way_back(*, nearest: bool) -> Node:
    return {
        "_target_": "Invertd",
        "keys": PREDICTION,
        "transform": "@preprocessing",
        "orig_keys": "image",
        "nearest_interp": nearest,
        "to_tensor": True,
    }


def _saving(dtype: str) -> Node:
    return {
        "_target_": "SaveImaged",
        "keys": PREDICTION,
        "output_dir": "@output_dir",
        "output_postfix": _FIELD,
        "output_dtype": f"$numpy.{dtype}",
        "resample": False,
    }


# --------------------------------------------------------------------------------------------------- before the network


def _images(args: Mapping[str, Any]) -> bool:
    """Whether a step is about the image alone."""
    return args["fields"] in ("image", ["image"], ("image",))


def _load(args: Mapping[str, Any]) -> list[Node] | None:
    if not _images(args) or args["shape"] is not None:
        return None
    made: list[Node] = [
        {"_target_": "LoadImaged", "keys": "image", "reader": "NibabelReader", "ensure_channel_first": True}
    ]
    if args["as_closest_canonical"]:
        made.append({"_target_": "Orientationd", "keys": "image", "axcodes": "RAS", "labels": None})
    return made


def _nothing(_: Mapping[str, Any]) -> list[Node]:
    return []


def _changed(function: str, *, inverse: str | None = None) -> Node:
    """A change of the image; MONAI's Lambdad forgets its inverse, its Lambda does not."""
    made: Node = {"_target_": "Lambda", "func": _on_the_image(function)}
    return made if inverse is None else {**made, "inv_func": _on_the_image(inverse)}


def _on_the_image(function: str) -> str:
    return f"$lambda d: {{**d, 'image': (lambda x: {function})(d['image'])}}"


def _repeat(args: Mapping[str, Any]) -> list[Node] | None:
    return [_changed(f"x.repeat({int(args['repeat_times'])}, *[1] * (x.ndim - 1))")] if _images(args) else None


def _resized(size: str, args: Mapping[str, Any]) -> list[Node] | None:
    """Divided into ``size`` voxels, and back; MONAI's record of the way there is taken off for the way back."""
    if not _images(args) or args.get("is_label"):
        return None
    linear = "mode='trilinear' if x.ndim == 4 else 'bilinear', align_corners=False"
    back = "mode='nearest-exact', align_corners=None" if args["nearest"] else linear
    resize = "monai.transforms.Resize"
    original = f"{resize}(x.applied_operations.pop()['orig_size'], {back})(x)"
    return [_changed(f"{resize}({size}, {linear})(x)", inverse=f"[y := {original}, y.applied_operations.pop()][0]")]


def _sizes(factors: str) -> str:
    """An expression for the shape times factors, halves up; ``x`` is the image."""
    return f"[max(1, math.floor(round(s * f, 3) + 0.5)) for s, f in zip(x.shape[1:], {factors})]"


def _to_spacing(args: Mapping[str, Any]) -> list[Node] | None:
    wanted = [float(each) for each in args.get("target_resolution") or args["target_spacing"]]
    targets = f"({wanted} * 3 if len({wanted}) == 1 else {wanted})"
    now = "numpy.linalg.norm(x.affine.numpy()[:3, :3], axis=0)"
    return _resized(_sizes(f"[float(n) / t for n, t in zip({now}, {targets})]"), args)


def _by_factor(args: Mapping[str, Any]) -> list[Node] | None:
    given = args["factor"]
    factors = [float(each) for each in (given if isinstance(given, list | tuple) else [given])]
    return _resized(_sizes(f"({factors} * 3 if len({factors}) == 1 else {factors})"), args)


def _to_shape(args: Mapping[str, Any]) -> list[Node] | None:
    return _resized(str([int(size) for size in args["target_shape"]]), args)


def _range(args: Mapping[str, Any]) -> list[Node] | None:
    if not _images(args) or args["dtype"] != "float32":
        return None
    upper = args["a_max"] if args["a_offset"] is None else args["a_min"] + args["a_offset"]
    low, high = float(args["b_min"]), float(args["b_max"])
    scaling = {"a_min": args["a_min"], "a_max": upper, "b_min": low, "b_max": high, "clip": args["clip"] and low < high}
    return [{"_target_": "ScaleIntensityRanged", "keys": "image", **scaling}]


def _normalise(args: Mapping[str, Any]) -> list[Node] | None:
    made = {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True, "channel_wise": True}
    return [made] if _images(args) else None


def _centre(args: Mapping[str, Any]) -> list[Node] | None:
    given = [args["subtrahend"], args["divisor"]]
    if not _images(args) or (None in given and given != [None, None]):
        return None
    if None in given:
        return [{"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True}]
    first, second = (_column(each) for each in given)
    return [_changed(f"(x - {first}) / {second}")]


def _column(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return repr(float(value))
    return f"torch.tensor({[float(each) for each in value]}).view(-1, *[1] * (x.ndim - 1))"


def _pad(args: Mapping[str, Any]) -> list[Node] | None:
    return [{"_target_": "DivisiblePadd", "keys": "image", "k": args["div_int"]}] if _images(args) else None


def _middle(args: Mapping[str, Any]) -> list[Node] | None:
    size = [int(each) for each in args["size"]]
    padded = {"_target_": "SpatialPadd", "keys": "image", "spatial_size": size}
    return [padded, {"_target_": "CenterSpatialCropd", "keys": "image", "roi_size": size}] if _images(args) else None


_PRE: Final[Mapping[str, Callable[[Mapping[str, Any]], list[Node] | None]]] = {
    "CenterData": _centre,
    "ConvertToChannelsFirst": _nothing,
    "CropSubVolumeCenter": _middle,
    "LoadNifti": _load,
    "NormalizeNonzeroIntensities": _normalise,
    "RepeatChannel": _repeat,
    "ScaleByFactor": _by_factor,
    "ScaleByResolution": _to_spacing,
    "ScaleBySpacing": _to_spacing,
    "ScaleIntensityRange": _range,
    "ScaleToShape": _to_shape,
    "SymmetricPadderDiv": _pad,
}


# ---------------------------------------------------------------------------------------------------- after the network


def _argmax(_: Mapping[str, Any]) -> list[Node]:
    return [{"_target_": "AsDiscreted", "keys": PREDICTION, "argmax": True}]


def _threshold(args: Mapping[str, Any]) -> list[Node]:
    function = f"$lambda x: (x > {float(args['threshold'])!r}).to(torch.uint8)"
    return [{"_target_": "Lambdad", "keys": PREDICTION, "func": function}]


def _largest(args: Mapping[str, Any]) -> list[Node]:
    made: Node = {"_target_": "KeepLargestConnectedComponentd", "keys": PREDICTION, "is_onehot": False}
    return [made if args["applied_labels"] is None else {**made, "applied_labels": list(args["applied_labels"])}]


_POST: Final[Mapping[str, Callable[[Mapping[str, Any]], list[Node]]]] = {
    "ArgmaxAcrossChannels": _argmax,
    "CopyProperties": _nothing,
    "KeepLargestCC": _largest,
    "ThresholdValues": _threshold,
}
