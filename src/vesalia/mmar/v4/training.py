"""A v4 training config as one in v3's form."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vesalia.mmar.v4.data import CountItems, translate_data
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.handlers import read_handlers
from vesalia.mmar.v4.judging import Judging, read_metrics, read_post
from vesalia.mmar.v4.networks import (
    Network,
    activation_of,
    network_of,
    translate_loss,
    translate_model,
    translate_optimizer,
    translate_schedule,
)
from vesalia.mmar.v4.part import Part, read_part, read_parts
from vesalia.mmar.v4.recognise import SECTION_NAMES
from vesalia.mmar.v4.steps import Chain, canonical, put_places, translate_steps
from vesalia.mmar.v4.translation import Translation, check_keys, engine, translate_inferer

__all__ = ["translate_training"]


def translate_training(
    config: Mapping[str, Any], file: str, *, values: Mapping[str, Any], count: CountItems
) -> Translation:
    """Translate.

    Args:
        config: The config with variables in place.
        file: Its name, for messages.
        values: Every variable, by name.
        count: Counts the items of a data list.
    """
    done = Translation(Draft(file))
    train = _section(config, "train", done.draft)
    validate = _section(config, "validate", done.draft)
    work = _Work(done, train or {}, validate, values, count)
    if train is not None:
        done.config["train"] = work.train()
        if validate is not None:
            done.config["validate"] = work.validate(validate)
    if config.get("determinism") is not None:
        done.config["determinism"] = config["determinism"]
    return done


def _section(config: Mapping[str, Any], name: str, draft: Draft) -> Mapping[str, Any] | None:
    section = config.get(name)
    if section is None:
        return None
    if not isinstance(section, Mapping):
        draft.fault(name, found="no object", expected=f"the section {name}", write=f'"{name}": {{ ... }}')
        return None
    check_keys(section, f"{name}.", known=SECTION_NAMES, draft=draft)
    return section


class _Work:
    """The parts of one training config, in the order in which they need each other."""

    def __init__(
        self,
        done: Translation,
        train: Mapping[str, Any],
        validate: Mapping[str, Any] | None,
        values: Mapping[str, Any],
        count: CountItems,
    ) -> None:
        self.done, self.draft, self.section = done, done.draft, train
        self.values, self.count = values, count
        self.parts = read_parts(train.get("pre_transforms"), "train.pre_transforms", draft=self.draft)
        self.post = read_parts(train.get("post_transforms"), "train.post_transforms", draft=self.draft)
        self.loss = self._only("loss")
        self.model = self._only("model")
        self.network: Network = network_of(self.model)
        self.judging = self._judging(validate)
        self.activation = self._activation()

    def _only(self, name: str, *, required: bool = True) -> Part | None:
        found = read_part(self.section.get(name), f"train.{name}", draft=self.draft)
        if found is None and name not in self.section and required and self.section:
            write = f'"{name}": {{"name": "...", "args": {{}}}}'
            self.draft.fault(f"train.{name}", found="nothing", expected=f"the part {name}", write=write)
        return found

    def _judging(self, validate: Mapping[str, Any] | None) -> Judging:
        """What validation does with logits; what training does, where there is no validation."""
        nodes = (validate or {}).get("post_transforms")
        if nodes is None:
            return read_post(self.post, self.draft)
        return read_post(read_parts(nodes, "validate.post_transforms", draft=self.draft, others=self.post), self.draft)

    def _activation(self) -> str:
        """The loss's own activation where it has one, since it is what trains; else the post-transforms'."""
        wanted, judged = activation_of(self.loss), self.judging.activation
        if wanted and judged and wanted != judged and self.loss is not None:
            became = f"{wanted} as the model's last activation; the post-transforms' {judged} is left out"
            self.draft.note(self.loss.said, became)
        return wanted or judged or ("sigmoid" if self.network.classes == 1 else "softmax")

    def train(self) -> dict[str, Any]:
        """The section ``train``."""
        handled = read_handlers(self.section.get("handlers"), "train.handlers", draft=self.draft, loads=True)
        trainer = engine(self._only("trainer", required=False), "trainer", draft=self.draft)
        optimizer = self._only("optimizer", required=False)
        self._settings(trainer, optimizer, interval=handled.interval)
        if handled.checkpoint is None:
            self.done.unset.add("MMAR_CKPT")
        else:
            self.done.set("MMAR_CKPT", handled.checkpoint[0], key=handled.checkpoint[1])
        chain = translate_steps(self.parts, self.draft)
        made: dict[str, Any] = {
            "pre_transforms": put_places(chain.steps, "train.pre_transforms", draft=self.draft),
            "batch_transforms": put_places(chain.batch_steps[:1], "train.batch_transforms", draft=self.draft),
            "image_pipeline": self._data(self.section, "train", chain),
        }
        self._without_effect()
        if self.loss:
            made["loss"] = translate_loss(self.loss, draft=self.draft)
        if self.model:
            made["model"] = translate_model(self.model, self.activation, draft=self.draft)
        if optimizer:
            made["optimizer"] = translate_optimizer(optimizer, draft=self.draft)
        schedule = self._only("lr_scheduler", required=False)
        epochs = self.done.settings["epochs"][0] if "epochs" in self.done.settings else 1
        policy = schedule and translate_schedule(schedule, draft=self.draft, epochs=epochs, by_step=handled.by_step)
        return {**made, "lr_policy": policy} if policy else made

    def _data(self, section: Mapping[str, Any], where: str, chain: Chain) -> dict[str, Any]:
        return translate_data(section, where, draft=self.draft, network=self.network, crop=chain.crop, count=self.count)

    def _settings(
        self, trainer: Mapping[str, Any], optimizer: Part | None, *, interval: tuple[Any, str] | None
    ) -> None:
        def among(args: Mapping[str, Any], name: str, where: str) -> tuple[Any, str] | None:
            return (args[name], f"{where}.args.{name}") if name in args else None

        rate = among(optimizer.args, "lr", optimizer.where) if optimizer else None
        self.done.first("epochs", self.values, top="epochs", other=among(trainer, "max_epochs", "train.trainer"))
        self.done.first("learning_rate", self.values, top="learning_rate", other=rate)
        self.done.first("use_tf32", self.values, top="tf32")
        self.done.first("num_training_epoch_per_valid", self.values, top="num_interval_per_valid", other=interval)
        self.done.set("use_amp", value=False, key="amp")
        self.done.first("use_amp", self.values, top="amp", other=among(trainer, "amp", "train.trainer"))

    def _without_effect(self) -> None:
        inferer = read_part(self.section.get("inferer"), "train.inferer", draft=self.draft)
        if inferer is not None:
            self.draft.note(inferer.said, "nothing (a training step is one pass)")
        for name in ("key_metric", "metrics", "additional_metrics"):
            if self.section.get(name):
                self.draft.note(f"train.{name}", "nothing (training reports its loss; validation has the metrics)")

    def validate(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """The section ``validate``."""
        read_handlers(section.get("handlers"), "validate.handlers", draft=self.draft)
        evaluator = read_part(section.get("evaluator"), "validate.evaluator", draft=self.draft)
        engine(evaluator, "evaluator", draft=self.draft)
        own = read_parts(section.get("pre_transforms"), "validate.pre_transforms", draft=self.draft, others=self.parts)
        chain = translate_steps(own, self.draft)
        inferer = read_part(section.get("inferer"), "validate.inferer", draft=self.draft)
        return {
            "pre_transforms": put_places(chain.steps, "validate.pre_transforms", draft=self.draft),
            "image_pipeline": self._data(section, "validate", chain),
            "inferer": translate_inferer(inferer, "validate.inferer", draft=self.draft, dims=self.network.dims),
            "metrics": read_metrics(
                section,
                "validate.",
                draft=self.draft,
                judging=self.judging,
                multilabel=self._is_multilabel(),
                slot="validate.metrics",
            ),
        }

    def _is_multilabel(self) -> bool:
        """Whether the label has a channel per class: made so by a transform, or because the loss makes none."""
        if any(canonical(part.name).startswith("ConvertToMultiChannel") for part in self.parts):
            return True
        makes = self.loss is not None and self.loss.args.get("to_onehot_y") is True
        return self.activation == "sigmoid" and (self.network.classes or 1) > 1 and not makes
