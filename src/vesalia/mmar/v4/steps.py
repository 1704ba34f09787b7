"""A chain of MONAI's dictionary transforms as one of ours: the same thing where we have it, MONAI's own where not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.library import known_names
from vesalia.mmar.v4.part import Part
from vesalia.registry.kinds import shown

__all__ = ["Chain", "Step", "fields_of", "put_places", "translate_steps"]

_TRANSFORMS = "monai.transforms"
_READERS = (None, "NibabelReader", "ITKReader", "nibabelreader", "itkreader")
_NOT_HERE: Mapping[str, str] = {
    "Lambdad": "a transform of your own in the archive's custom folder",
    "RandLambdad": "a transform of your own in the archive's custom folder",
    "SaveImaged": "it in post_transforms of the config for validation or inference",
    "Invertd": "it in post_transforms of the config for validation or inference",
    "TorchVisiond": "one of MONAI's own transforms",
    "RandTorchVisiond": "one of MONAI's own transforms",
}
_NOTHING: Mapping[str, str] = {
    "ToTensord": "nothing (data are tensors here)",
    "ToDeviced": "nothing (the trainer places tensors)",
    "EnsureTyped": "nothing (data are tensors here)",
    "CastToTyped": "nothing (images are float32, labels whole numbers)",
    "DeleteItemsd": "nothing (no key is in the way)",
    "SelectItemsd": "nothing (no key is in the way)",
    "DataStatsd": "nothing (vesalia check looks at the data)",
    "FgBgToIndicesd": "nothing (the crop looks for its centres itself)",
    "Identityd": "nothing",
}
_BATCHES = frozenset(
    {"RandCropByLabelClassesd", "RandCropByPosNegLabeld", "RandSpatialCropSamplesd", "RandWeightedCropd"}
)
"""Transforms that make several samples of one."""
_OLD_NAMES: Mapping[str, str] = {
    "LoadNiftid": "LoadImaged",
    "AsChannelFirstd": "EnsureChannelFirstd",
    "AddChanneld": "EnsureChannelFirstd",
    "SplitChanneld": "SplitDimd",
}
"""Names that MONAI has given up since v4."""


@dataclass(frozen=True, slots=True)
class Step:
    """A transform of ours.

    Attributes:
        name: Its name.
        args: Its arguments.
        where: What it comes from in the user's config.
        names: The user's names of arguments that have another one here.
        path: Where its class is in the archive's own code.
    """

    name: str
    args: Mapping[str, Any]
    where: str
    names: Mapping[str, str] = field(default_factory=dict)
    path: str = ""

    def node(self) -> dict[str, Any]:
        """The step as a config writes it."""
        return {"path" if self.path else "name": self.path or self.name, "args": dict(self.args)}


@dataclass(slots=True)
class Chain:
    """A chain in the making.

    Attributes:
        draft: Where faults and notes go.
        steps: The chain.
        batch_steps: What an assembled batch goes through.
        crop: The size of the last crop or padding; None where there is none of one size.
    """

    draft: Draft
    steps: list[Step] = field(default_factory=list)
    batch_steps: list[Step] = field(default_factory=list)
    crop: Any = None

    def add(self, part: Part, name: str, *, args: Mapping[str, Any], **names: str) -> None:
        """Add a transform of ours for one of MONAI's; ``names`` are MONAI's for arguments of ours."""
        self.steps.append(Step(name, args, part.where, {"fields": "keys", **names}))
        self.draft.note(part.said, name)

    def merge(self, part: Part) -> None:
        """Have the crops of several subjects make one batch, as MONAI's collation of lists does."""
        step = Step("MergeBatchDims", {"fields": fields_of(part)}, part.at("num_samples"))
        self.batch_steps.append(step)
        self.draft.note(part.at("num_samples"), "MergeBatchDims in batch_transforms")


def fields_of(part: Part) -> list[str]:
    """The keys that a transform lists."""
    keys = part.args.get("keys", [])
    return [keys] if isinstance(keys, str) else [key for key in keys if isinstance(key, str)]


def canonical(name: str) -> str:
    """The name of a dictionary transform with the ending ``d``, and as MONAI has it today."""
    for ending in ("Dict", "D"):
        name = f"{name.removesuffix(ending)}d" if name.endswith(ending) and len(name) > len(ending) else name
    return _OLD_NAMES.get(name, name)


