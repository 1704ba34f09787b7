"""What ranks tell each other; the exchange of several is shown end to end, by ``tests/end_to_end/test_ranks.py``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch._C._distributed_c10d import HashStore

from vesalia.errors import DataError, Interrupted, ResourceError, ToldElsewhere, VesaliaError
from vesalia.runtime import machine, together
from vesalia.runtime.lifeline import Failure, Lifeline
from vesalia.runtime.ranks import Launch
from vesalia.runtime.together import ALONE, Ranks, Together, joined

DATA: dict[str, Any] = {"a": [1, 0.1, None], "b": "ü"}


class Line:
    """A lifeline that says what a test wants."""

    def __init__(self, news: Failure | None = None, *, heard: bool = True) -> None:
        self.news, self.heard = news, heard
        self.told: list[Failure] = []

    def wait_for_news(self, timeout_s: float) -> Failure | None:
        return self.news

    def tell(self, failure: Failure) -> bool:
        self.told.append(failure)
        return self.heard


@pytest.fixture
def group() -> Iterator[Together]:
    """One process that thinks it is several: torch's process group of one."""
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield Together(Launch(), Lifeline(0, 1))
    dist.destroy_process_group()


@pytest.mark.parametrize("several", [False, True])
def test_each_gets_what_it_would_get_alone(several: bool, request: pytest.FixtureRequest) -> None:
    ranks: Ranks = request.getfixturevalue("group") if several else ALONE
    assert (ranks.rank, ranks.world, ranks.first) == (0, 1, True)
    assert ranks.total(1.5, 2) == [1.5, 2]
    assert (ranks.any(None), ranks.any("asked")) == (False, True)
    assert ranks.gather(DATA) == [DATA]
    assert ranks.share(DATA) == DATA
    assert (ranks.share_bytes(b""), ranks.share_bytes(b"\x00\xff")) == (b"", b"\x00\xff")
    tensor = torch.arange(3.0)
    ranks.share_tensors([tensor])
    assert tensor.tolist() == [0, 1, 2]
    assert abs(ranks.time() - time.time()) < 60
    ranks.check()


def test_numbers_are_told_exactly(group: Together) -> None:
    assert group.total(0.1 + 0.2, 1e300) == [0.1 + 0.2, 1e300]
    (found,) = group.gather([0.1 + 0.2, math.inf])
    assert found == [0.1 + 0.2, math.inf]
    (nan,) = group.gather(math.nan)
    assert math.isnan(nan)


@pytest.mark.parametrize(
    ("failure", "kind", "text"),
    [
        (Failure(1), ResourceError, "found that rank 1 ended without a word"),
        (Failure(1, "DataError", "no such file"), DataError, "rank 1: no such file"),
        (Failure(1, "TypeError", "TypeError: 3"), VesaliaError, "rank 1: TypeError: 3"),
        (Failure(1, "Interrupted", "stopped", 143), Interrupted, "stopped"),
    ],
)
def test_another_s_failure_is_raised_at_the_next_exchange(
    group: Together, failure: Failure, kind: type[Exception], text: str
) -> None:
    group._lifeline.news = failure
    with pytest.raises(kind, match=text) as raised:
        group.total(1.0)
    assert getattr(raised.value, "exit_code", None) in {1, 2, 143}


