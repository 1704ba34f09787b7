"""Data lists: every form that is allowed, every fault told at once, names that are unique."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalia.components.writers.base import subject_folder
from vesalia.errors import DataError, Fault
from vesalia.pipelines.datalist import DataList, read_datalist, stem_of, subject_names


def read_or_faults(folder: Path, entries: object) -> tuple[DataList | None, tuple[Fault, ...]]:
    try:
        return read(folder, entries), ()
    except DataError as error:
        return None, error.faults


def write(folder: Path, content: object) -> Path:
    file = folder / "list.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def read(folder: Path, entries: object, key: str = "training") -> DataList:
    return read_datalist(write(folder, {"training": entries}), folder, key=key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a.nii.gz", "a_label.nii.gz", "b.nii.gz", "sub/a.nii.gz", "t1.nii", "t2.nii"):
        (tmp_path / name).touch()
    return tmp_path


def test_decathlon_entries(folder: Path) -> None:
    listed = read(folder, [{"image": "./a.nii.gz", "label": "./a_label.nii.gz"}, {"image": "b.nii.gz"}])
    assert [item.name for item in listed.items] == ["a", "b"]
    assert listed.items[0].files == {"image": (folder / "a.nii.gz",), "label": (folder / "a_label.nii.gz",)}
    assert dict(listed.items[1].files) == {"image": (folder / "b.nii.gz",)}
    assert listed.key == "training"


def test_plain_strings_of_test_lists(folder: Path) -> None:
    listed = read(folder, ["./a.nii.gz", "./b.nii.gz"])
    assert [item.files["image"] for item in listed.items] == [(folder / "a.nii.gz",), (folder / "b.nii.gz",)]


def test_image_list_is_channels(folder: Path) -> None:
    assert read(folder, [{"image": ["t1.nii", "t2.nii"]}]).items[0].files["image"] == (
        folder / "t1.nii",
        folder / "t2.nii",
    )


def test_absolute_paths_need_no_base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = write(folder, {"x": [str(folder / "a.nii.gz")]})
    listed = read_datalist(file, tmp_path_factory.mktemp("elsewhere"), key="x")
    assert listed.items[0].files["image"] == (folder / "a.nii.gz",)


def test_other_keys_stay_raw_unless_they_name_images(folder: Path) -> None:
    item = read(folder, [{"image": "a.nii.gz", "label": None, "fold": 0, "id": "x7", "mask": "b.nii.gz"}]).items[0]
    assert set(item.files) == {"image", "mask"}
    assert (item.raw["fold"], item.raw["id"]) == (0, "x7")


def test_duplicates_have_names_of_their_own(folder: Path) -> None:
    listed = read(folder, [{"image": "b.nii.gz"}] * 3)
    assert [item.name for item in listed.items] == ["b", "b_2", "b_3"]
    assert [item.name for item in read(folder, ["b.nii.gz"]).repeated(2).items] == ["b", "b_2"]


def test_different_files_of_one_name_are_told_apart_by_their_folder(folder: Path) -> None:
    names = [item.name for item in read(folder, ["a.nii.gz", "sub/a.nii.gz"]).items]
    assert names == [f"{folder.name}_a", "sub_a"]


def test_byte_order_mark_is_no_fault(folder: Path) -> None:
    file = folder / "bom.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"t": ["a.nii.gz"]}).encode())
    assert len(read_datalist(file, folder, key="t").items) == 1


def test_all_missing_files_at_once(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(folder, [{"image": f"no{n}.nii.gz", "label": "a_label.nii.gz"} for n in range(37)])
    text = str(caught.value)
    assert "37 faults, here are the first 10, and 27 more" in text
    assert "training[9].image: found no file" in text
    assert "no10.nii.gz" not in text
    assert len(caught.value.faults) == 10


def test_faults_of_every_kind_in_one_error(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(folder, [7, {"label": "a_label.nii.gz"}, {"image": 3}, {"image": []}, {"image": "sub"}, "a.nii.gz"])
    text = str(caught.value)
    assert "training: 5 faults" in text
    assert "training[0]: found the value 7" in text
    assert "training[1]: found the keys label, expected a key 'image'" in text
    assert "training[2].image: found the value 3" in text
    assert "training[3].image: found a list of 0 values" in text
    assert "training[4].image: found a folder" in text


@pytest.mark.parametrize("name", ["x" * 5000, "zero\x00byte", "", "  "])
def test_paths_that_no_disk_can_hold_are_faults(folder: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"training\[0\]\.image: found"):
        read(folder, [name])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"training": [', "line 1, column 15: found the end of the file"),
        ('{"training": [NaN]}', "found NaN, expected a finite number"),
        ("[1]", "a list of 1 values"),
        ('{"a": [], "a": []}', "a: found the key a second time"),
        ('{"training": []}', "found an empty list"),
        ('{"training": {"a": 1}}', "found an object with the keys a"),
        ("[" * 100_000, "found"),
    ],
)
def test_content_that_is_no_data_list(folder: Path, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_datalist(write(folder, content), folder, key="training")


def test_not_text_and_not_there(folder: Path) -> None:
    (folder / "image.nii").write_bytes(b"\x1f\x8b\xff\xfe")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_datalist(folder / "image.nii", folder, key="training")
    with pytest.raises(DataError, match=r"DATASET_JSON"):
        read_datalist(folder / "none.json", folder, key="training")


def test_missing_key_says_what_there_is(folder: Path) -> None:
    file = write(folder, {"training": ["a.nii.gz"], "validation": ["b.nii.gz"], "name": "x"})
    with pytest.raises(DataError, match=r"available: training, validation\); write 'training' \(did you mean this\?\)"):
        read_datalist(file, folder, key="trainning")
    with pytest.raises(DataError, match="write one of the lists in the file: training, validation"):
        read_datalist(file, folder, key="zzz")


def test_missing_base_folder_is_one_fault(folder: Path) -> None:
    with pytest.raises(DataError, match="DATA_ROOT") as caught:
        read_datalist(write(folder, {"t": ["a.nii.gz"] * 50}), folder / "nowhere", key="t")
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("name", "stem"),
    [("spleen_8.nii.gz", "spleen_8"), ("1.2.840.nii", "1.2.840"), ("A.NII.GZ", "A"), ("x.dat", "x"), (".nii", ".nii")],
)
def test_stem(name: str, stem: str) -> None:
    assert stem_of(Path("folder") / name) == stem


paths = st.lists(st.sampled_from(["a.nii", "a_2.nii", "a_2_2.nii", "x/a.nii", "y/a.nii", "x_a.nii", "x/b.nii"]))


@given(paths)
def test_names_are_unique_and_first_come_unnumbered(images: list[str]) -> None:
    names = subject_names([Path("base") / image for image in images])
    assert len(names) == len(set(names)) == len(images)
    if images.count("x/b.nii"):
        assert names[images.index("x/b.nii")] == "b"


@given(st.lists(st.tuples(st.text("./\\ a\n", max_size=4), st.text(".\\ a\t", min_size=1, max_size=4)), max_size=6))
def test_a_name_is_always_one_plain_part_of_a_path(images: list[tuple[str, str]]) -> None:
    names = subject_names([Path(folder) / f"{stem}.nii.gz" for folder, stem in images])
    assert len(set(names)) == len(images)
    for name in names:
        assert subject_folder(Path("out"), name).parent == Path("out")
        assert name.isprintable()


def test_a_file_that_is_named_by_dots_is_a_plain_subject() -> None:
    assert subject_names([Path("a/...nii.gz"), Path("b.nii.gz")]) == ["__", "b"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("a.nii.gz"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["image", "label", "x"]), inner),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=json_values)
def test_any_json_is_read_or_refused_in_words(folder: Path, content: Any) -> None:
    listed, faults = read_or_faults(folder, content)
    assert (listed is None) == bool(faults)
    assert all(fault.found and fault.expected and fault.write for fault in faults)
    if listed is not None:
        assert len(listed.items) == len(content)
        assert all(path.is_file() for item in listed.items for paths in item.files.values() for path in paths)


def test_needs_no_torch() -> None:
    code = "import sys, vesalia.pipelines.datalist; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("label", "numbers"), [([0, 1], (0.0, 1.0)), (2, (2.0,)), ([0.25], (0.25,)), ([True, False], (1.0, 0.0))]
)
def test_labels_may_be_numbers(folder: Path, label: Any, numbers: tuple[float, ...]) -> None:
    (item,) = read(folder, [{"image": "b.nii.gz", "label": label}]).items
    assert (item.vectors, list(item.files)) == ({"label": numbers}, ["image"])


def test_files_have_no_vectors(folder: Path) -> None:
    (item,) = read(folder, [{"image": "b.nii.gz", "fold": 3}]).items
    assert item.vectors == {}


@pytest.mark.parametrize("label", [[], ["b.nii.gz", 1], [None], {"a": 1}])
def test_labels_that_are_neither_files_nor_numbers(folder: Path, label: Any) -> None:
    _, faults = read_or_faults(folder, [{"image": "b.nii.gz", "label": label}])
    assert [fault.expected for fault in faults] == [
        "a path, or a list of paths (one per channel), or numbers (of a classification)"
    ]