def put_places(steps: Sequence[Step], slot: str, *, draft: Draft) -> list[dict[str, Any]]:
    """The steps as a config writes them in ``slot``; their key paths lead to the user's."""
    for index, step in enumerate(steps):
        key = f"{slot}[{index}]"
        draft.places.put(key, step.where)
        for ours, theirs in step.names.items():
            draft.places.put(f"{key}.args.{ours}", f"{step.where}.args.{theirs}" if theirs else f"{step.where}.name")
        draft.places.put(f"{key}.args.arguments", f"{step.where}.args")
    return [step.node() for step in steps]


def translate_steps(parts: Sequence[Part], draft: Draft) -> Chain:
    """The chain that does what MONAI's transforms do."""
    chain = Chain(draft)
    for part in parts:
        name = canonical(part.name)
        if part.is_custom:
            chain.steps.append(Step(part.name, part.args, part.where, path=part.path))
        elif name in _NOTHING:
            draft.note(part.said, _NOTHING[name])
        elif name in _NOT_HERE:
            expected = f"a transform that runs here ({part.name} does not)"
            draft.fault(f"{part.where}.name", found=shown(part.name), expected=expected, write=_NOT_HERE[name])
        elif not fields_of(part):
            write = '"keys": ["image", "label"]'
            draft.fault(part.at("keys"), found=shown(part.args.get("keys")), expected="names of fields", write=write)
        elif name not in _SAME or not _SAME[name](part, chain):
            _keep(name, part, chain)
    return chain


def _keep(name: str, part: Part, chain: Chain) -> None:
    """MONAI's transform as it is."""
    known = [each for each in known_names(_TRANSFORMS) if each.endswith("d")]
    if name not in known:
        what = "a dictionary transform of MONAI (its name ends in d)"
        chain.draft.unknown(f"{part.where}.name", part.name, known=known, what=what)
        return
    path = f"{_TRANSFORMS}.{name}"
    arguments = {key: value for key, value in part.args.items() if key not in {"fg_indices_key", "bg_indices_key"}}
    chain.steps.append(Step("MonaiTransform", {"path": path, "arguments": arguments}, part.where, {"path": ""}))
    chain.draft.note(part.said, f"MonaiTransform ({path})")
    size = part.args.get("spatial_size", part.args.get("roi_size"))
    chain.crop = size if size is not None else chain.crop
    if name in _BATCHES:
        chain.merge(part)


def _only(part: Part, *names: str) -> bool:
    """Whether a transform has no arguments but these."""
    return set(part.args) <= {"keys", "allow_missing_keys", "lazy", *names}


def _load(part: Part, chain: Chain) -> bool:
    if part.args.get("reader") not in _READERS:
        expected = "NibabelReader, ITKReader or nothing (NIfTI is read)"
        chain.draft.fault(part.at("reader"), found=shown(part.args["reader"]), expected=expected, write="nothing here")
    chain.add(part, "LoadNifti", args={"fields": fields_of(part)})
    if part.args.get("ensure_channel_first") is True:
        step = Step("ConvertToChannelsFirst", {"fields": fields_of(part)}, part.at("ensure_channel_first"))
        chain.steps.append(step)
    return True


def _channels(part: Part, chain: Chain) -> bool:
    chain.add(part, "ConvertToChannelsFirst", args={"fields": fields_of(part)})
    return True


def _orientation(part: Part, chain: Chain) -> bool:
    """RAS right after loading is what the loader can do: the voxels are only turned, either way."""
    before = [step for step in chain.steps if step.name != "ConvertToChannelsFirst"]
    is_first = (
        len(before) == 1 and before[0].name == "LoadNifti" and set(before[0].args["fields"]) == set(fields_of(part))
    )
    if part.args.get("axcodes") != "RAS" or not _only(part, "axcodes") or not is_first:
        return False
    loader = Step("LoadNifti", {**before[0].args, "as_closest_canonical": True}, before[0].where, before[0].names)
    chain.steps[chain.steps.index(before[0])] = loader
    chain.draft.note(part.said, "as_closest_canonical of LoadNifti")
    return True


