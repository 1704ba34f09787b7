"""What a plan does with data: which lists it reads, and what it asks of their files."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vesalia.errors import UserError
from vesalia.imaging.geometry import Grid
from vesalia.inference.assemble import weights_prefix
from vesalia.inference.card import read_card
from vesalia.inference.sizes import resampled_shape
from vesalia.mmar.batch_shape import channels_through
from vesalia.mmar.build import Builder
from vesalia.mmar.channel_rules import wanted_label_channels
from vesalia.mmar.label_rules import is_classification
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan, TrainPlan
from vesalia.pipelines.label_vectors import LABEL_FORMAT
from vesalia.registry.kinds import coerce

__all__ = ["DataUse", "uses_of"]

_PICTURE_LOADERS = {"LoadPng", "LoadJpg"}
_CHANGE_LABELS = {
    "ConvertToMultiChannelBasedOnLabel",
    "ConvertToMultiChannelBasedOnBratsClasses",
    "SplitBasedOnBratsClasses",
    "ThresholdValues",
    "AsDiscreted",
    "ConvertToMultiChannelBasedOnBratsClassesd",
    "LabelToMaskd",
    "MapLabelValued",
    "ThresholdIntensityd",
}


@dataclass(frozen=True, slots=True)
class DataUse:
    """One list of subjects as a plan uses it.

    Attributes:
        file: The data list.
        base: The folder that its paths are relative to.
        key: The list in it.
        where: What of the config uses it, such as ``train.image_pipeline``.
        config: The config as the user knows it.
        transforms: What happens to each subject.
        needs_label: Whether a subject without a label cannot be used.
        num_classes: Classes that label values must lie within; None where the plan does not say.
        image_channels: Channels that files of images must have; None where the plan does not say.
        label_channels: Channels that labels are declared to have.
        pipeline: The image pipeline, in training.
        has_label_channels: Whether labels have a channel per class, however many these are.
        label_format: Channels per number of a label vector, in a classification; None where labels are files.
        labels_by: Channels that files of labels must have, and the key paths of those who read them so; empty where
            nobody says.
    """

    file: Path
    base: Path
    key: str
    where: str
    config: str
    transforms: tuple[ComponentPlan, ...]
    needs_label: bool
    num_classes: int | None
    image_channels: int | None
    label_channels: int = 1
    pipeline: ComponentPlan | None = None
    has_label_channels: bool = False
    label_format: tuple[int, ...] | None = None
    labels_by: Mapping[int, str] = field(default_factory=dict)

    @property
    def loads_pictures(self) -> bool:
        """Whether images are read as PNG or JPEG."""
        return any(step.name in _PICTURE_LOADERS for step in self.transforms)

    @property
    def loads_nifti(self) -> bool:
        """Whether images are read as NIfTI; other loaders are not looked into."""
        return any(step.name == "LoadNifti" for step in self.transforms)

    def resampled(self, grid: Grid) -> tuple[int, ...]:
        """The shape of an image on ``grid`` once it was resampled, as far as the transforms tell."""
        return resampled_shape(self.transforms, grid)


def uses_of(plan: TrainPlan | EvaluatePlan) -> tuple[DataUse, ...]:
    """The lists of subjects that a plan reads."""
    if isinstance(plan, EvaluatePlan):
        return (_evaluation(plan),)
    training = _training(plan, plan.image_pipeline, plan.pre_transforms, where="train")
    if plan.validate is None:
        return (training,)
    validate = plan.validate
    return (training, _training(plan, validate.image_pipeline, validate.pre_transforms, where="validate"))


def _training(plan: TrainPlan, pipeline: ComponentPlan, transforms: Sequence[ComponentPlan], *, where: str) -> DataUse:
    classes = plan.model.argument("num_classes")
    channels = int(plan.image_pipeline.argument("output_image_channels", 1))
    chain = (*transforms, *plan.batch_transforms) if where == "train" else tuple(transforms)
    made = channels_through(chain, "image")
    return DataUse(
        file=Path(pipeline.argument("data_list_file_path", "")),
        base=Path(pipeline.argument("data_file_base_dir", "")),
        key=str(pipeline.argument("data_list_key", "")),
        where=f"{where}.image_pipeline",
        config=pipeline.file or plan.config_file.name,
        transforms=tuple(transforms),
        needs_label=True,
        num_classes=int(classes) if classes and not _changes_labels(transforms) else None,
        image_channels=None if made is None else made.stored(channels),
        label_channels=int(plan.image_pipeline.argument("output_label_channels", 1)),
        pipeline=pipeline,
        label_format=pipeline.argument(LABEL_FORMAT),
        labels_by=_labels_by(plan, chain, where),
    )


def _labels_by(plan: TrainPlan, chain: Sequence[ComponentPlan], where: str) -> dict[int, str]:
    """Channels that labels must have as they are stored, and who says so; nobody where transforms make them."""
    made = channels_through(chain, "label")
    if made is None or made.made_by or is_classification(plan.image_pipeline):
        return {}
    metrics = plan.validate.metrics if plan.validate is not None else ()
    found: dict[int, str] = {}
    for reader in (plan.loss, *plan.aux_ops) if where == "train" else metrics:
        wanted = wanted_label_channels(reader, plan.model.argument("num_classes"))
        if wanted is not None:
            found.setdefault(wanted, reader.where)
    return found


def _evaluation(plan: EvaluatePlan) -> DataUse:
    label_transforms = plan.label_transforms if plan.do_validation else ()
    return DataUse(
        file=plan.data_list_file,
        base=plan.data_root,
        key=plan.data_list_key,
        where="DATA_LIST_KEY",
        config=plan.config_file.name,
        transforms=(*plan.pre_transforms, *label_transforms),
        needs_label=plan.do_validation,
        num_classes=None,
        image_channels=None,
        has_label_channels=any(metric.argument("is_one_hot_targets") is True for metric in plan.val_metrics),
        label_format=_trained_format(plan) if plan.do_validation else None,
    )


def _trained_format(plan: EvaluatePlan) -> tuple[int, ...] | None:
    """The label format that the weights were trained with; None where there are none yet, or no label vectors."""
    if plan.model_loader is not None and plan.model_loader.target.origin != "builtin":
        return None
    try:
        config = read_card(weights_prefix(plan, Builder(plan.archive))).get("config", {})
    except UserError:
        return None  # an evaluation tells what is wrong with its weights
    for key in ("train", "image_pipeline", "args", LABEL_FORMAT):
        config = config.get(key) if isinstance(config, Mapping) else None
    widths = coerce(config, "Widths")
    return tuple(widths) if isinstance(widths, list | tuple) else None


def _changes_labels(transforms: Sequence[ComponentPlan]) -> bool:
    """Whether one of the transforms makes other channels or labels of a file's, or is not ours to know."""
    return any(
        _called(step) in _CHANGE_LABELS or step.target.origin != "builtin" or step.argument("keep_classes") is False
        for step in transforms
    )


def _called(step: ComponentPlan) -> str:
    """A transform's name; MONAI's own is called by MONAI's."""
    return str(step.argument("path", "")).rpartition(".")[2] if step.name == "MonaiTransform" else step.name
