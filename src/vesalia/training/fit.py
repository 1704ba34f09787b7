"""From a checked plan to a trained model: build the objects, hand them to the loop, say what came of it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn, optim

from vesalia.components.aux_ops.base import AuxOp
from vesalia.components.losses.base import Loss
from vesalia.components.models.base import Model
from vesalia.components.models.normalization import allow_single_values
from vesalia.errors import Interrupted, ResourceError
from vesalia.inference.card import model_card
from vesalia.inference.checkpoint_names import BEST, FINAL, weights_file
from vesalia.inference.curves import HISTORY_FILE
from vesalia.inference.matching import load_matching
from vesalia.mmar.build import Builder
from vesalia.mmar.label_rules import is_classification
from vesalia.mmar.plan import TrainPlan
from vesalia.pipelines.cached import RunSettings
from vesalia.pipelines.datalist import DataList
from vesalia.pipelines.label_names import class_names, labels_by_value
from vesalia.pipelines.order import WHOLE, Shard, steps_done
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.runtime import machine
from vesalia.runtime.device import choose_device
from vesalia.runtime.files import write_text
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.jsonfile import read_json
from vesalia.runtime.machine import shortage_in_words
from vesalia.runtime.memory import is_out_of_memory
from vesalia.runtime.precision import Precision, choose_precision, wants_amp
from vesalia.runtime.seeds import derive
from vesalia.runtime.together import ALONE, Ranks
from vesalia.training.collaboration import make_fabric
from vesalia.training.determinism import choose_seed, deterministic_algorithms
from vesalia.training.early_stop import EarlyStop
from vesalia.training.frozen import freeze
from vesalia.training.gradients import Gradients
from vesalia.training.keeper import Keeper
from vesalia.training.listener import Audience, Listener, RunStart
from vesalia.training.loop import Trainer
from vesalia.training.manifest import describe_run, note_resumption, write_manifest
from vesalia.training.mlflow_tracker import MlflowTracker
from vesalia.training.result import TrainResult
from vesalia.training.run_folder import Rival, best_sha256, find_rival, lock_run_folder, prepare_run_folder
from vesalia.training.schedule import BudgetSchedule, EpochSchedule, Schedule
from vesalia.training.state import STATE_FILE, Counters, Stateful, load_state, put_state, read_counters
from vesalia.training.tensorboard_tracker import TensorBoardTracker
from vesalia.training.tracking import HistoryFile, Tracker, Tracking
from vesalia.training.trainee import Trainee
from vesalia.training.trial_step import TrialStep
from vesalia.training.validation import Validation, can_be_dealt
from vesalia.training.weight_average import WeightAverage

__all__ = ["TrainOptions", "fit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """How to run a plan; nothing here changes what is trained.

    Attributes:
        resume: Go on from the state in the run folder; start afresh where there is none.
        deadline: Wall-clock time (seconds since 1970) by which the process must be done; None for epochs as configured.
        seed: The run's seed; None takes the config's, or a new one.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        recorded: What the manifest is to hold besides, such as the manifest that is trained again.
        data: What the run says of caches and of items that cannot be used.
    """

    resume: bool = False
    deadline: float | None = None
    seed: int | None = None
    device: str = "auto"
    recorded: Mapping[str, Any] = field(default_factory=dict)
    data: RunSettings = field(default_factory=RunSettings)


def fit(
    plan: TrainPlan,
    options: TrainOptions | None = None,
    *,
    listener: Listener | None = None,
    stop: StopRequest | None = None,
    ranks: Ranks = ALONE,
) -> TrainResult:
    """Train what ``plan`` says.

    Args:
        plan: A checked plan, from :func:`vesalia.mmar.validate.plan_training`.
        options: How to run it.
        listener: Is told of the course.
        stop: Set it to have the run save and stop.
        ranks: The processes that train together; the first one writes files and speaks.

    Raises:
        DataError: An item cannot be read or does not fit.
        Interrupted: A stop was asked for; the state is saved and ``resume`` goes on.
        TrainingError: The loss stopped being a number.
        ResourceError: Disk, memory or time is not enough.
    """
    options = options or TrainOptions()
    resuming, seed, deadline = ranks.share(_beginning(plan, options) if ranks.first else (False, 0, None))
    options = replace(options, deadline=deadline)
    asked = plan.determinism is not None or options.seed is not None
    on_cpu = choose_device(options.device).type == "cpu"  # where every algorithm in use is deterministic as it is
    with deterministic_algorithms(wanted=asked and not on_cpu), contextlib.ExitStack() as closing:
        if ranks.first:
            closing.enter_context(lock_run_folder(plan.checkpoint_dir))
        audience = Audience(listener if listener and ranks.first else Listener())
        closing.callback(audience.closed)
        setup = _Setup(plan, options, seed, audience, StopRequest() if stop is None else stop, closing, ranks)
        setup.session = ranks.share(secrets.token_hex(8))
        return setup.run(setup.trainer(resuming=resuming), resumed=resuming)


def _beginning(plan: TrainPlan, options: TrainOptions) -> tuple[bool, int, float | None]:
    """Whether the run goes on from an earlier one, its seed and its deadline: the same for all ranks."""
    stored = read_counters(plan.checkpoint_dir) if options.resume else None
    seed = stored.seed if stored else choose_seed(options.seed, plan.determinism)
    return stored is not None, seed, options.deadline


@dataclass(slots=True)
class _Setup:
    """The objects of one run, built in the order in which they need each other."""

    plan: TrainPlan
    options: TrainOptions
    seed: int
    audience: Audience
    stop: StopRequest
    closing: contextlib.ExitStack
    ranks: Ranks
    notes: list[str] = field(default_factory=list)
    session: str = ""
    _unheard: list[str] = field(default_factory=list)
    _listed: dict[str, DataList] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def trainer(self, *, resuming: bool) -> Trainer:
        """Everything, ready to run."""
        plan = self.plan
        builder = Builder(plan.archive)
        fabric, precision = self._fabric()
        # On its device before the optimizer sees it: a resumed optimizer's state goes where the weights are.
        model = self._model(builder, precision, resuming=resuming).to(fabric.device)
        optimizer = builder.build(plan.optimizer)(model.parameters(), plan.learning_rate)
        average = None if plan.ema_decay is None else WeightAverage(model, plan.ema_decay)
        parts = _parts(fabric, average)
        counters = self._resumed(model, optimizer, parts) if resuming else Counters(seed=self.seed)
        self._begin_average(average, counters)
        pipeline = self._pipeline(builder, "train", epoch=counters.epoch - 1)
        loss = builder.build(plan.loss)
        aux_ops = builder.build_all(plan.aux_ops)
        counters.step_in_epoch = steps_done(counters.items_in_epoch, pipeline.items, batch_size=pipeline.items_per_step)
        trial = TrialStep(model=model, loss=loss, device=fabric.device, precision=precision)
        self._tell_cache("train", pipeline, trial)
        network, wrapped = fabric.setup(self._trainee(model, fabric), optimizer)
        validation = self._validation(builder, fabric, precision, loss=loss, aux_ops=aux_ops)
        schedule = self._schedule(counters, pipeline.steps_per_epoch)
        keeper = self._keeper(counters, validation, resuming=resuming)
        return Trainer(
            fabric=fabric,
            model=model,
            network=network,
            optimizer=wrapped,
            loss=loss,
            aux_ops=[op for op in aux_ops if not op.per_subject],
            pipeline=pipeline,
            validation=validation,
            learning_rate=plan.learning_rate,
            lr_policy=builder.build(plan.lr_policy) if plan.lr_policy else None,
            schedule=schedule,
            precision=precision,
            keeper=keeper,
            listener=self._audience(counters, _unrecorded(validation, aux_ops), builder.build_all(plan.handlers)),
            counters=counters,
            stop=self.stop,
            early_stop=_early_stop(plan),
            gradients=Gradients(batches_per_update=plan.batches_per_update, largest_norm=plan.largest_gradient_norm),
            average=average,
            parts=parts,
            ranks=self.ranks,
            epoch_over=self._hear_of_others,
        )

    def _trainee(self, model: Model, fabric: Fabric) -> nn.Module:
        trainee: nn.Module = Trainee(model)
        if self.plan.sync_batch_norm and self.ranks.world > 1:
            if fabric.device.type == "cuda":
                trainee = nn.SyncBatchNorm.convert_sync_batchnorm(trainee)
            else:
                self.notes.append("sync_batch_norm: works between GPUs alone; each process has statistics of its own")
        return trainee

    def _resumed(self, model: Model, optimizer: optim.Optimizer, parts: Mapping[str, Stateful]) -> Counters:
        """The state of the run that is gone on with: the first rank finds it, and all have the same."""
        folder = self.plan.checkpoint_dir
        if self.ranks.first:
            counters, content = load_state(
                folder, model=model, optimizer=optimizer, parts=parts, skipped=self.audience.warned
            )
            self.ranks.share_bytes(content)
        else:
            content = self.ranks.share_bytes(b"")
            counters = put_state(content, folder / STATE_FILE, model=model, optimizer=optimizer, parts=parts)
        self.seed = counters.seed
        if self.options.seed not in {None, counters.seed}:
            self.notes.append(f"--seed: a resumed run keeps its seed, {counters.seed}")
        return counters

    def _begin_average(self, average: WeightAverage | None, counters: Counters) -> None:
        """Have an average that the run did not have so far begin at the weights it goes on with, and say so."""
        if average is not None and average.updates == 0 and counters.step:
            average.load_state_dict({})
            self.notes.append(f"ema_decay: the run had no average so far; it begins at step {counters.step}")

    def _keeper(self, counters: Counters, validation: Validation | None, *, resuming: bool) -> Keeper:
        """Last of the preparations: a run that cannot begin leaves the earlier one where it is."""
        folder = self.plan.checkpoint_dir
        rival = Rival()
        if self.ranks.first:
            previous = prepare_run_folder(folder, resuming=resuming, start=self.plan.checkpoint)
            if previous:
                self.notes.append(f"the earlier run in {folder} was moved to {previous}")
            if resuming:
                rival = find_rival(folder, counters)
                write_text(folder / HISTORY_FILE, "".join(json.dumps(entry) + "\n" for entry in counters.history))
            else:
                counters.start_sha256 = best_sha256(folder)
        return Keeper(
            folder=folder,
            describe=self._describe(validation),
            state_every_s=self.plan.seconds_between_states,
            states_kept=self.plan.kept_states,
            rival=rival,
            writes=self.ranks.first,
        )

    def run(self, trainer: Trainer, *, resumed: bool) -> TrainResult:
        """Write the manifest, run the loop, tell the result."""
        before = trainer.counters.seconds
        if not trainer.counters.finished or not trainer.schedule.finished:
            if self.ranks.first:
                self._write_manifest(trainer.precision, resumed=resumed)
            trainer.listener.started(self._start_report(trainer, resumed=resumed))
            try:
                trainer.run()
            except (RuntimeError, MemoryError) as error:
                if is_out_of_memory(error):
                    raise ResourceError(_too_little_memory(trainer, error)) from error
                raise
            finally:
                trainer.counters.seconds = before + time.monotonic() - self._began
        else:
            self.notes.append("nothing to resume: the run had come to its configured end")
            self.audience.warned(self.notes[-1])
        return self._result(trainer, resumed=resumed)

    def _fabric(self) -> tuple[Fabric, Precision]:
        device = choose_device(self.options.device)
        precision = choose_precision(device, amp=wants_amp(self.plan.use_amp))
        if precision.note:
            self.notes.append(precision.note)
        if self.plan.multi_gpu and self.ranks.world == 1:
            self.notes.append("multi_gpu: one process; start it with torchrun or mpirun to train with several")
        return make_fabric(self.ranks, device, precision=precision.name), precision

    def _model(self, builder: Builder, precision: Precision, *, resuming: bool) -> Model:
        torch.manual_seed(derive(self.seed, "weights"))
        channels = _in_channels(self.plan)
        model: Model = builder.build(self.plan.model, in_channels=channels)
        if self.plan.checkpoint and not resuming:  # a resumed run has its own weights
            self.notes.append(load_matching(model, self.plan.checkpoint).table())
        if frozen := freeze(model, self.plan.frozen_parameters):
            self.notes.append(frozen)
        precision.arrange_model(model)
        allow_single_values(model)
        return model

    def _pipeline(self, builder: Builder, part: str, *, epoch: int = 0, dealt: bool = True) -> BoundPipeline:
        plan = self.plan if part == "train" or self.plan.validate is None else self.plan.validate
        pipeline = builder.build(plan.image_pipeline)
        bound: BoundPipeline = pipeline.bind(
            transforms=builder.build_all(plan.pre_transforms),
            batch_transforms=builder.build_all(self.plan.batch_transforms) if part == "train" else [],
            seed=derive(self.seed, part),
            num_classes=self.plan.model.argument("num_classes"),
            shard=Shard(self.ranks.rank, self.ranks.world) if dealt else WHOLE,
            run=self._run_settings(part),
        )
        self.closing.callback(bound.close)
        self._listed[part] = bound.datalist
        bound.fill(self._filling, epoch=epoch)
        self.notes.extend(str(warning) for warning in bound.warnings)
        return bound

    def _tell_cache(self, part: str, pipeline: BoundPipeline, trial: TrialStep | None = None) -> None:
        """What a cache holds, and whether the network will wait for it."""
        plan = pipeline.plan(trial)
        if plan is not None:
            self.notes.append(f"{part}: {plan.to_text()}")

    def _run_settings(self, part: str) -> RunSettings:
        """What the run says of the data; ranks of one machine share what they keep."""
        session = f"{self.session}-{part}" if self.ranks.world > 1 else ""
        pinned = choose_device(self.options.device).type == "cuda"
        return replace(self.options.data, session=session, say=self._notice, pinned=pinned)

    def _notice(self, message: str) -> None:
        """Something happened to the data; it is told now, and again at the end. Of another rank the first tells it."""
        if not self.ranks.first:
            self._unheard.append(message)
        elif message not in self.notes:
            self.notes.append(message)
            self.audience.warned(message)

    def _hear_of_others(self) -> None:
        """At the end of an epoch: what happened to the data of other ranks, and was not told yet."""
        own, self._unheard = self._unheard, []
        for messages in self.ranks.gather(own):
            for message in messages:
                if self.ranks.first:
                    self._notice(message)

    def _filling(self, done: int, total: int) -> None:
        """Pass on how full the cache is; a request to stop need not wait for the rest."""
        self.audience.filling(done, total)
        self.ranks.check()
        if self.stop:
            message = "stopped while the cache was being filled; the run's files are as they were"
            raise Interrupted(message, signal_number=self.stop.signal_number or 2)
        if self.options.deadline is not None and time.time() > self.options.deadline:
            message = f"--budget: found that it was over with {done} of {total} items in the cache, expected time to "
            raise ResourceError(message + "train in; write a larger budget, or a smaller num_cache_objects")

    def _validation(
        self, builder: Builder, fabric: Fabric, precision: Precision, *, loss: Loss, aux_ops: Sequence[AuxOp]
    ) -> Validation | None:
        if self.plan.validate is None or not self.plan.validate.metrics:
            lacks = "no validate section" if self.plan.validate is None else "no metric in validate"
            self.notes.append(f"the config has {lacks}: the last model is kept as the best")
            return None
        metrics = builder.build_all(self.plan.validate.metrics)
        read = {getattr(metric, role, "") for metric in metrics for role in ("field", "label_field")}
        dealt = can_be_dealt(metrics)
        if self.ranks.world > 1 and not dealt:
            self.notes.append("multi_gpu: each process judges all subjects, as a metric may judge them together")
        source = self._pipeline(builder, "validate", dealt=dealt)
        self._tell_cache("validate", source)
        return Validation(
            source=source,
            inferer=builder.build(self.plan.validate.inferer),
            metrics=metrics,
            aux_ops=[op for op in aux_ops if read & set(op.tags())],
            loss=loss,
            device=fabric.device,
            precision=precision,
            autocast=fabric.autocast,
            ranks=self.ranks,
            dealt=dealt,
        )

    def _schedule(self, counters: Counters, steps_per_epoch: int) -> Schedule:
        if self.options.deadline is not None:
            clock = {"clock": self.ranks.time} if self.ranks.world > 1 else {}
            budget = BudgetSchedule(self.options.deadline, **clock)
            if counters.schedule:  # a run that came to its end stays there
                budget.restore({"fraction": 1.0} if counters.finished else counters.schedule)
            return budget
        schedule = EpochSchedule(self.plan.epochs, self.plan.valid_every)
        schedule.stepped(epoch=counters.epoch, step=counters.step_in_epoch, steps_per_epoch=steps_per_epoch)
        if _early_stop(self.plan).reason(counters):
            schedule.fraction = 1.0
        return schedule

    def _audience(self, counters: Counters, hidden: frozenset[str], handlers: list[Listener]) -> Listener:
        if not self.ranks.first:
            return self.audience
        folder = self.plan.checkpoint_dir
        tracking = Tracking(
            self._trackers(folder),
            warn=self.audience.warned,
            facts=_facts(self.plan, counters.seed),
            interval=self.plan.summary_interval,
            hidden=hidden,
        )
        self.audience.listeners += (HistoryFile(folder, keep_until_step=counters.step), tracking, *handlers)
        return self.audience

    def _trackers(self, folder: Path) -> list[Tracker]:
        made: dict[str, Callable[[], Tracker]] = {
            "tensorboard": lambda: TensorBoardTracker(folder),
            "mlflow": lambda: MlflowTracker(folder, experiment=self.plan.archive.root.name),
        }
        return [made[name]() for name in dict.fromkeys(self.plan.trackers)]

    def _describe(self, validation: Validation | None) -> Callable[[Counters], Mapping[str, Any]]:
        names = _class_names(self.plan)
        key = validation.key.name if validation else ""

        def describe(counters: Counters) -> dict[str, Any]:
            return model_card(
                self.plan.model,
                in_channels=_in_channels(self.plan),
                class_names=names,
                config=self.plan.raw,
                epoch=counters.epoch - (counters.step_in_epoch == 0),  # once an epoch is over, the next one counts
                metric=(key, counters.best) if key and counters.best_epoch else None,
                versions=machine.versions(),
                step=counters.step,
                seed=counters.seed,
            )

        return describe

    def _write_manifest(self, precision: Precision, *, resumed: bool) -> None:
        if resumed and note_resumption(self.plan, seed=self.seed, precision=precision.name):
            return
        data = {
            part: [path for item in listed.items for files in item.files.values() for path in files]
            for part, listed in self._listed.items()
        }
        options = {
            "device": choose_device(self.options.device).type,
            "world": self.ranks.world,
            "budget": self.options.deadline is not None,
        }
        manifest = describe_run(self.plan, seed=self.seed, data=data, precision=precision.name, options=options)
        write_manifest(self.plan.checkpoint_dir, {**manifest, **self.options.recorded})

    def _start_report(self, trainer: Trainer, *, resumed: bool) -> RunStart:
        return RunStart(
            archive=self.plan.archive.root.name,
            device=self._devices(trainer.fabric),
            precision=trainer.precision.name,
            parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
            train_items=trainer.pipeline.items,
            valid_items=trainer.validation.source.items if trainer.validation else 0,
            steps_per_epoch=trainer.pipeline.steps_per_epoch,
            epochs=self.plan.epochs if self.options.deadline is None else None,
            resumed_from=trainer.counters.epoch if resumed else 0,
            resumed_step=trainer.counters.step,
            notes=tuple(self.notes),
        )

    def _devices(self, fabric: Fabric) -> str:
        together = f", {self.ranks.world} processes together" if self.ranks.world > 1 else ""
        return f"{fabric.device}{together}"

    def _result(self, trainer: Trainer, *, resumed: bool) -> TrainResult:
        counters, rival = trainer.counters, trainer.keeper.rival
        folder = self.plan.checkpoint_dir
        best, epoch = max((counters.best, counters.best_epoch), (rival.value, rival.epoch))
        return TrainResult(
            key_metric=trainer.validation.key.name if trainer.validation else "",
            best_metric=best if epoch else math.nan,
            best_epoch=epoch,
            epochs=counters.epoch - (counters.step_in_epoch == 0),
            steps=counters.step,
            seconds=counters.seconds,
            seed=counters.seed,
            run_folder=folder,
            best_model=weights_file(folder / BEST),
            last_model=weights_file(folder / FINAL),
            notes=tuple(self.notes),
            resumed=resumed,
        )


def _too_little_memory(trainer: Trainer, error: BaseException) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return (
        f"training: found too little memory on {trainer.fabric.device} at step {trainer.counters.step} "
        f"({first}; {shortage_in_words(error)}), "
        "expected room for a batch; write a smaller output_batch_size or crop, use_amp: true, or a smaller roi_size or "
        "batch_size of the inferer if it was validating"
    )


def _facts(plan: TrainPlan, seed: int) -> dict[str, Any]:
    """The settings that a tracker shows beside the curves; the manifest has all of them."""
    parts = {"model": plan.model, "loss": plan.loss, "optimizer": plan.optimizer}
    names = {part: component.name for part, component in parts.items()}
    return {**names, "learning_rate": plan.learning_rate, "seed": seed, "model_args": dict(plan.model.args)}


def _unrecorded(validation: Validation | None, aux_ops: Sequence[AuxOp]) -> frozenset[str]:
    """The TensorBoard tags that the config does not want (``do_summary: false``)."""
    metrics = validation.metrics if validation else ()
    tags = [f"validation/{metric.name}" for metric in metrics if not metric.do_summary]
    return frozenset([*tags, *(f"epoch/{tag}" for op in aux_ops if not op.do_summary for tag in op.tags())])


def _parts(fabric: Fabric, average: WeightAverage | None) -> dict[str, Stateful]:
    """What has a state besides weights and optimizer."""
    scaler = getattr(fabric.strategy.precision, "scaler", None)
    parts = {"average": average, "scaler": scaler}
    return {name: part for name, part in parts.items() if part is not None}


def _early_stop(plan: TrainPlan) -> EarlyStop:
    return EarlyStop(threshold=plan.stop_threshold, patience=plan.stop_patience)


def _in_channels(plan: TrainPlan) -> int:
    return int(plan.image_pipeline.argument("output_image_channels", 1))


def _class_names(plan: TrainPlan) -> tuple[str, ...]:
    """A name per class, as the data list's ``labels`` have it; what they have wrong is left out."""
    file = Path(plan.image_pipeline.args["data_list_file_path"])
    has_background = not is_classification(plan.image_pipeline)
    labels = labels_by_value(read_json(file).get("labels"), file=file, faults=[], has_background=has_background)
    return class_names(labels, count=int(plan.model.argument("num_classes", 1)))
