"""The one change that helps most: named, with a gain that follows from the figures."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tests.datatools.pipeline_figures import costs, setting
from vesalia.datatools.pipeline_advice import advise


def test_a_list_that_fits_is_cached() -> None:
    found = advise(costs(), setting())
    assert found.gain == pytest.approx(2.25 / 1.0)
    assert found.text == (
        "use the cache (a pipeline ...WithCache): num_cache_objects 40, replace_percent 0 (4.0 GB): "
        "epochs would be 2.2 times as fast"
    )


def test_a_list_that_does_not_fit_is_cached_in_part() -> None:
    found = advise(costs(), setting(memory_bytes=2 * 10**9))
    assert "num_cache_objects 20, replace_percent 0.1 (2.0 GB)" in found.text


def test_a_moving_cache_grows_where_there_is_room() -> None:
    found = advise(costs(), setting(cached=8, replaced=8, memory_bytes=5 * 10**9))
    assert found.text.startswith("num_cache_objects 8 -> 40, replace_percent 0 ")


def test_a_budget_that_is_too_small_is_named() -> None:
    found = advise(costs(), setting(cached=40, held=10))
    assert found.text.startswith("cache_budget_gb 4, num_cache_objects 40, replace_percent 0 (4.0 GB): ")
    assert found.gain == pytest.approx((4 * 0.75 * 1.0 + 0.5) / 2 / 1.0)


def test_more_workers_where_cores_are_idle() -> None:
    found = advise(costs(augment={"slow": 2.0}), setting(cached=40))
    assert found.text == "num_workers 2 -> 4: epochs would be 2.0 times as fast"
    assert advise(costs(augment={"slow": 0.3}), setting(cached=40, workers=0)).text.startswith("num_workers 0 -> 2")


def test_several_crops_of_a_volume_where_nothing_can_be_kept() -> None:
    found = advise(costs(), setting(memory_bytes=0, crops=1, cores=2))
    assert found.text.startswith("batch by transform: FastCropByPosNegRatio with batch_size 4")
    assert "output_batch_size 1" in found.text
    assert found.gain == pytest.approx(2.25 / 1.0)


def test_fixed_steps_behind_the_dice_are_named() -> None:
    slow = costs(augment={"Crop + Flip": 0.05, "CenterData": 2.0})
    found = advise(slow, setting(cached=40, workers=4, in_reach={"CenterData": 2.0}))
    assert found.text.startswith("put CenterData before the first random transform")
    assert found.gain == pytest.approx((4 * 2.05 + 0.1) / 4 / 1.0)


def test_a_cache_that_fills_longer_than_it_is_used_is_persisted() -> None:
    found = advise(costs(augment={"fast": 0.0}), setting(cached=40, epochs=1))
    assert found.text.startswith("--persist-cache: from the second start on, the 20 s that fill the cache are saved")
    assert found.gain == pytest.approx((20 + 10) / 10)


@pytest.mark.parametrize(("on_gpu", "where"), [(True, "use_amp"), (False, "a GPU")])
def test_the_network_is_the_slow_part(on_gpu: bool, where: str) -> None:
    found = advise(costs(augment={"fast": 0.0}, batch=0.0, waiting=0.0), setting(cached=40, on_gpu=on_gpu))
    assert found.text.startswith("the network is the slow part, and waits for data 0.0% of the time; only " + where)
    assert found.gain == 1.0


def test_waiting_that_nothing_mends_is_told() -> None:
    found = advise(costs(augment={"fast": 0.0}, batch=0.0), setting(cached=40))
    assert found.text.startswith("data is waited for 33% of the time")
    assert found.gain == pytest.approx(1.5)


def test_it_is_plain_data() -> None:
    assert set(advise(costs(), setting()).to_dict()) == {"text", "gain"}
