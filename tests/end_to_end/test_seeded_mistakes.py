"""Mistakes that people make, one after another: the right message, exit code 2, and nothing half-written."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end import data_mistakes, name_mistakes, run_mistakes, value_mistakes
from tests.end_to_end.data_mistakes import change_affine, change_voxels
from tests.end_to_end.mistakes import Mistake, put
from tests.end_to_end.workbench import Answer, Bench, in_process, vesalia
from vesalia.errors import Fault

EVERY = (*name_mistakes.MISTAKES, *value_mistakes.MISTAKES, *data_mistakes.MISTAKES, *run_mistakes.MISTAKES)
ROWS = [
    pytest.param(mistake, command, id=f"{mistake.name} [{command}]")
    for mistake in EVERY
    for command in mistake.commands
]


def require_told(answer: Answer, says: Iterable[str]) -> None:
    """The answer of a command with ``--json`` that the user can mend."""
    assert answer.code == 2
    assert "Traceback" not in answer.out + answer.err
    assert answer.data["ok"] is False
    assert [part for part in says if part not in answer.told] == [], answer.told


def require_untouched(bench: Bench, before: dict[str, str], *, may_change: tuple[str, ...] = ()) -> None:
    """No path is new, gone or different, but where the command may write; nothing is left half-written anywhere."""
    after = bench.tree()
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert [path for path in sorted(changed) if not path.startswith(may_change or ("\0",))] == []
    assert [path for path in after if Path(path).name.startswith((".writing-", ".making-"))] == []


def test_there_are_many() -> None:
    assert len(EVERY) >= 55
    assert len({mistake.name for mistake in EVERY}) == len(EVERY)


@pytest.mark.parametrize(("mistake", "command"), ROWS)
def test_a_machine_is_told(bench: Bench, mistake: Mistake, command: str) -> None:
    mistake.damage(bench)
    before = bench.tree()
    answer = in_process(command, bench.archive, *mistake.options, "--json")
    require_told(answer, mistake.says)
    require_untouched(bench, before, may_change=mistake.may_change)


@pytest.mark.parametrize("mistake", [pytest.param(mistake, id=mistake.name) for mistake in EVERY])
def test_a_person_is_told(bench: Bench, mistake: Mistake) -> None:
    mistake.damage(bench)
    answer = in_process(mistake.commands[0], bench.archive, *mistake.options)
    assert answer.code == 2
    assert "Traceback" not in answer.out + answer.err
    assert [part for part in mistake.says if part not in answer.err] == [], answer.err


@pytest.mark.parametrize(
    "name",
    ["loss misspelt", "ture", "an image with a bit flipped", "weights whose hash differs", "an option that is none"],
)
def test_the_command_itself_says_the_same(bench: Bench, name: str) -> None:
    mistake = next(mistake for mistake in EVERY if mistake.name == name)
    mistake.damage(bench)
    before = bench.tree()
    answer = vesalia(mistake.commands[0], bench.archive, *mistake.options, "--json")
    require_told(answer, mistake.says)
    require_untouched(bench, before, may_change=mistake.may_change)


@pytest.mark.parametrize("command", ["check", "train", "evaluate", "infer"])
class TestAnArchiveThatIsNone:
    def test_no_such_folder(self, tmp_path: Path, command: str) -> None:
        require_told(
            in_process(command, tmp_path / "arch", "--json"), (str(tmp_path / "arch"), "no such folder", "vesalia new")
        )

    def test_a_file(self, tmp_path: Path, command: str) -> None:
        (tmp_path / "model.zip").write_text("")
        require_told(
            in_process(command, tmp_path / "model.zip", "--json"), ("model.zip", "a file", "the root folder of an MMAR")
        )

    def test_a_folder_too_deep(self, bench: Bench, command: str) -> None:
        before = bench.tree()
        answer = in_process(command, bench.archive / "commands", "--json")
        require_told(answer, ("commands", "no folder config in it", str(bench.archive)))
        require_untouched(bench, before)


class TestWhatIsOddAndAllowed:
    """A warning, and the work goes on."""

    def require_warned(self, bench: Bench, *says: str) -> None:
        checked = in_process("check", bench.archive, "--json")
        assert (checked.code, checked.data["ok"]) == (0, True)
        warnings = [str(Fault(**warning)) for warning in checked.data["warnings"]]
        assert [warning for warning in warnings if all(part in warning for part in says)], warnings
        person = in_process("check", bench.archive)
        assert person.code == 0
        assert all(part in person.out for part in ("warning: ", *says))
        trained = in_process("train", bench.archive, "--json")
        assert (trained.code, trained.data["epochs"]) == (0, 2)
        assert all(part in trained.err for part in ("warning: ", *says))
        assert in_process("evaluate", bench.archive, "--json").code == 0

    @pytest.mark.parametrize("case", [1, 5])
    def test_a_label_without_foreground(self, untrained: Bench, case: int) -> None:
        change_voxels(untrained.label(case), np.zeros_like)
        self.require_warned(untrained, f"labelsTr/abdomen_00{case}.nii.gz", "no voxel above 0", "some foreground")

    def test_an_image_of_one_value(self, untrained: Bench) -> None:
        change_voxels(untrained.image(1), lambda voxels: np.full_like(voxels, 40))
        self.require_warned(untrained, "imagesTr/abdomen_001.nii.gz", "the value 40 in every voxel", "the right file")

    def test_an_image_of_one_value_that_is_normalised(self, untrained: Bench) -> None:
        put("train.pre_transforms[4]", {"name": "NormalizeNonzeroIntensities", "args": {"fields": "image"}})(untrained)
        put("validate.pre_transforms[4].ref", "NormalizeNonzeroIntensities")(untrained)
        change_voxels(untrained.image(1), lambda voxels: np.full_like(voxels, 40))
        self.require_warned(untrained, "imagesTr/abdomen_001.nii.gz", "the value 40 in every voxel", "the right file")

    def test_voxels_as_small_as_atoms(self, untrained: Bench) -> None:
        for path in (untrained.image(1), untrained.label(1)):
            change_affine(path, np.diag([1e-3, 1e-3, 1e-3, 1.0]))
        checked = in_process("check", untrained.archive, "--json")
        assert any("edges of 0.02 to 30 mm" in warning["expected"] for warning in checked.data["warnings"])

    def test_a_key_that_nothing_reads(self, untrained: Bench) -> None:
        put("note_to_self", "ask about the scanner")(untrained)
        self.require_warned(untrained, "note_to_self", "a key that nothing reads")

    @pytest.mark.parametrize("card", [None, "{'model': 1}"])
    def test_weights_without_a_card_beside_them(self, bench: Bench, card: str | None) -> None:
        """They hold it themselves."""
        (bench.models / "model.json").unlink()
        if card:
            (bench.models / "model.json").write_text(card)
        for command in ("evaluate", "infer"):
            assert in_process(command, bench.archive, "--json").code == 0


class TestNew:
    def require_refused(self, bench: Bench, folder: Path, data: Path, *says: str) -> None:
        before = bench.tree()
        require_told(in_process("new", folder, "--data", data, "--json"), says)
        require_untouched(bench, before)

    def test_into_a_folder_that_is_not_empty(self, bench: Bench) -> None:
        self.require_refused(bench, bench.archive, bench.data, str(bench.archive), "commands", "a new or empty folder")

    def test_over_a_file(self, bench: Bench) -> None:
        (bench.root / "new").write_text("mine")
        self.require_refused(bench, bench.root / "new", bench.data, "no folder", "a new folder")

    def test_from_a_folder_that_is_no_data_set(self, bench: Bench) -> None:
        (bench.root / "photos").mkdir()
        self.require_refused(
            bench, bench.root / "new", bench.root / "photos", "without dataset.json", "Decathlon", "nnU-Net"
        )

    def test_from_nowhere(self, bench: Bench) -> None:
        self.require_refused(bench, bench.root / "new", bench.root / "gone", "gone", "no such file")

    def test_from_an_archive_where_an_image_is_broken(self, bench: Bench) -> None:
        bench.image(2).write_bytes(bench.image(2).read_bytes()[:100])
        self.require_refused(bench, bench.root / "new", bench.data, "imagesTr/abdomen_002.nii.gz", "gzip")

    def test_for_a_task_that_is_none(self, bench: Bench) -> None:
        before = bench.tree()
        answer = in_process("new", bench.root / "new", "--data", bench.data, "--task", "segmentatoin", "--json")
        require_told(answer, ("task", "'segmentatoin'", "--task segmentation"))
        require_untouched(bench, before)