def test_a_broken_connection_is_explained(group: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Connection closed by peer\nmore")

    monkeypatch.setattr(together, "_NEWS_S", 0.0)
    monkeypatch.setattr(dist, "all_reduce", broken)
    with pytest.raises(ResourceError, match=r"rank 0: found that the connection .* \(Connection closed by peer\)"):
        group.total(1.0)
    group._lifeline = Line(Failure(2))  # type: ignore[assignment]
    group.check = lambda: None  # type: ignore[method-assign]
    with pytest.raises(ResourceError, match="rank 2 ended without a word"):
        group.total(1.0)


def test_the_end_waits_for_who_still_holds_a_message(group: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[torch.Tensor] = []

    def hold(tensor: torch.Tensor) -> None:
        held.append(tensor)
        threading.Timer(0.2, held.clear).start()

    monkeypatch.setattr(dist, "all_reduce", hold)
    group.total(1.0)
    group.rest(10.0)
    assert not held


def test_the_end_does_not_wait_for_ever(group: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[torch.Tensor] = []
    monkeypatch.setattr(dist, "all_reduce", held.append)
    group.total(1.0)
    group.rest(0.05)
    assert len(held) == 1


def end(rank: int, error: BaseException, line: Line) -> BaseException:
    """What a rank raises in the end."""
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - whatever it is
        together._end_together(Together(Launch(rank=rank, world=3), line), line, error)  # type: ignore[arg-type]
    return raised.value


class TestTheEnd:
    """One rank tells the user, the others keep silent."""

    def test_the_first_tells_its_own(self) -> None:
        line, error = Line(), DataError("no such file")
        assert end(0, error, line) is error
        assert line.told == [Failure(0, "DataError", "no such file", 2)]

    def test_another_leaves_it_to_the_first(self) -> None:
        found = end(1, DataError("no such file"), Line())
        assert isinstance(found, ToldElsewhere)
        assert found.exit_code == 2

    def test_another_tells_it_where_the_first_is_gone(self) -> None:
        error = DataError("no such file")
        assert end(1, error, Line(heard=False)) is error

    def test_a_defect_keeps_its_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        line, error = Line(), TypeError("3")
        assert end(2, error, line) is error
        assert line.told == [Failure(2, "TypeError", "TypeError: 3", 1)]

    def test_the_first_tells_of_another(self) -> None:
        found = end(0, RuntimeError("connection closed"), Line(Failure(1, "DataError", "no such file")))
        assert isinstance(found, DataError)
        assert str(found) == "rank 1: no such file"

    def test_a_mistake_that_all_meet_is_the_first_s_own(self) -> None:
        error = DataError("no such file")
        assert end(0, error, Line(Failure(1, "DataError", "no such file"))) is error

    @pytest.mark.parametrize(("rank", "tells"), [(1, True), (2, False)])
    def test_the_second_tells_that_the_first_was_killed(self, rank: int, tells: bool) -> None:
        found = end(rank, RuntimeError("connection closed"), Line(Failure(0)))
        assert isinstance(found, ResourceError if tells else ToldElsewhere)

    def test_ctrl_c_twice(self) -> None:
        line = Line()
        assert isinstance(end(1, KeyboardInterrupt(), line), KeyboardInterrupt)
        assert line.told[0].exit_code == 130


def test_one_alone_joins_nobody() -> None:
    with joined(Launch()) as ranks:
        assert ranks is ALONE


def test_who_meets_nobody_says_where_it_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_MEETING_S", 0.2)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    launch = Launch(rank=1, world=2, local_rank=1, local_world=2, launcher="mpirun", host="127.0.0.1", port=9)
    before = dict(os.environ)
    with pytest.raises(ResourceError, match=r"rank 1 of 2 \(mpirun\) cannot meet the others at 127.0.0.1:9"):
        joined(launch).__enter__()
    assert dict(os.environ) == before


TORCHRUN = {"TORCHELASTIC_RUN_ID": "none"}


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ({}, 2),
        (TORCHRUN, 2),
        (TORCHRUN | {"OMP_NUM_THREADS": "1"}, 2),  # which torchrun writes itself
        (TORCHRUN | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}, 1),
        (TORCHRUN | {"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "7"}, 7),
    ],
)
def test_processes_of_a_machine_share_its_cores_unless_somebody_said_how(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], threads: int
) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    asked = [int(given.get("OMP_NUM_THREADS", "8"))]  # as torch takes it
    monkeypatch.setattr(torch, "get_num_threads", lambda: asked[-1])
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr(machine, "usable_cores", lambda: 8)
    together._share_cores(Launch(rank=1, world=4, local_world=4))
    assert asked[-1] == threads


@pytest.mark.parametrize(("threads", "usable", "local_world", "wanted"), [(2, 8, 2, 2), (8, 2, 4, 1)])
def test_a_process_takes_no_more_than_torch_would_and_one_at_least(
    monkeypatch: pytest.MonkeyPatch, threads: int, usable: int, local_world: int, wanted: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    asked = [threads]
    monkeypatch.setattr(torch, "get_num_threads", lambda: asked[-1])
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr(machine, "usable_cores", lambda: usable)
    together._share_cores(Launch(rank=1, world=local_world, local_world=local_world))
    assert asked[-1] == wanted


SHARING = """
import sys, torch
from vesalia.runtime import machine
from vesalia.runtime.ranks import read_launch
from vesalia.runtime.together import joined

machine.usable_cores = lambda: 6
launch = read_launch()
with joined(launch):
    open(f"{sys.argv[1]}/{launch.rank}", "w").write(f"{launch.launcher} {torch.get_num_threads()}")
"""


@pytest.mark.slow
def test_torchrun_itself_does_not_leave_each_process_with_one_core(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(SHARING)
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *start, str(tmp_path / "work.py"), str(tmp_path)]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / rank).read_text() for rank in "01"] == ["torchrun 3"] * 2
