"""Images in, files out, by a plan: what ``vesalia infer --engine onnx`` does. Neither torch nor MONAI is loaded."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vesalia.deploy.runner.engines import open_network
from vesalia.deploy.runner.plan import InferencePlan
from vesalia.deploy.runner.prediction import Prediction, predict
from vesalia.deploy.runner.room import require_room
from vesalia.deploy.runner.steps import Step
from vesalia.deploy.runner.volume import Sample
from vesalia.errors import ConfigError, DataError, Fault, Interrupted, ResourceError
from vesalia.inference.streaming.memory_plan import MemoryPlan
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.files import as_resource_error, require_writable, write_json
from vesalia.runtime.interrupts import StopRequest

__all__ = ["RunCase", "RunResult", "Session", "infer", "open_plan"]

_RECORD: Final = "prediction.json"
_FAILURES: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class RunCase:
    """One subject, done.

    Attributes:
        subject: Its name.
        image: The image file.
        files: What was written for it.
    """

    subject: str
    image: Path
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """The case as plain data."""
        files = [str(path) for path in self.files]
        return {"subject": self.subject, "image": str(self.image), "scores": {}, "files": files}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of it; the same facts as :class:`vesalia.inference.results.InferResult`, without torch.

    Attributes:
        cases: The subjects that were predicted, in order.
        skipped: Subjects whose results were there already.
        output_dir: The folder that holds the predictions.
        seconds: Wall-clock seconds.
        device: Where the network ran.
        warnings: What is odd in the config and was lived with.
        files: Files for all subjects together; there are none.
    """

    cases: tuple[RunCase, ...]
    skipped: tuple[str, ...]
    output_dir: Path
    seconds: float
    device: str
    warnings: tuple[Fault, ...] = ()
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, for ``--json``."""
        return {
            "cases": [case.to_dict() for case in self.cases],
            "skipped": list(self.skipped),
            "files": [],
            "output_dir": str(self.output_dir),
            "seconds": round(self.seconds, 3),
            "engine": "onnx",
            "device": self.device,
            "warnings": [warning.to_dict() for warning in self.warnings],
        }


@dataclass(frozen=True, slots=True)
class Session:
    """A plan with its network loaded.

    Attributes:
        plan: The plan.
        prediction: How subjects are predicted.
        folder: Where results go.
        device: Where the network runs.
    """

    plan: InferencePlan
    prediction: Prediction
    folder: Path
    device: str

    def finished(self, item: DataItem) -> Sample:
        """Predict one subject and give it back; nothing is written.

        Raises:
            DataError: The image cannot be read or does not fit the network.
        """
        sample = Sample(name=item.name, files=item.files)
        for step in self.plan.pre:
            sample = _named(step, sample, work=step)
        return _named("network", sample, work=lambda now: predict(now, self.prediction, post=self.plan.post))

    def record(self, item: DataItem) -> dict[str, Any]:
        """What a prediction is made by and from, as of now."""
        steps = json.dumps(self.plan.described, sort_keys=True, default=str)
        given = {name: [_facts(path) for path in paths] for name, paths in item.files.items() if name != "label"}
        hashed = hashlib.sha256(steps.encode()).hexdigest()
        return {"engine": "onnx", "network_sha256": self.plan.sha256, "plan_sha256": hashed, "files": given}

    def holds(self, item: DataItem) -> bool:
        """Whether the subject's files are there, made by the same network and plan from the same image."""
        try:
            found = json.loads((self.folder / item.name / _RECORD).read_text(encoding="utf-8"))
            same = found == self.record(item)
        except (OSError, ValueError):
            return False
        return same and all(writer.path(item.name, self.folder).is_file() for writer in self.plan.writers)

    def write(self, item: DataItem) -> RunCase:
        """Predict a subject and write its files, then the record of them."""
        record, place = self.record(item), self.folder / item.name / _RECORD
        sample = self.finished(item)
        try:
            place.unlink(missing_ok=True)
        except OSError as error:
            raise as_resource_error(place, error) from error
        files = tuple(writer.write(sample, self.folder) for writer in self.plan.writers)
        write_json(place, record)
        return RunCase(item.name, item.files["image"][0], files)


