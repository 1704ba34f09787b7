"""From an evaluation's plan to the objects that run it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from vesalia.components.metrics.base import Metric
from vesalia.components.writers.base import Writer
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.inference.checkpoint_names import BEST, checkpoint_prefix
from vesalia.inference.predict import CPU, Predictor
from vesalia.inference.predictions import Predictions
from vesalia.inference.streaming.chain import streamed_chain
from vesalia.inference.streaming.memory import Streamed
from vesalia.inference.streaming.prediction import streams
from vesalia.inference.weights import LoadedModel, load_weights
from vesalia.mmar.build import Builder
from vesalia.mmar.plan import EvaluatePlan
from vesalia.runtime.precision import Autocast
from vesalia.runtime.seeds import generator
from vesalia.transforms.compose import Compose

__all__ = ["Assembly", "InferenceOptions", "assemble", "weights_prefix"]

_SEED = 0
"""Transforms that throw dice are rare here; those that do always fall the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceOptions:
    """How to run a plan; nothing here changes what is computed beyond the number format.

    Attributes:
        device: Where the network runs.
        precision: Context for its number format.
        weights: A checkpoint to use in place of the plan's; a prefix, a folder or a v3 name.
        resume: In inference, leave out subjects whose results are there, made by the same weights and config from the
            same image.
        allow_custom_code: Whether code from the archive's ``custom/`` folder may run.
    """

    device: torch.device = CPU
    precision: Autocast = nullcontext
    weights: Path | None = None
    resume: bool = False
    allow_custom_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The objects of one evaluation or inference.

    Attributes:
        loaded: The model and its card.
        predictor: The model at work.
        pre: What happens to the image.
        post: What happens to the prediction.
        label: What happens to the label.
        metrics: How the prediction is judged; empty where it is not.
        writers: How it is written; empty where it is not.
    """

    loaded: LoadedModel
    predictor: Predictor
    pre: Compose
    post: Compose
    label: Compose
    metrics: tuple[Metric, ...]
    writers: tuple[Writer, ...]

    def through(self, sample: Sample) -> tuple[Sample, Sample]:
        """``sample`` predicted, and after the post-transforms.

        Where the first of these decide the classes, the prediction is decided window by window: then that is what the
        first of the two has, and probabilities are never kept.
        """
        prepared = self.pre(sample, generator(_SEED, "pre", sample.name))
        chain = streamed_chain(self.post.transforms)
        decided = None if chain is None else self.predictor.decided(prepared, chain)
        if chain is None or decided is None:
            predicted = self.predictor(prepared)
            return predicted, self.finished(predicted)
        return decided, Compose(chain.rest)(decided, generator(_SEED, "post", sample.name))

    def streamed(self) -> Streamed | None:
        """How windows are decided as they come; None where probabilities are kept as a whole."""
        chain, predictor = streamed_chain(self.post.transforms), self.predictor
        if chain is None or predictor.network is None or not streams(predictor.inferer):
            return None
        network, inferer = predictor.network, predictor.inferer
        return Streamed.of(network, inferer, chain=chain)

    def predicted(self, sample: Sample) -> Sample:
        """``sample`` with its image prepared and the raw prediction in the field ``model``."""
        return self.predictor(self.pre(sample, generator(_SEED, "pre", sample.name)))

    def finished(self, sample: Sample) -> Sample:
        """A predicted ``sample`` after the post-transforms."""
        return self.post(sample, generator(_SEED, "post", sample.name))

    def labelled(self, sample: Sample) -> Sample:
        """``sample`` with its label prepared."""
        return self.label(sample, generator(_SEED, "label", sample.name))

    def predictions(self, plan: EvaluatePlan) -> Predictions:
        """The predictions on disk that ``plan``, whose objects these are, makes."""
        return Predictions.by(plan, writers=self.writers, weights_sha256=self.loaded.sha256)


def assemble(plan: EvaluatePlan, options: InferenceOptions | None = None) -> Assembly:
    """Build everything that ``plan`` names, and read the weights.

    Raises:
        ConfigError: A component refuses its arguments, or two metrics have one name.
        CheckpointError: The weights are missing, torn or foreign.
    """
    options = options or InferenceOptions()
    builder = Builder(plan.archive)
    inferer = builder.build(plan.inferer)
    chains = [builder.build_all(part) for part in (plan.pre_transforms, plan.post_transforms, plan.label_transforms)]
    metrics = builder.build_all(plan.val_metrics) if plan.do_validation else []
    _require_names_of_their_own(plan, metrics)
    writers = builder.build_all(plan.writers) if plan.output_infer_result else []
    prefix = options.weights or weights_prefix(plan, builder)
    loaded = load_weights(prefix, archive=plan.archive, allow_custom_code=options.allow_custom_code)
    return Assembly(
        loaded=loaded,
        predictor=Predictor.ready(loaded.model, inferer, device=options.device, precision=options.precision),
        pre=Compose(chains[0]),
        post=Compose(chains[1]),
        label=Compose(chains[2] if plan.do_validation else []),
        metrics=tuple(metrics),
        writers=tuple(writers),
    )


def _require_names_of_their_own(plan: EvaluatePlan, metrics: Sequence[Metric]) -> None:
    twice = [name for name, count in Counter(metric.name for metric in metrics).items() if count > 1]
    if twice:
        where = f"{plan.archive.shown(plan.config_file)}: val_metrics"
        message = f"{where}: found the name {twice[0]!r} more than once, expected a name of its own for each metric"
        raise ConfigError(f"{message}; write another args.name, or one of the results would be lost")


def weights_prefix(plan: EvaluatePlan, builder: Builder) -> Path:
    """Where the plan's weights are: where its model loader points, or else the best model of the checkpoint folder."""
    if plan.model_loader is None:
        return plan.checkpoint_dir / BEST
    return checkpoint_prefix(builder.build(plan.model_loader).weights(plan.archive.root))
