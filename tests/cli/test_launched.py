"""A command that was started several times at once works once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.cli.launched import leave_to_rank_zero
from vesalia.cli.main import main


def test_the_first_process_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    assert leave_to_rank_zero() is None


@pytest.mark.parametrize("verb", ["train", "evaluate", "infer"])
def test_the_others_leave_in_peace(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(SystemExit) as left:
        main([verb, str(tmp_path)])
    assert left.value.code == 0
    assert "rank 2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
