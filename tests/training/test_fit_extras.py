"""The extras of a training, switched on by keys of a config: off they change nothing, on they resume to the bit."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.fakes import Ears
from tests.training.fitting import StopAfter, change, train, weights
from vesalia.errors import ConfigError, Interrupted

EXTRAS = ("num_batches_per_update=2", "max_gradient_norm=0.5", "ema_decay=0.9")


def supervised(config: dict[str, Any]) -> None:
    """A network with a coarser output."""
    config["train"]["model"]["args"].update(
        blocks_down="1,1,1", blocks_up="1,1", use_deep_supervision=True, use_group_normG=1
    )


def same(one: Path, two: Path) -> bool:
    """Equal to the bit."""
    first, second = weights(one), weights(two)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_each_of_them_changes_the_weights(archive: Path, trained_once: Path) -> None:
    before = weights(trained_once / "models" / "model_final.safetensors")
    for setting in EXTRAS:
        after = weights(train(archive, setting, "epochs=4").last_model)
        assert not all(torch.equal(before[name], after[name]) for name in before), setting


def test_values_that_mean_nothing_change_nothing(archive: Path, trained_once: Path) -> None:
    settings = ("num_batches_per_update=1", "max_gradient_norm=1e9", "stop_patience=99")
    result = train(archive, *settings)
    assert same(result.last_model, trained_once / "models" / "model_final.safetensors")


@pytest.mark.parametrize("after", [2, 5])
def test_a_run_with_all_of_them_resumes_to_the_bit(archive: Path, after: int) -> None:
    change(archive, supervised)
    whole = train(archive, *EXTRAS, "MMAR_CKPT_DIR=whole", "epochs=3")
    with pytest.raises(Interrupted):
        train(archive, *EXTRAS, "MMAR_CKPT_DIR=stopped", "epochs=3", listener=StopAfter(after))
    resumed = train(archive, *EXTRAS, "MMAR_CKPT_DIR=stopped", "epochs=3", resume=True)
    assert resumed.resumed
    assert same(whole.last_model, resumed.last_model)
    assert same(whole.best_model, resumed.best_model)


def test_an_average_that_a_resumed_run_did_not_have_begins_at_its_weights(archive: Path) -> None:
    before = weights(train(archive, "epochs=2").last_model)
    still = ("learning_rate=1e-30", "epochs=3")  # so that the average must stay where it begins
    result = train(archive, *still, "ema_decay=0.999", resume=True)
    after = weights(result.last_model)
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, rtol=0, atol=1e-7)
    assert "ema_decay: the run had no average so far; it begins at step 4" in result.notes
    again = train(archive, "learning_rate=1e-30", "epochs=4", "ema_decay=0.999", resume=True)
    assert not any(note.startswith("ema_decay") for note in again.notes)


def test_frozen_parts_keep_the_weights_they_start_from(archive: Path, trained_once: Path) -> None:
    start = trained_once / "models" / "model_final.ckpt"
    ears = Ears()
    result = train(
        archive,
        f"MMAR_CKPT={start}",
        "epochs=1",
        "frozen_parameters=network.convInit.*,network.down_layers",
        listener=ears,
    )
    before, after = weights(start.with_name("model_final.safetensors")), weights(result.last_model)
    frozen = {name for name in before if name.startswith(("network.convInit.", "network.down_layers."))}
    assert {name for name in before if torch.equal(before[name], after[name])} == frozen
    assert any(note.startswith("frozen_parameters: ") for note in result.notes)


def test_a_pattern_that_matches_nothing_leaves_the_earlier_run_where_it_is(trained: Path) -> None:
    before = (trained / "models" / "manifest.json").read_text()
    with pytest.raises(ConfigError, match="frozen_parameters"):
        train(trained, "frozen_parameters=encoder.*")
    assert (trained / "models" / "manifest.json").read_text() == before


def test_patience_stops_and_is_recorded(archive: Path) -> None:
    def nothing_to_gain(config: dict[str, Any]) -> None:
        config["num_training_epoch_per_valid"] = 1

    change(archive, nothing_to_gain)
    ears = Ears()
    result = train(archive, "epochs=50", "learning_rate=1e-30", "stop_patience=2", listener=ears)
    assert (result.epochs, result.best_epoch) == (3, 1)
    assert [said for said in ears.of("warned") if said.startswith("stopped early: no gain in 2 validations")]
    manifest = json.loads((archive / "models" / "manifest.json").read_text())
    assert manifest["config"]["stop_patience"] == 2
    resumed = train(archive, "epochs=50", "learning_rate=1e-30", "stop_patience=2", resume=True)
    assert resumed.epochs == 3  # it had come to its end


def test_weights_of_a_supervised_network_load_again(archive: Path) -> None:
    from vesalia.inference.weights import load_weights

    change(archive, supervised)
    result = train(archive, "epochs=1")
    loaded = load_weights(result.best_model)
    assert loaded.model(torch.rand(1, 1, 8, 8, 8)).shape == (1, 2, 8, 8, 8)
