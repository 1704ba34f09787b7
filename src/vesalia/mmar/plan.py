"""Plans: what a config says, checked, typed and frozen. Training and inference see these, never JSON."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, CustomCodeRefused, Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.places import Places
from vesalia.registry.byoc import custom_code
from vesalia.registry.catalog import CATALOG
from vesalia.registry.kinds import shown
from vesalia.registry.registry import Target, find, find_path

__all__ = ["ComponentPlan", "EvaluatePlan", "PipelinePlan", "TrainPlan", "ValidatePlan", "components_of"]

_ARRAYS = (list, tuple)


@dataclass(frozen=True, slots=True)
class ComponentPlan:
    """One component of a config.

    Attributes:
        slot: What it is, a key of :data:`vesalia.registry.catalog.CATALOG`.
        name: Class name.
        handle: What ``ref`` calls it.
        target: Where its class is.
        args: The arguments the config gives, typed; lists are tuples.
        where: Key path in the config, such as ``train.pre_transforms[3]``.
        file: The config as the user knows it.
        defaults: The constructor's defaults that are plain values.
        by_path: Whether the config names a library's class by ``path`` beside ``args``, and this is what makes it.
    """

    slot: str
    name: str
    handle: str
    target: Target
    args: Mapping[str, Any]
    where: str
    file: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    by_path: bool = False

    def argument(self, name: str, default: Any = None) -> Any:
        """What the constructor will get for ``name``: the config's value, the constructor's default, or ``default``."""
        return self.args[name] if name in self.args else self.defaults.get(name, default)

    def to_dict(self) -> dict[str, Any]:
        """The component as JSON data, for the card beside the weights.

        Defaults are written out, so that weights outlive a change of a default.
        """
        return {
            "slot": self.slot,
            "name": self.name,
            "handle": self.handle,
            "origin": self.target.origin,
            "path": self.target.path,
            "args": {**self.defaults, **self.args},
        }

    @staticmethod
    def from_dict(
        data: Mapping[str, Any],
        *,
        archive: ArchiveFolder | None = None,
        allow_custom_code: bool = False,
        file: str = "",
    ) -> ComponentPlan:
        """The component that :meth:`to_dict` wrote.

        The class is looked up afresh among what ships, what plug-ins add and what the archive brings: a card from a
        stranger cannot name any other code.

        Args:
            data: The JSON data.
            archive: The archive whose ``custom`` folder may hold the class.
            allow_custom_code: Whether the user allowed that.
            file: The file the data came from, for messages.

        Raises:
            ConfigError: The data is not a component, or its class is not known.
            CustomCodeRefused: The class is the archive's own and that was not allowed.
        """
        fields = ("slot", "name", "handle", "origin", "path")
        for name in fields:
            if not isinstance(data.get(name), str):
                raise _card_error(file, name, shown(data.get(name)), "text, as it was written with the weights")
        if data["slot"] not in CATALOG or not isinstance(data.get("args"), dict):
            raise _card_error(file, "slot", shown(data["slot"]), f"one of {', '.join(CATALOG)}, with an object args")
        target = _target_of(data, archive, file, allow_custom_code=allow_custom_code)
        args = {name: _frozen(value) for name, value in data["args"].items()}
        return ComponentPlan(data["slot"], data["name"], data["handle"], target, args, data["slot"], file)


def _card_error(file: str, key: str, found: str, expected: str) -> ConfigError:
    return ConfigError(faults=[Fault(file, key, found, expected, "the file anew, by training again")])


def _target_of(data: Mapping[str, Any], archive: ArchiveFolder | None, file: str, *, allow_custom_code: bool) -> Target:
    if data["origin"] == "builtin":
        target = find_path(data["slot"], data["path"])
    elif data["origin"] == "plugin":
        target = find(data["slot"], data["name"])
    else:
        located = custom_code(data["path"], archive.custom) if archive else None
        target = located if isinstance(located, Target) else None
    if target is None or target.path != data["path"]:
        expected = "a component that ships, that a plug-in adds, or that lies in the archive's custom folder"
        raise _card_error(file, "path", shown(data["path"]), expected)
    if target.origin == "custom" and not allow_custom_code:
        write = "--allow-custom-code if you trust this archive"
        fault = Fault(file, "path", f"code of the archive ({target.path})", "leave to run it", write)
        raise CustomCodeRefused(faults=[fault])
    return target


def _frozen(value: Any) -> Any:
    return tuple(_frozen(member) for member in value) if isinstance(value, _ARRAYS) else value


PipelinePlan = ComponentPlan
"""An image pipeline; ``data_list_file_path`` and ``data_file_base_dir`` in its arguments are absolute."""


@dataclass(frozen=True, slots=True)
class ValidatePlan:
    """The ``validate`` section."""

    pre_transforms: tuple[ComponentPlan, ...]
    image_pipeline: PipelinePlan
    inferer: ComponentPlan
    metrics: tuple[ComponentPlan, ...]

    @property
    def key_metric(self) -> ComponentPlan | None:
        """The metric that chooses the best model: the flagged one, else the first."""
        flagged = [metric for metric in self.metrics if metric.argument("is_key_metric")]
        return next(iter((*flagged, *self.metrics)), None)


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """A training config, checked.

    Attributes:
        archive: The archive.
        config_file: The config (absolute).
        variables: Every variable after precedence; known paths are absolute.
        epochs: Passes over the pipeline's items.
        valid_every: Validate after every so many epochs, counted from 1.
        learning_rate: Initial learning rate.
        use_amp: Mixed precision; None where the config does not say.
        multi_gpu: Whether several processes share the work.
        determinism: Seeds by name where the config has the section.
        stop_threshold: Stop when the key metric reaches it.
        summary_interval: Steps between training records; 0 for once an epoch.
        checkpoint_dir: Where weights and records go (``MMAR_CKPT_DIR``).
        checkpoint: Weights to start from (``MMAR_CKPT``), a prefix of file names.
        loss: The loss.
        model: The network.
        optimizer: The optimizer.
        lr_policy: The learning-rate policy; None for a constant rate.
        aux_ops: Auxiliary operations.
        handlers: Handlers.
        pre_transforms: What happens to an item, in order.
        batch_transforms: What happens to a batch, in order.
        image_pipeline: How items become batches.
        validate: The validation, if there is one.
        raw: The config as JSON data with variables and overrides in place.
        warnings: What is odd and can be lived with.
        places: The user's key paths, where the config is a translation.
        batches_per_update: Batches whose gradients one update of the weights takes together.
        largest_gradient_norm: The norm to which larger gradients are scaled down; None for no limit.
        ema_decay: Share of a moving average of the weights that an update keeps; None for no average.
        stop_patience: Stop after so many validations without a gain; None for never.
        frozen_parameters: Patterns of the names of parameters that are not trained.
        trackers: What records the course besides ``history.jsonl``.
        seconds_between_states: Time between states that are saved inside an epoch; None for half a minute, or longer
            where saving takes long.
        kept_states: States that are kept, the newest included.
        sync_batch_norm: Whether batch normalisation takes its statistics from the batches of all processes.
    """

    archive: ArchiveFolder
    config_file: Path
    variables: Mapping[str, Any]
    epochs: int
    valid_every: int
    learning_rate: float
    use_amp: bool | None
    multi_gpu: bool
    determinism: Mapping[str, int] | None
    stop_threshold: float | None
    summary_interval: int
    checkpoint_dir: Path
    checkpoint: Path | None
    loss: ComponentPlan
    model: ComponentPlan
    optimizer: ComponentPlan
    lr_policy: ComponentPlan | None
    aux_ops: tuple[ComponentPlan, ...]
    handlers: tuple[ComponentPlan, ...]
    pre_transforms: tuple[ComponentPlan, ...]
    batch_transforms: tuple[ComponentPlan, ...]
    image_pipeline: PipelinePlan
    validate: ValidatePlan | None
    raw: Mapping[str, Any]
    warnings: tuple[Fault, ...]
    places: Places = field(default_factory=Places)
    batches_per_update: int = 1
    largest_gradient_norm: float | None = None
    ema_decay: float | None = None
    stop_patience: int | None = None
    frozen_parameters: tuple[str, ...] = ()
    trackers: tuple[str, ...] = ("tensorboard",)
    seconds_between_states: float | None = None
    kept_states: int = 2
    sync_batch_norm: bool = False


@dataclass(frozen=True, slots=True)
class EvaluatePlan:
    """An evaluation config, checked.

    Attributes:
        archive: The archive.
        config_file: The config (absolute).
        variables: Every variable after precedence; known paths are absolute.
        data_list_file: The data list (``DATASET_JSON``).
        data_root: What its paths are relative to (``DATA_ROOT``).
        data_list_key: The list in it (``DATA_LIST_KEY``).
        batch_size: The config's ``batch_size``.
        use_amp: Mixed precision; None where the config does not say.
        inferer: How an image goes through the network.
        model_loader: How weights are found; None for the best model of the archive.
        pre_transforms: What happens to the image.
        post_transforms: What happens to the prediction.
        label_transforms: What happens to the label.
        val_metrics: How the prediction is judged.
        writers: How the prediction is written.
        do_validation: Whether to judge.
        output_infer_result: Whether to write.
        output_dir: Where reports and predictions go (``MMAR_EVAL_OUTPUT_PATH``).
        checkpoint_dir: Where weights are (``MMAR_CKPT_DIR``).
        raw: The config as JSON data with variables and overrides in place.
        warnings: What is odd and can be lived with.
        places: The user's key paths, where the config is a translation.
    """

    archive: ArchiveFolder
    config_file: Path
    variables: Mapping[str, Any]
    data_list_file: Path
    data_root: Path
    data_list_key: str
    batch_size: int
    use_amp: bool | None
    inferer: ComponentPlan
    model_loader: ComponentPlan | None
    pre_transforms: tuple[ComponentPlan, ...]
    post_transforms: tuple[ComponentPlan, ...]
    label_transforms: tuple[ComponentPlan, ...]
    val_metrics: tuple[ComponentPlan, ...]
    writers: tuple[ComponentPlan, ...]
    do_validation: bool
    output_infer_result: bool
    output_dir: Path
    checkpoint_dir: Path
    raw: Mapping[str, Any]
    warnings: tuple[Fault, ...]
    places: Places = field(default_factory=Places)


def components_of(plan: TrainPlan | ValidatePlan | EvaluatePlan) -> tuple[ComponentPlan, ...]:
    """Every component of a plan, in the order of its fields."""
    found: list[ComponentPlan] = []
    for part in (getattr(plan, entry.name) for entry in fields(plan)):
        if isinstance(part, ValidatePlan):
            found += components_of(part)
        members = part if isinstance(part, tuple) else (part,)
        found += [member for member in members if isinstance(member, ComponentPlan)]
    return tuple({component.where: component for component in found}.values())
