"""``vesalia infer``: predictions as NIfTI, each on its image's own grid."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vesalia.cli.answer import run, say, show_warnings
from vesalia.cli.arguments import (
    AllowCustomCode,
    ConfigOption,
    EngineDeviceOption,
    EnvironmentOption,
    JsonOption,
    Settings,
)
from vesalia.cli.launched import leave_to_rank_zero
from vesalia.errors import ConfigError

if TYPE_CHECKING:
    from vesalia.deploy.runner.run import RunResult
    from vesalia.inference.results import InferResult
    from vesalia.runtime.interrupts import StopRequest

__all__ = ["infer", "infer_export"]

_ENGINES: Final = ("torch", "onnx")


def infer(
    mmar: Annotated[Path, typer.Argument(metavar="MMAR", help="Folder of the archive, or an exported plan.")],
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="[IMAGE...]", help="Images; none takes the config's data list.")
    ] = None,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to; the archive's eval folder if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Skip subjects whose results are there already.")] = False,
    device: EngineDeviceOption = "auto",
    engine: Annotated[
        str | None,
        typer.Option(help="torch, or onnx: what vesalia export --to onnx wrote, without torch."),
    ] = None,
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Predict with a trained model and write the results on each image's own grid."""

    def work() -> dict[str, Any]:
        from vesalia.api import EVALUATE_CONFIG, Archive  # late: nibabel and numpy
        from vesalia.cli.display import Steps
        from vesalia.runtime.interrupts import StopRequest

        if (elsewhere := leave_to_rank_zero()) is not None:
            return elsewhere
        given = list(images or [])
        known: dict[str, Any] = {"resume": resume, "device": device}
        exported = _exported_plan(mmar, engine)
        result: InferResult | RunResult
        with StopRequest() as stop, Steps("subjects", json_wanted=json_wanted) as steps:
            if exported is not None:
                _refuse_settings(config, settings)
                result = infer_export(exported, given, output=output, progress=steps, stop=stop, **known)
            else:
                archive = Archive(mmar, allow_custom_code=allow_custom_code)
                predict = archive.infer_without_torch if engine == "onnx" else archive.infer
                result = predict(
                    given,
                    config=config or EVALUATE_CONFIG,
                    environment=environment,
                    overrides=settings or [],
                    output=output,
                    progress=steps,
                    stop=stop,
                    **known,
                )
        show_warnings(result.warnings)
        if not json_wanted:
            _show(result)
        return result.to_dict()

    run(work, json_wanted=json_wanted)


def infer_export(
    plan: Path,
    images: list[Path],
    *,
    output: Path | None,
    progress: Callable[[int, int], None],
    stop: StopRequest,
    **options: Any,
) -> RunResult:
    """Predict with a plan that was exported, and no archive.

    Raises:
        ConfigError: There are no images, or no folder for the results.
    """
    from vesalia.deploy.runner.plan import read_plan  # late: onnxruntime
    from vesalia.deploy.runner.run import infer as run_plan
    from vesalia.pipelines.datalist import items_of

    if not images or output is None:
        message = f"{plan}: found no {'folder for results' if images else 'images'}, expected both, as an exported plan"
        raise ConfigError(f"{message} has neither; write vesalia infer {plan} IMAGE... --output FOLDER")

    def told(done: int, total: int, _: str) -> None:
        progress(done, total)

    told.note = getattr(progress, "note", None)  # type: ignore[attr-defined] # what is said beforehand
    return run_plan(read_plan(plan), items_of(images), output=output, progress=told, stop=stop, **options)


def _exported_plan(mmar: Path, engine: str | None) -> Path | None:
    """The plan that ``mmar`` is or holds, where it is no archive.

    Raises:
        ConfigError: There is no such engine, or it cannot run an exported plan.
    """
    from vesalia.deploy.runner.plan import find_plan

    if engine not in {None, *_ENGINES}:
        raise ConfigError(f"--engine: found {engine!r}, expected {' or '.join(_ENGINES)}; write --engine onnx")
    exported = None if (mmar / "config").is_dir() else find_plan(mmar)
    if exported is not None and engine == "torch":
        raise ConfigError(f"--engine: found torch for {exported}, expected onnx, which it was exported for")
    return exported


def _refuse_settings(config: str | None, settings: list[str] | None) -> None:
    if config is not None or settings:
        given = "--config" if config is not None else "--set"
        message = f"{given}: found it with an exported plan, expected an archive; leave it out"
        raise ConfigError(f"{message}, and export again from an archive with other settings")


def _show(result: InferResult | RunResult) -> None:
    for case in result.cases:
        say("\n".join(map(str, case.files)))
    for path in result.files:
        say(str(path))
    if result.skipped:
        say(f"{len(result.skipped)} subjects were done before")
