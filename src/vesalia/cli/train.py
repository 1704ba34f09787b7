"""``vesalia train``: make a model from an archive."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import (
    AllowCustomCode,
    ConfigOption,
    DeviceOption,
    EnvironmentOption,
    JsonOption,
    Settings,
    parse_duration,
)
from vesalia.cli.launched import leave_to_rank_zero, quiet_unless_first, speaks
from vesalia.errors import ToldElsewhere

if TYPE_CHECKING:
    from vesalia.training.result import TrainResult

__all__ = ["Choice", "train"]

BudgetOption = Annotated[
    str | None, typer.Option(help="Wall-clock time from process start to lay the training over: 300s, 5m, 1h.")
]
PersistOption = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="Keep prepared items there for later runs; auto: ~/.cache.")
]
CacheBudgetOption = Annotated[
    float | None, typer.Option(min=0.0, help="What each cache may take, in GB; goes before the config's.")
]
BadItemOption = Annotated[str | None, typer.Option(help="A subject that cannot be read: stop, or skip it and go on.")]


def train(
    mmar: Annotated[
        Path | None, typer.Argument(metavar="[MMAR]", help="Folder of the archive; may be left to --from-manifest.")
    ] = None,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last run, if there is one.")] = False,
    budget: BudgetOption = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same weights.")] = None,
    from_manifest: Annotated[
        Path | None, typer.Option(help="Train again what a manifest.json records, and tell what is not as it was.")
    ] = None,
    persist_cache: PersistOption = None,
    cache_budget_gb: CacheBudgetOption = None,
    on_bad_item: BadItemOption = None,
    device: DeviceOption = "auto",
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Train a model; Ctrl-C saves, --resume goes on."""
    _require_source(mmar, from_manifest)

    def work() -> dict[str, Any]:
        from vesalia.api import TRAIN_CONFIG, Archive  # late: nibabel and numpy
        from vesalia.cli.display import display_for
        from vesalia.runtime.clock import process_started
        from vesalia.runtime.interrupts import StopRequest

        quiet_unless_first()
        chosen = Choice(config or TRAIN_CONFIG, environment, tuple(settings or []), from_manifest)
        root = _root(mmar, from_manifest)
        together = _is_shared(root, chosen, allow_custom_code=allow_custom_code)
        if not together and (elsewhere := leave_to_rank_zero()) is not None:
            return elsewhere
        archive = Archive(root, allow_custom_code=allow_custom_code)
        with StopRequest() as stop:
            result = archive.train(
                config=chosen.config,
                environment=environment,
                overrides=chosen.settings,
                resume=resume,
                budget_s=None if budget is None else parse_duration(budget, option="--budget"),
                budget_from=process_started(),
                seed=seed,
                device=device,
                manifest=from_manifest,
                persist_cache=persist_cache,
                cache_budget_gb=cache_budget_gb,
                on_bad_item=on_bad_item,
                listener=display_for(json_wanted=json_wanted),
                stop=stop,
            )
        if not speaks():
            raise ToldElsewhere(exit_code=0)
        if not json_wanted:
            say(summary(result))
        return result.to_dict()

    run(work, json_wanted=json_wanted)


def _require_source(mmar: Path | None, manifest: Path | None) -> None:
    if mmar is None and manifest is None:
        raise typer.BadParameter("missing; write vesalia train MMAR, or --from-manifest FILE", param_hint="MMAR")


@dataclass(frozen=True)
class Choice:
    """Which config, and what is set over it."""

    config: str
    environment: str
    settings: tuple[str, ...]
    manifest: Path | None = None


def _root(mmar: Path | None, manifest: Path | None) -> Path:
    """The archive: the one that is named, or else the manifest's."""
    from vesalia.mmar.recorded import read_recorded

    return read_recorded(manifest).archive if mmar is None and manifest is not None else mmar or Path()


def _is_shared(mmar: Path, chosen: Choice, *, allow_custom_code: bool) -> bool:
    """Whether several processes were started, and the config wants them to train together."""
    from vesalia.api import Archive  # late: nibabel and numpy
    from vesalia.runtime.ranks import read_launch

    launch = read_launch()
    if launch.world == 1:
        return False
    from vesalia.runtime.together import joined  # late: torch

    with joined(launch):  # so that a mistake is told once, and ends all of them
        return Archive(mmar, allow_custom_code=allow_custom_code).trains_together(
            config=chosen.config,
            environment=chosen.environment,
            overrides=chosen.settings,
            manifest=chosen.manifest,
        )


def summary(result: TrainResult) -> str:
    """The result in a few lines."""
    best = (
        f"{result.key_metric} {result.best_metric:.4f} at epoch {result.best_epoch}"
        if result.best_epoch
        else "not validated"
    )
    return (
        f"best: {best}; {result.epochs} epochs, {result.steps} steps, {result.seconds:.0f} s, seed {result.seed}\n"
        f"best model: {result.best_model}\nlast model: {result.last_model}\n"
        f"curves:     tensorboard --logdir {result.run_folder}"
    )