def infer(
    plan: InferencePlan,
    items: Sequence[DataItem],
    *,
    output: Path,
    resume: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> RunResult:
    """Predict subjects and write what the plan's writers say.

    Args:
        plan: The plan.
        items: The subjects; labels are not read.
        output: Where results go.
        resume: Leave out subjects whose results are there, made by the same network and plan from the same image.
        device: ``auto``, ``cpu``, ``openvino``, ``cuda`` or ``tensorrt``.
        progress: Is told before each subject, and at the end: done, all, the next one's name. One that has a method
            ``note`` is told beforehand what the largest subject takes of the memory.
        stop: Set it to stop before the next subject.

    Raises:
        ConfigError: The plan has no writers, or the engine lacks the device.
        CheckpointError: The network is missing, or not the one that the plan was written with.
        DataError: Subjects are broken: all of them are named, and the results of the others are written.
        ResourceError: The memory or the disk is not enough.
        Interrupted: A stop was asked for; each file is whole, and ``resume`` goes on.
    """
    began = time.monotonic()
    if not plan.writers:
        example = '{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}'
        raise ConfigError(f"writers: found none, expected at least one; write [{example}]")
    session = open_plan(plan, output=output, device=device)
    require_writable(output)
    skipped = tuple(item.name for item in items if session.holds(item)) if resume else ()
    left = [item for item in items if item.name not in skipped]
    _tell(progress, require_room(plan, session.prediction, items=left))
    cases, failures = [], {}
    for done, item in enumerate(left):
        if stop:
            message = f"stopped after {done} of {len(left)} subjects; what was written so far is whole"
            raise Interrupted(message, signal_number=stop.signal_number or 2)
        if progress:
            progress(done, len(left), item.name)
        try:
            cases.append(session.write(item))
        except DataError as error:
            failures[item.name] = str(error) if item.name in str(error) else f"{item.name}: {error}"
    if progress:
        progress(len(left), len(left), "")
    _raise_failures(failures, len(cases), output)
    return RunResult(tuple(cases), skipped, output, time.monotonic() - began, session.device)


def open_plan(plan: InferencePlan, *, output: Path = Path(), device: str = "auto") -> Session:
    """Load the network of a plan, for one subject after another.

    Args:
        plan: The plan.
        output: Where results go, if they are written.
        device: ``auto``, ``cpu``, ``openvino``, ``cuda`` or ``tensorrt``.

    Raises:
        ConfigError: The engine is not installed, or lacks the device.
        CheckpointError: The network is missing, or not the one that the plan was written with.
    """
    network = open_network(plan.network, sha256=plan.sha256, device=device)
    prediction = Prediction(
        network,
        plan.inferer,
        in_channels=plan.in_channels,
        size_divisor=plan.size_divisor,
        at_once=plan.inferer.batch_size if plan.free_batch else 1,
    )
    return Session(plan, prediction, output, network.device)


def _tell(progress: Progress | None, room: MemoryPlan | None) -> None:
    note = getattr(progress, "note", None)
    if note is not None and room is not None:
        note(str(room))


def _named(step: Step | str, sample: Sample, *, work: Callable[[Sample], Sample]) -> Sample:
    """Do ``work``; an error names the step, the subject and its files."""
    files = ", ".join(str(path) for paths in sample.files.values() for path in paths)
    name = step if isinstance(step, str) else type(step).__name__
    where = f"{sample.name} ({files}): {name}"
    try:
        return work(sample)
    except DataError as error:
        raise DataError(f"{where}: {error.message}", faults=error.faults) from error
    except MemoryError as error:
        raise ResourceError(f"{where}: found too little memory for this subject, expected room") from error
    except _FAILURES as error:
        if hasattr(error, "exit_code"):  # one of ours, which says enough
            raise
        message = f"{where}: found an error ({type(error).__name__}: {error}), expected data that it can work with"
        raise DataError(f"{message}; check its arguments and these files") from error


def _facts(path: Path) -> dict[str, Any]:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: found no such file ({error.strerror}), expected an image") from error
    return {"path": str(path.absolute()), "bytes": status.st_size, "modified_ns": status.st_mtime_ns}


def _raise_failures(failures: Mapping[str, str], written: int, folder: Path) -> None:
    if not failures:
        return
    kept = f"the results of the other {written} are in {folder}" if written else "there are no results"
    head = f"{len(failures)} of {len(failures) + written} subjects failed; {kept}; mend these files:"
    raise DataError("\n".join([head, *(f"  {said}" for said in failures.values())]))
