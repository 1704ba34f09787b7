"""The Python face: one class whose methods are the verbs of the command line.

Torch is imported by the methods that need it, so that ``import vesalia`` stays light.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import functools
import os
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vesalia.datatools.check_report import CheckReport
from vesalia.errors import ConfigError, DataError, Fault, Interrupted
from vesalia.mmar.archive import ArchiveFolder, open_archive
from vesalia.mmar.checkpoint_folder import checkpoint_folder
from vesalia.mmar.overrides import Overrides, as_texts
from vesalia.mmar.plan import EvaluatePlan, TrainPlan
from vesalia.mmar.recorded import Recorded, record_of
from vesalia.mmar.validate import is_evaluation, plan_evaluation, plan_training
from vesalia.mmar.workspace import Request
from vesalia.runtime.ranks import Launch, read_launch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from vesalia.datatools.pipeline_bench import PipelineBench
    from vesalia.deploy.export import ExportResult
    from vesalia.deploy.runner.run import RunResult
    from vesalia.imaging.volume import Volume
    from vesalia.inference.assemble import InferenceOptions
    from vesalia.inference.importing import ImportResult
    from vesalia.inference.results import EvaluateResult, InferResult
    from vesalia.runtime.interrupts import StopRequest
    from vesalia.training.listener import Listener
    from vesalia.training.result import TrainResult

__all__ = ["EVALUATE_CONFIG", "TRAIN_CONFIG", "Archive", "CheckReport", "as_texts"]

TRAIN_CONFIG = "config/config_train.json"
EVALUATE_CONFIG = "config/config_validation.json"
ENVIRONMENT = "config/environment.json"
ShowProgress = Callable[[int, int], None]


class Archive:
    """An MMAR on disk and what one can do with it.

    Args:
        root: The archive's folder.
        allow_custom_code: Whether code from the archive's ``custom/`` folder may run.

    Raises:
        ArchiveError: The folder is not an MMAR.
    """

    def __init__(self, root: str | os.PathLike[str], *, allow_custom_code: bool = False) -> None:
        self.folder: ArchiveFolder = open_archive(Path(root))
        self.allow_custom_code = allow_custom_code

    @property
    def root(self) -> Path:
        """The archive's folder."""
        return self.folder.root

    def check(
        self,
        *,
        config: str | None = None,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        labels: str = "auto",
        progress: ShowProgress | None = None,
    ) -> CheckReport:
        """Check the configs, then look at the data.

        Vesalia's own components are constructed (networks without weights) to hear what no argument shows alone;
        code of plug-ins and of the archive is neither imported nor run.

        Args:
            config: The config to check, relative to the archive; None checks the train config and, if it is
                there, the validation config.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            labels: How many label files to read: ``auto``, ``all`` or ``none``; ``none`` reads no voxels.
            progress: Is told how many of how many files were looked at.

        Raises:
            ConfigError: The configs have faults; all of them are in the message.
        """
        plans = self._sound_plans(self._configs(config), environment, overrides)
        from vesalia.datatools.preflight import preflight  # late: reads images, which a plan never needs

        reports = tuple(preflight(plan, labels=labels, progress=progress) for plan in plans)
        return CheckReport(
            archive=self.root,
            configs=tuple(str(plan.config_file) for plan in plans),
            faults=_unique(fault for report in reports for fault in report.faults),
            warnings=_unique(
                [w for plan in plans for w in plan.warnings] + [w for report in reports for w in report.warnings]
            ),
            data=reports,
        )

    def train(
        self,
        *,
        config: str = TRAIN_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        resume: bool = False,
        budget_s: float | None = None,
        budget_from: float | None = None,
        seed: int | None = None,
        device: str = "auto",
        manifest: str | os.PathLike[str] | None = None,
        persist_cache: str | os.PathLike[str] | None = None,
        cache_budget_gb: float | None = None,
        on_bad_item: str | None = None,
        listener: Listener | None = None,
        stop: StopRequest | None = None,
    ) -> TrainResult:
        """Train what the config says.

        Args:
            config: The train config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            resume: Go on from the run in ``MMAR_CKPT_DIR``; start afresh where there is none.
            budget_s: Seconds of wall-clock time to lay the training over; None trains to the configured end.
            budget_from: When the budget began (seconds since 1970); None is now.
            seed: The run's seed; the same seed gives the same weights.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            manifest: Train again what this ``manifest.json`` records: its config and variables instead of the files,
                its seed and device where none are given. ``listener`` is warned of what is not as it was then.
            persist_cache: Folder in which prepared items are kept for later runs; ``auto`` is the user's for caches.
            cache_budget_gb: What each cache may take, in 10^9 bytes; goes before the config's.
            on_bad_item: ``stop`` or ``skip`` where a subject cannot be read; goes before the config's.
            listener: Is told of the course.
            stop: Set it to have the run save and stop.

        Raises:
            ConfigError: The config has faults.
            DataError: The data has faults.
            Interrupted: A stop was asked for; the state is saved.

        Processes that torchrun or mpirun started train together if the config says ``multi_gpu: true``; the first one
        raises what went wrong, on whichever of them, and the others :class:`vesalia.errors.ToldElsewhere`.
        """
        deadline = None if budget_s is None else (budget_from or time.time()) + budget_s
        recorded = record_of(manifest, self.root, overrides=as_texts(overrides))
        if recorded is not None:
            config, seed = recorded.config_name, recorded.seed if seed is None else seed
            device = recorded.device if device == "auto" else device
        plan = self._training(config, environment, overrides, recorded)
        from vesalia.pipelines.cached import RunSettings  # late: torch
        from vesalia.runtime.device import has_gpu
        from vesalia.runtime.together import joined
        from vesalia.training.fit import TrainOptions, fit
        from vesalia.training.reproduction import note_differences

        said = RunSettings.asked(budget_gb=cache_budget_gb, persist=persist_cache, on_bad_item=on_bad_item)
        options = TrainOptions(resume=resume, deadline=deadline, seed=seed, device=device, data=said)
        launch = read_launch() if plan.multi_gpu else Launch()
        with joined(launch, on_gpu=device != "cpu" and has_gpu()) as ranks:
            if ranks.first:
                self._require_sound_data(plan, listener, stop)
                options = note_differences(recorded, plan, options=options, world=ranks.world, listener=listener)
            return fit(plan, options, listener=listener, stop=stop, ranks=ranks)

    def trains_together(
        self,
        *,
        config: str = TRAIN_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        manifest: str | os.PathLike[str] | None = None,
    ) -> bool:
        """Whether several processes that a launcher started train one network: the config's ``multi_gpu``.

        Args:
            config: The train config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            manifest: A ``manifest.json`` to read instead of the config.

        Raises:
            ConfigError: The config has faults.
        """
        recorded = record_of(manifest, self.root, overrides=as_texts(overrides))
        return self._training(config, environment, overrides, recorded).multi_gpu

    def bench_pipeline(
        self,
        *,
        steps: int = 20,
        config: str = TRAIN_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        device: str = "auto",
        progress: ShowProgress | None = None,
    ) -> PipelineBench:
        """Train a few steps in a temporary folder and see where the time goes; the archive's model is not touched.

        Args:
            steps: Steps to measure, twice; fewer where they are slow.
            config: The train config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            progress: Is told how many of how many steps are done.

        Raises:
            ConfigError: The config has faults.
            DataError: Subjects cannot be used.
        """
        plan = self._training(config, environment, overrides)
        from vesalia.datatools.pipeline_bench import bench_pipeline  # late: torch

        return bench_pipeline(plan, steps=steps, device=device, progress=progress)

    def evaluate(
        self,
        *,
        config: str = EVALUATE_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        write_predictions: bool | None = None,
        device: str = "auto",
        progress: ShowProgress | None = None,
        stop: StopRequest | None = None,
    ) -> EvaluateResult:
        """Judge the trained model on the validation list: metrics as CSV and JSON, and an HTML report.

        Args:
            config: The validation config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            write_predictions: Whether predictions are written too; None takes ``output_infer_result``.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            progress: Is told how many of how many subjects are done.
            stop: Set it to stop after the subject in work.

        Raises:
            ConfigError: The config has faults.
            CheckpointError: There are no weights, or they do not fit.
            DataError: Subjects could not be read; the others are done.
        """
        plan = self._evaluation(config, environment, overrides, validation=True, predictions=write_predictions)
        from vesalia.inference.evaluate import evaluate  # late: torch

        return evaluate(plan, self._options(plan, device), progress=_counted(progress), stop=stop)

    def infer(
        self,
        images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
        *,
        config: str = EVALUATE_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        device: str = "auto",
        progress: ShowProgress | None = None,
        stop: StopRequest | None = None,
    ) -> InferResult:
        """Predict and write the results as NIfTI on each image's own grid.

        Args:
            images: One image, several, or none for the config's data list.
            config: The validation config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            output: Folder to write to; None is ``MMAR_EVAL_OUTPUT_PATH``.
            resume: Skip subjects whose results are there already.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            progress: Is told how many of how many subjects are done.
            stop: Set it to stop after the subject in work.

        Raises:
            ConfigError: The config has faults.
            CheckpointError: There are no weights, or they do not fit.
            DataError: Images could not be read; the others are done.
        """
        given = [images] if isinstance(images, (str, os.PathLike)) else list(images)
        into = [f"MMAR_EVAL_OUTPUT_PATH={Path(output).absolute()}"] if output else []
        plan = self._evaluation(
            config, environment, [*as_texts(overrides), *into], validation=False, predictions=True, listed=not given
        )
        from vesalia.inference.infer import infer  # late: torch

        options = self._options(plan, device, resume=resume)
        files = [Path(image) for image in given]
        return infer(plan, options, images=files, progress=_counted(progress), stop=stop)

    def infer_without_torch(
        self,
        images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
        *,
        config: str = EVALUATE_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        device: str = "auto",
        progress: ShowProgress | None = None,
        stop: StopRequest | None = None,
    ) -> RunResult:
        """Predict as :meth:`infer` does, with the network that ``export("onnx")`` wrote; torch is never imported.

        Args:
            images: One image, several, or none for the config's data list.
            config: The validation config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            output: Folder to write to; None is ``MMAR_EVAL_OUTPUT_PATH``.
            resume: Skip subjects whose results are there already.
            device: ``auto``, ``cpu``, ``openvino``, ``cuda`` or ``tensorrt``.
            progress: Is told how many of how many subjects are done.
            stop: Set it to stop after the subject in work.

        Raises:
            ConfigError: The config has faults, or steps that are not known without torch.
            CheckpointError: There is no exported network, or it was made from other weights.
            DataError: Images could not be read; the others are done.
        """
        given = [Path(images)] if isinstance(images, (str, os.PathLike)) else [Path(image) for image in images]
        into = [f"MMAR_EVAL_OUTPUT_PATH={Path(output).absolute()}"] if output else []
        plan = self._evaluation(
            config, environment, [*as_texts(overrides), *into], validation=False, predictions=True, listed=not given
        )
        from vesalia.deploy.runner.archive import items_for, plan_for
        from vesalia.deploy.runner.run import infer  # late: onnxruntime

        result = infer(
            plan_for(plan),
            items_for(plan, given),
            output=plan.output_dir,
            resume=resume,
            device=device,
            progress=_counted(progress),
            stop=stop,
        )
        return replace(result, warnings=plan.warnings)

    def predict(
        self,
        image: str | os.PathLike[str] | Volume | npt.NDArray[Any],
        *,
        affine: npt.NDArray[np.float64] | None = None,
        config: str = EVALUATE_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        device: str = "auto",
    ) -> Volume:
        """Predict one image and give the result back, on the image's own grid; nothing is written.

        Args:
            image: A file, a volume, or an array ``[D, H, W]`` (``[D, H, W, C]`` with channels).
            affine: For an array: voxel index to mm in RAS; the identity if left out.
            config: The validation config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

        Raises:
            ConfigError: The config has faults.
            CheckpointError: There are no weights, or they do not fit.
            DataError: The image cannot be read or does not fit the network.
        """
        plan = self._evaluation(config, environment, overrides, validation=False, predictions=True, listed=False)
        for warning in plan.warnings:
            warnings.warn(str(warning), stacklevel=2)
        from vesalia.inference.infer import infer_image  # late: torch

        source = Path(image) if isinstance(image, (str, os.PathLike)) else image
        return infer_image(plan, source, affine=affine, options=self._options(plan, device))

    def export(
        self,
        to: str | Sequence[str] = "torchscript",
        *,
        weights: str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        config: str = EVALUATE_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        input_shape: Sequence[int] | None = None,
        serving_name: str | None = None,
        max_batch_size: int = 8,
    ) -> ExportResult:
        """Write the trained model for other software, and a record of it; see ``vesalia.deploy.formats.FORMATS``.

        Args:
            to: One format or several: ``torchscript``, ``triton``, ``onnx`` (with the plan by which inference needs no
                torch), ``onnx-network``, ``bundle`` (MONAI's), ``frozen`` (v3's file names), ``frozen-triton``.
            weights: A checkpoint, as a prefix, a folder or a v3 name; None is the best model in ``MMAR_CKPT_DIR``.
            output: Folder to write to; None is the folder of the weights.
            config: The validation config, relative to the archive: what ``onnx`` and ``bundle`` write as their steps.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            input_shape: Channels, then spatial sizes, to trace the network with; None chooses.
            serving_name: What a server calls the model; None is the name of the weights.
            max_batch_size: How many images a server may put into one call.

        Raises:
            ConfigError: A format, a name or a size is none.
            CheckpointError: There are no weights, or they do not fit.
            UserError: The network cannot be written so that it gives the same.
        """
        folder = checkpoint_folder(self.folder, environment=environment, overrides=as_texts(overrides))
        from vesalia.deploy.export import Wish, export  # late: torch

        wish = Wish(
            formats=[to] if isinstance(to, str) else list(to),
            folder=None if output is None else Path(output),
            input_shape=input_shape,
            serving_name=serving_name,
            max_batch_size=max_batch_size,
        )
        source = folder if weights is None else Path(weights)
        return export(
            source,
            wish,
            archive=self.folder,
            evaluation=lambda: self._evaluation(
                config, environment, overrides, validation=False, predictions=True, listed=False
            ),
            allow_custom_code=self.allow_custom_code,
        )

    def import_weights(
        self,
        source: str | os.PathLike[str],
        *,
        output: str | os.PathLike[str] | None = None,
        config: str = TRAIN_CONFIG,
        environment: str = ENVIRONMENT,
        overrides: Overrides = (),
        partial: bool = False,
        overwrite: bool = False,
    ) -> ImportResult:
        """Write weights that other software trained as a model of this archive; no code in them is run.

        Args:
            source: A state dict (``.pt``, ``.pth``, ``.safetensors``), the folder of a MONAI bundle, or a checkpoint of
                nnU-Net v2 or its folder. A state dict is one of the network in the train config.
            output: What to call the model, as a prefix; None is ``model`` in ``MMAR_CKPT_DIR``.
            config: The train config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.
            partial: Whether tensors of the network may be missing; they stay random.
            overwrite: Whether a model of that name may be replaced.

        Raises:
            ConfigError: The network is not known, or there is a model of that name.
            CheckpointError: The source cannot be read safely, or its weights do not fit the network.
        """
        folder = checkpoint_folder(self.folder, environment=environment, overrides=as_texts(overrides))
        from vesalia.inference.importing import import_weights  # late: torch
        from vesalia.mmar.planned_network import configured_network

        request = Request(self.root, config, environment, as_texts(overrides), self.allow_custom_code)
        return import_weights(
            Path(source),
            folder / "model" if output is None else Path(output),
            archive=self.folder,
            configured=functools.partial(configured_network, request),
            partial=partial,
            overwrite=overwrite,
            allow_custom_code=self.allow_custom_code,
        )

    def judges(
        self, *, config: str = EVALUATE_CONFIG, environment: str = ENVIRONMENT, overrides: Overrides = ()
    ) -> bool:
        """Whether a validation config asks to be judged: its ``do_validation``, or what wins over it.

        Args:
            config: The validation config, relative to the archive.
            environment: The environment file, relative to the archive.
            overrides: ``--set`` values, as a mapping or as ``"key=value"`` texts.

        Raises:
            ConfigError: The config has faults.
        """
        return self._evaluation(config, environment, overrides, validation=None, predictions=None).do_validation

    def _options(self, plan: EvaluatePlan, device: str, *, resume: bool = False) -> InferenceOptions:
        from vesalia.inference.assemble import InferenceOptions  # late: torch
        from vesalia.runtime.device import choose_device
        from vesalia.runtime.precision import choose_precision, wants_amp

        chosen = choose_device(device)
        precision = choose_precision(chosen, amp=wants_amp(plan.use_amp))
        return InferenceOptions(
            device=chosen,
            precision=functools.partial(precision.autocast, chosen),
            resume=resume,
            allow_custom_code=self.allow_custom_code,
        )

    def _configs(self, config: str | None) -> list[str]:
        if config is not None:
            return [config]
        there = [name for name in (TRAIN_CONFIG, EVALUATE_CONFIG) if (self.root / name).exists()]
        return there or [TRAIN_CONFIG]

    def _sound_plans(
        self, configs: Sequence[str], environment: str, overrides: Overrides
    ) -> list[TrainPlan | EvaluatePlan]:
        """The plans of several configs, whose faults are told together."""
        from vesalia.datatools.rehearsal import rehearse_plan  # late: torch

        plans: list[TrainPlan | EvaluatePlan] = []
        errors: list[ConfigError] = []
        for name in configs:
            try:
                plan = self._plan(name, environment, overrides)
                rehearse_plan(plan)
                plans.append(plan)
            except ConfigError as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            message = "\n".join(dict.fromkeys(error.message for error in errors if error.message))
            raise ConfigError(message, faults=_unique(fault for error in errors for fault in error.faults))
        return plans

    def _plan(self, config: str, environment: str, overrides: Overrides) -> TrainPlan | EvaluatePlan:
        planner = plan_evaluation if config != TRAIN_CONFIG and is_evaluation(self.root / config) else plan_training
        return planner(
            self.root,
            config=config,
            environment=environment,
            overrides=as_texts(overrides),
            allow_custom_code=self.allow_custom_code,
        )

    def _training(
        self, config: str, environment: str, overrides: Overrides, recorded: Recorded | None = None
    ) -> TrainPlan:
        """A train config, checked and rehearsed."""
        plan = plan_training(
            self.root,
            config=config,
            environment=environment,
            overrides=as_texts(overrides),
            allow_custom_code=self.allow_custom_code,
            recorded=recorded,
        )
        from vesalia.datatools.rehearsal import rehearse_plan  # late: torch

        rehearse_plan(plan)
        return plan

    def _evaluation(
        self,
        config: str,
        environment: str,
        overrides: Overrides,
        *,
        validation: bool | None,
        predictions: bool | None,
        listed: bool = True,
    ) -> EvaluatePlan:
        return plan_evaluation(
            self.root,
            config=config,
            environment=environment,
            overrides=as_texts(overrides),
            allow_custom_code=self.allow_custom_code,
            do_validation=validation,
            output_infer_result=predictions,
            listed=listed,
        )

    def _require_sound_data(self, plan: TrainPlan, listener: Listener | None, stop: StopRequest | None) -> None:
        from vesalia.datatools.preflight import preflight  # late: reads images, which a plan never needs

        def looked_at(done: int, total: int) -> None:
            if stop:
                message = f"stopped with {done} of {total} files looked at; nothing was written"
                raise Interrupted(message, signal_number=stop.signal_number or 2)

        report = preflight(plan, progress=looked_at)
        if report.faults:
            raise DataError("the data is not ready to train on:", faults=report.faults)
        if listener:
            listener.noted(report.summary())
            for warning in (*plan.warnings, *report.warnings):
                listener.warned(str(warning))


def _counted(progress: ShowProgress | None) -> Callable[[int, int, str], None] | None:
    """``progress`` as inference calls it, with the subject's name left out."""
    if progress is None:
        return None

    def counted(done: int, total: int, _: str) -> None:
        progress(done, total)

    counted.note = getattr(progress, "note", None)  # type: ignore[attr-defined] # what is said beforehand
    return counted


def _unique(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(faults))
