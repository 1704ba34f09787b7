"""Training under AMP: bfloat16 and float16 with a gradient scaler, forced on the processor of the tests."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision

from tests.training.fakes import Ears
from tests.training.fitting import StopAfter, change, train, weights
from vesalia.components.losses.base import Loss
from vesalia.components.metrics.base import Metric, SubjectScore
from vesalia.components.metrics.compute_average_dice import ComputeAverageDice
from vesalia.errors import Interrupted
from vesalia.runtime.precision import FabricPrecision, Precision
from vesalia.training import fit, loop
from vesalia.training.state import Stateful, read_counters
from vesalia.training.supervision import supervised_loss
from vesalia.training.weight_average import WeightAverage

pytestmark = pytest.mark.slow

EXTRAS = ("num_batches_per_update=2", "max_gradient_norm=0.5", "ema_decay=0.9", "epochs=3")
FIRST_SCALE = 2.0**26
"""So large that the first updates overflow, and are left out."""


def forced(monkeypatch: pytest.MonkeyPatch, name: FabricPrecision) -> None:
    """Have ``fit`` train in this format; float16 with the scaler that Fabric has on GPUs alone."""

    def make(*_: object, **__: object) -> Fabric:
        if name != "16-mixed":
            return Fabric(accelerator="cpu", devices=1, precision=name)
        scaler = torch.amp.GradScaler("cpu", init_scale=FIRST_SCALE)
        return Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision(name, device="cpu", scaler=scaler)])

    monkeypatch.setattr(fit, "choose_precision", lambda *_, **__: Precision(name))
    monkeypatch.setattr(fit, "make_fabric", make)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[torch.dtype]]:
    """The number formats of convolutions, of what the loss gets, and of what metrics get."""
    kinds: dict[str, set[torch.dtype]] = {"convolution": set(), "loss": set(), "metric": set()}
    judge, score, convolve = supervised_loss, ComputeAverageDice.score, torch.nn.Conv3d.forward

    def noted_loss(loss: Loss, output: Any, *, target: torch.Tensor) -> torch.Tensor:
        found = judge(loss, output, target=target)
        kinds["loss"] |= {output.probabilities.dtype, found.dtype, *(deeper.dtype for deeper in output.deeper)}
        return found

    def noted_score(self: Metric, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        kinds["metric"].add(fields["model"].dtype)
        return score(self, subject, fields)  # type: ignore[arg-type]

    def noted_convolution(self: torch.nn.Conv3d, image: torch.Tensor) -> torch.Tensor:
        found = convolve(self, image)
        kinds["convolution"].add(found.dtype)
        return found

    monkeypatch.setattr(loop, "supervised_loss", noted_loss)
    monkeypatch.setattr(ComputeAverageDice, "score", noted_score)
    monkeypatch.setattr(torch.nn.Conv3d, "forward", noted_convolution)
    return kinds


def supervised(config: dict[str, Any]) -> None:
    """A network with a coarser output."""
    config["train"]["model"]["args"].update(
        blocks_down="1,1,1", blocks_up="1,1", use_deep_supervision=True, use_group_normG=1
    )


def equal(one: Path, other: Path) -> bool:
    """Equal to the bit."""
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("name", "kind"), [("bf16-mixed", torch.bfloat16), ("16-mixed", torch.float16)])
def test_the_network_computes_in_it_and_losses_and_metrics_in_float32(
    archive: Path,
    monkeypatch: pytest.MonkeyPatch,
    seen: dict[str, set[torch.dtype]],
    name: FabricPrecision,
    kind: torch.dtype,
) -> None:
    forced(monkeypatch, name)
    change(archive, supervised)
    ears = Ears()
    result = train(archive, "epochs=2", listener=ears)
    assert kind in seen.pop("convolution")  # on tiny grids there may be others in float32
    assert seen == {"loss": {torch.float32}, "metric": {torch.float32}}
    assert all(math.isfinite(report.loss) for report in ears.of("stepped"))
    assert {tensor.dtype for tensor in weights(result.last_model).values()} == {torch.float32}
    assert ears.of("started")[0].precision == name


def test_it_learns_what_float32_learns(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, other = Ears(), Ears()
    train(archive, *EXTRAS, "MMAR_CKPT_DIR=plain", listener=plain)
    forced(monkeypatch, "bf16-mixed")
    train(archive, *EXTRAS, "MMAR_CKPT_DIR=amp", listener=other)
    expected, found = ([report.loss for report in ears.of("stepped")] for ears in (plain, other))
    assert found != expected
    assert found == pytest.approx(expected, abs=0.01)
    assert other.of("validated")[-1].value == pytest.approx(plain.of("validated")[-1].value, abs=0.05)


@pytest.mark.parametrize(("name", "after"), [("bf16-mixed", 4), ("16-mixed", 2)])
def test_with_accumulation_clipping_and_an_average_it_resumes_to_the_bit(
    archive: Path, monkeypatch: pytest.MonkeyPatch, name: FabricPrecision, after: int
) -> None:
    forced(monkeypatch, name)
    change(archive, supervised)
    whole = train(archive, *EXTRAS, "MMAR_CKPT_DIR=whole")
    with pytest.raises(Interrupted):
        train(archive, *EXTRAS, "MMAR_CKPT_DIR=stopped", listener=StopAfter(after))
    resumed = train(archive, *EXTRAS, "MMAR_CKPT_DIR=stopped", resume=True)
    assert resumed.resumed
    assert equal(whole.last_model, resumed.last_model)
    assert equal(whole.best_model, resumed.best_model)


def test_updates_that_overflow_are_left_out_and_the_scale_falls(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch, "16-mixed")
    scalers: list[torch.amp.GradScaler] = []
    parts = fit._parts

    def noted(fabric: Fabric, average: WeightAverage | None) -> dict[str, Stateful]:
        found = parts(fabric, average)
        scalers.append(cast("torch.amp.GradScaler", found["scaler"]))
        return found

    monkeypatch.setattr(fit, "_parts", noted)
    once = train(archive, "epochs=1", "learning_rate=0.01", "num_training_epoch_per_valid=1")
    start = weights(once.last_model)
    assert scalers[0].get_scale() == FIRST_SCALE / 4  # both updates of the epoch
    counters = read_counters(archive / "models")
    assert counters is not None
    assert counters.skipped == 2
    more = train(archive, "epochs=30", "learning_rate=0.01", resume=True)
    assert scalers[1].get_scale() < FIRST_SCALE / 4
    assert any(not torch.equal(start[name], tensor) for name, tensor in weights(more.last_model).items())
