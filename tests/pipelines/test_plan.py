"""The plan of a cache: what it counts, what it says, and the room it leaves."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from vesalia.pipelines import plan as module
from vesalia.pipelines.plan import CachePlan, room_for_items
from vesalia.runtime import cgroup

GB = 1_000_000_000


def plan(**given: Any) -> CachePlan:
    values: dict[str, Any] = {
        "items": 10, "held": 10, "held_bytes": 2 * GB, "limit_bytes": 4 * GB, "budget_gb": None, "place": "memory",
        "prepare_s": 0.5, "augment_s": 0.002, "items_per_step": 4, "workers": 2, **given,
    }  # fmt: skip
    return CachePlan(**values)


def test_all_items_fit() -> None:
    assert plan().to_text() == (
        "cache: 10 of 10 items of 200 MB, 2.0 GB together, in memory; 2 workers make a batch of 4 items in about "
        "4.0 ms: a step that takes longer does not wait for data"
    )


def test_some_do_not_fit() -> None:
    text = plan(held=5, held_bytes=GB, limit_bytes=GB, budget_gb=1.0).to_text()
    assert "5 of 10 items of 200 MB, 1.0 GB together, in memory (budget 1 GB); 5 items do not fit, as 1.0 GB" in text
    assert "are made each time they are used (500 ms each)" in text
    assert "in about 504.0 ms" in text


def test_what_does_not_fit_is_read_where_it_is_on_disk() -> None:
    text = plan(held=5, read_from="/kept").to_text()
    assert "and are read from /kept each time they are used; " in text
    assert "in about 4.0 ms" in text


def test_the_network_waits_for_what_is_slower() -> None:
    assert plan(network_s=0.004).waiting_share == 0
    assert plan(network_s=0.001).waiting_share == pytest.approx(0.75)
    assert plan(augment_s=0.0, network_s=0.001).waiting_share == 0
    assert plan().waiting_share is None
    assert plan(network_s=0.001).to_text().endswith("the network takes about 1.0 ms: expected waiting share 75%")


def test_as_plain_data() -> None:
    told = plan().to_dict()
    assert (told["item_bytes"], told["step_s"], told["items"]) == (200_000_000, 0.004, 10)


def test_nothing_held() -> None:
    assert plan(held=0, held_bytes=0).item_bytes == 0


def test_the_machine_keeps_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_memory_bytes", lambda: 50 * GB)
    monkeypatch.setattr(module, "total_memory_bytes", lambda: 100 * GB)
    assert room_for_items(None) == 40 * GB
    assert room_for_items(8.0) == 8 * GB
    assert room_for_items(80.0) == 40 * GB


def test_a_container_keeps_a_tenth_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """32 GB of a machine that has 512."""
    monkeypatch.setattr(cgroup, "_PROCESS", tmp_path / "none")
    monkeypatch.setattr(cgroup, "_GROUPS", tmp_path)
    (tmp_path / "memory.max").write_text(f"{32 * GB}\n")
    (tmp_path / "memory.current").write_text(f"{2 * GB}\n")
    memory = SimpleNamespace(available=400 * GB, total=512 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert room_for_items(None) == 26.8 * GB
    assert room_for_items(8.0) == 8 * GB
