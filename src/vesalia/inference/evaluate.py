"""Judging a model on a list of subjects: v3's ``config_validation.json``, subject by subject.

A subject goes through pre-transforms (image), inferer (field ``model``), post-transforms, label transforms, writers
and metrics.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.assemble import Assembly, InferenceOptions, assemble
from vesalia.inference.checkpoint_names import MANIFEST_FILE
from vesalia.inference.classified import Classified, classified, likelihood_of
from vesalia.inference.curves import HISTORY_FILE, read_history
from vesalia.inference.label_check import require_label
from vesalia.inference.overlay import overlay_png
from vesalia.inference.predictions import Predictions
from vesalia.inference.report import PICTURED, ReportContent, write_report
from vesalia.inference.results import CaseResult, EvaluateResult, MetricSummary
from vesalia.inference.room import require_room
from vesalia.inference.score_files import write_csv, write_scores_json, write_v3_texts
from vesalia.inference.scores import ranking_metric, score_subject, summarise
from vesalia.inference.subjects import Outcome, Progress, run_subjects, tell
from vesalia.mmar.plan import EvaluatePlan
from vesalia.pipelines.datalist import DataList, read_datalist
from vesalia.runtime import machine
from vesalia.runtime.files import require_writable
from vesalia.runtime.interrupts import StopRequest

__all__ = ["evaluate"]


def evaluate(
    plan: EvaluatePlan,
    options: InferenceOptions | None = None,
    *,
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> EvaluateResult:
    """Judge the plan's model on the plan's data; write tables, v3's text files and a report.

    Args:
        plan: A checked plan, from :func:`vesalia.mmar.validate.plan_evaluation`; it is judged whatever it says of that.
        options: Device, number format, other weights.
        progress: Is told how far it has come.
        stop: Set it to stop before the next subject.

    Raises:
        ConfigError: The plan has no metrics.
        CheckpointError: The weights are missing, torn or foreign.
        DataError: Files are missing, before anything is done; or subjects are broken: all of them are named, and the
            results of the others are written.
        ResourceError: The memory or the disk is not enough.
        Interrupted: A stop was asked for.
    """
    began = time.monotonic()
    if not plan.val_metrics:
        where = plan.archive.shown(plan.config_file)
        message = f"{where}: found no val_metrics, expected something to judge by; write a val_metrics section"
        raise ConfigError(f"{message}, or use `vesalia infer`")
    plan = replace(plan, do_validation=True)
    listed = read_datalist(plan.data_list_file, plan.data_root, key=plan.data_list_key)
    assembly = assemble(plan, options)
    run = _Evaluation(plan, assembly, listed, assembly.predictions(plan))
    require_writable(plan.output_dir)
    room = require_room(plan, listed.items, classes=len(assembly.loaded.class_names), streamed=assembly.streamed())
    tell(progress, room)
    outcome = run_subjects(listed.items, run.judge, progress=progress, stop=stop)
    if not outcome.cases:
        outcome.raise_failures(plan.output_dir)
    metrics = {metric.name: summarise(metric, run.assembly.loaded.class_names) for metric in run.assembly.metrics}
    files = run.write(metrics, outcome, seconds=time.monotonic() - began)
    outcome.raise_failures(plan.output_dir)
    seconds = time.monotonic() - began
    return EvaluateResult(metrics, tuple(outcome.cases), files, plan.output_dir, seconds, plan.warnings)


@dataclass(slots=True)
class _Evaluation:
    """One run: the plan, its objects and the pictures made on the way."""

    plan: EvaluatePlan
    assembly: Assembly
    listed: DataList
    predictions: Predictions
    pictures: dict[str, bytes] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)

    def judge(self, start: Sample) -> CaseResult:
        """Take one subject all the way."""
        metrics = self.assembly.metrics
        needs_label = self.plan.label_transforms or any(metric.is_pooled for metric in metrics)
        if "label" not in {*start.files, *start.fields} and needs_label:
            message = f"{start.name}: found no label in the data list, expected one to judge by; add it or use `infer`"
            raise DataError(message)
        record = self.predictions.record(start.files)
        predicted, finished = self.assembly.through(start)
        sample = self.assembly.labelled(finished)
        truths = {getattr(metric, "label_field", "label") for metric in metrics}
        require_label(sample, fields=sorted(truths), num_classes=len(self.assembly.loaded.class_names))
        files = self.predictions.write(sample, record)
        scores = score_subject(metrics, sample)
        if self._is_shown(start.name, likelihood_of(start.name, metrics)):
            label, prediction = (_as_map(volume) for volume in (sample.fields.get("label"), predicted["model"]))
            self.pictures[start.name] = overlay_png(predicted["image"], label=label, prediction=prediction)
        return CaseResult(start.name, start.files["image"][0], scores, files)

    def _is_shown(self, subject: str, likelihood: float | None) -> bool:
        """Whether the subject has a picture: of a classification's long list only the worst, those of others go."""
        if likelihood is None:
            return True
        self.worst[subject] = likelihood
        dropped = sorted(self.worst, key=lambda name: self.worst[name])[PICTURED:]
        for name in dropped:
            del self.worst[name]
            self.pictures.pop(name, None)
        return subject in self.worst

    def write(self, metrics: Mapping[str, MetricSummary], outcome: Outcome, *, seconds: float) -> dict[str, Path]:
        """Write every file of the evaluation, each whole or not at all."""
        folder, cases = self.plan.output_dir, outcome.cases
        found = self._classified()
        names = [case.subject for case in cases]
        finals = self.predictions.finalize(names, class_names=self.assembly.loaded.class_names)
        files = {path.stem: path for path in finals}
        for metric in self.assembly.metrics:
            place = self._place(metric.report_path)
            raw, summary = write_v3_texts(place, metrics[metric.name], cases=cases)
            files |= {f"{metric.name}_raw": raw, f"{metric.name}_summary": summary}
        files["csv"] = write_csv(folder / "metrics.csv", metrics, cases=cases, said=found)
        facts = {**self._facts(), "failures": outcome.failures, "config": self.plan.raw}
        facts |= {"classification": found.to_dict()} if found else {}
        files["json"] = write_scores_json(folder / "metrics.json", metrics, cases=cases, facts=facts)
        files["report"] = write_report(folder / "report.html", self._report(metrics, outcome, seconds))
        return files

    def _classified(self) -> Classified | None:
        return classified(self.assembly.metrics, self.assembly.loaded.class_names)

    def _place(self, report_path: str | None) -> Path:
        if not report_path:
            return self.plan.output_dir
        path = Path(report_path)
        return path if path.is_absolute() else self.plan.archive.inside(path)

    def _facts(self) -> dict[str, Any]:
        return {
            "archive": str(self.plan.archive.root),
            "weights": str(self.assembly.loaded.prefix),
            "weights_sha256": self.assembly.loaded.sha256,
            "data_list": str(self.plan.data_list_file),
            "data_list_key": self.plan.data_list_key,
        }

    def _report(self, metrics: Mapping[str, MetricSummary], outcome: Outcome, seconds: float) -> ReportContent:
        card = self.assembly.loaded.card
        history = read_history(self.assembly.loaded.prefix.parent / HISTORY_FILE)
        training = {key: value for key, value in card.items() if key != "config"}
        return ReportContent(
            title=self.plan.archive.root.name,
            facts=self._shown_facts(seconds),
            metrics=metrics,
            ranking=ranking_metric(self.assembly.metrics),
            cases=outcome.cases,
            classified=self._classified(),
            pictures=self.pictures,
            failures=outcome.failures,
            history=history,
            details={
                "Evaluation config": self.plan.raw,
                "Training config": card.get("config"),
                "Model card": training,
                "Training manifest": _read_text(self.assembly.loaded.prefix.parent / MANIFEST_FILE),
            },
        )

    def _shown_facts(self, seconds: float) -> dict[str, str]:
        card = self.assembly.loaded.card
        metric = card.get("metric") or {}
        best = f", {metric['name']} {metric['value']:.4f} in training" if metric.get("value") is not None else ""
        return {
            "Data": f"{len(self.listed.items)} cases of {self.plan.data_list_key!r} in {self.plan.data_list_file.name}",
            "Evaluated": time.strftime("%Y-%m-%d %H:%M"),
            "Archive": str(self.plan.archive.root),
            "Config": self.plan.archive.shown(self.plan.config_file),
            "Data list": str(self.plan.data_list_file),
            "Weights": f"{self.assembly.loaded.prefix} (sha256 {self.assembly.loaded.sha256[:12]})",
            "Model": f"{card['model'].get('name', '')}, epoch {card.get('epoch', '?')}{best}",
            "Classes": ", ".join(self.assembly.loaded.class_names),
            "Device": str(self.assembly.predictor.device),
            "Time": f"{seconds:.1f} s, {seconds / max(1, len(self.listed.items)):.2f} s per case",
            "Versions": " · ".join(f"{name} {version}" for name, version in machine.versions().items()),
        }


def _as_map(volume: Volume | None) -> Volume | None:
    """A field that has a place in the picture; a vector has none."""
    return volume if volume is not None and volume.spatial_shape else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