def _range(part: Part, chain: Chain) -> bool:
    names = ("a_min", "a_max", "b_min", "b_max", "clip")
    if not _only(part, *names) or any(part.args.get(name) is None for name in names[:4]):
        return False
    args = {name: part.args[name] for name in names if name in part.args}
    chain.add(part, "ScaleIntensityRange", args={"fields": fields_of(part), **args})
    return True


def _normalise(part: Part, chain: Chain) -> bool:
    if not _only(part, "nonzero", "channel_wise") or not (part.args.get("nonzero") and part.args.get("channel_wise")):
        return False
    chain.add(part, "NormalizeNonzeroIntensities", args={"fields": fields_of(part)})
    return True


def _pos_neg_crop(part: Part, chain: Chain) -> bool:
    """Ours, but where MONAI also asks the image for the background's centres."""
    size = part.args.get("spatial_size")
    names = ("label_key", "spatial_size", "pos", "neg", "num_samples", "fg_indices_key", "bg_indices_key")
    if (
        not _only(part, *names, "image_threshold")
        or not isinstance(size, list)
        or any(isinstance(edge, int) and edge < 1 for edge in size)
    ):
        return False
    args: dict[str, Any] = {"size": size, "fields": fields_of(part)}
    known = {"label_field": "label_key", "pos": "pos", "neg": "neg", "batch_size": "num_samples"}
    args |= {ours: part.args[theirs] for ours, theirs in known.items() if theirs in part.args}
    chain.add(part, "CropByPosNegRatio", args=args, size="spatial_size", **known)
    chain.crop = size
    chain.merge(part)
    return True


def _axis_flip(part: Part, chain: Chain) -> bool:
    if not _only(part, "prob"):
        return False
    args = {"fields": fields_of(part), "probability": part.args.get("prob", 0.1)}
    chain.add(part, "RandomAxisFlip", args=args, probability="prob")
    return True


def _flip(part: Part, chain: Chain) -> bool:
    """Three flips in a row, one along each axis and as often, are one that throws for every axis."""
    probability = part.args.get("prob", 0.1)
    args = {"path": f"{_TRANSFORMS}.RandFlipd", "arguments": dict(part.args)}
    run = [*chain.steps[-2:], Step("MonaiTransform", args, part.where)]
    alike = [
        step.args["arguments"]
        for step in run
        if step.args.get("path") == args["path"]
        and {**step.args["arguments"], "spatial_axis": None} == {**part.args, "spatial_axis": None}
    ]
    axes = [_single(each.get("spatial_axis")) for each in alike]
    if sorted(axes) != [0, 1, 2]:
        return False
    first = run[0].where
    del chain.steps[-2:]
    values = {"fields": fields_of(part), "probability": probability}
    chain.steps.append(Step("RandomSpatialFlip", values, first, {"fields": "keys", "probability": "prob"}))
    chain.draft.note(part.said, f"RandomSpatialFlip, with the two before it (from {first})")
    return True


def _single(axis: object) -> int:
    """The one axis, or -1."""
    members = axis if isinstance(axis, list) else [axis]
    return members[0] if len(members) == 1 and isinstance(members[0], int) else -1


def _shift(part: Part, chain: Chain) -> bool:
    offsets = part.args.get("offsets")
    if not _only(part, "offsets", "prob") or isinstance(offsets, list):
        return False
    args = {"fields": fields_of(part), "magnitude": offsets, "probability": part.args.get("prob", 0.1)}
    chain.add(part, "ScaleIntensityOscillation", args=args, magnitude="offsets", probability="prob")
    return True


def _brats(part: Part, chain: Chain) -> bool:
    chain.add(part, "ConvertToMultiChannelBasedOnBratsClasses", args={"fields": fields_of(part)})
    return True


_SAME: Mapping[str, Callable[[Part, Chain], bool]] = {
    "LoadImaged": _load,
    "EnsureChannelFirstd": _channels,
    "Orientationd": _orientation,
    "ScaleIntensityRanged": _range,
    "NormalizeIntensityd": _normalise,
    "RandCropByPosNegLabeld": _pos_neg_crop,
    "RandAxisFlipd": _axis_flip,
    "RandFlipd": _flip,
    "RandShiftIntensityd": _shift,
    "ConvertToMultiChannelBasedOnBratsClassesd": _brats,
}
"""MONAI's transforms that one of ours equals, with these arguments or with some; true where it was used."""
