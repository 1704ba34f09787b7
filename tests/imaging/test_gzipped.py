"""Files that may be compressed: starts, whole files, damage, and equal bytes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from vesalia.errors import DataError, ResourceError
from vesalia.imaging.gzipped import create, read_all, read_start

CONTENT = bytes(range(256)) * 40


def _packed(folder: Path) -> Path:
    path = folder / "a.gz"
    path.write_bytes(gzip.compress(CONTENT))
    return path


def _plain(folder: Path) -> Path:
    path = folder / "a.bin"
    path.write_bytes(CONTENT)
    return path


def test_starts(tmp_path: Path) -> None:
    assert read_start(_packed(tmp_path), 300) == (CONTENT[:300], None)
    assert read_start(_plain(tmp_path), 300) == (CONTENT[:300], len(CONTENT))


def test_whole_files(tmp_path: Path) -> None:
    assert read_all(_packed(tmp_path)) == CONTENT
    assert read_all(_plain(tmp_path)) == CONTENT


def test_files_of_several_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"one") + gzip.compress(b"two"))
    assert read_all(path) == b"onetwo"


@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_written_can_be_read_and_has_no_date(tmp_path: Path, *, compressed: bool) -> None:
    for name in ("a", "b"):
        with create(tmp_path / name, compressed=compressed) as stream:
            stream.write(CONTENT)
    assert read_all(tmp_path / "a") == CONTENT
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (len((tmp_path / "a").read_bytes()) < len(CONTENT)) == compressed


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b[:-6] + b"\0" * 6, lambda b: b[:12] + b"x" * 50]
)
def test_damage_is_named(tmp_path: Path, damage: object) -> None:
    path = _packed(tmp_path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator] # a function
    with pytest.raises(DataError, match=r"a.gz: found damaged gzip data .*; write a fresh copy"):
        read_all(path)


def test_what_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for read in (read_all, lambda path: read_start(path, 9)):
        with pytest.raises(DataError, match="found no such file"):
            read(tmp_path / "none.nii")
        with pytest.raises(DataError, match="found a folder"):
            read(tmp_path)

    def refuse(*_: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match="may not be read"):
        read_all(tmp_path / "a")


def test_too_little_memory_is_said_with_what_was_needed_and_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("vesalia.runtime.machine.available_memory_bytes", lambda: 5000)
    monkeypatch.setattr("vesalia.imaging.gzipped.isal_zlib.decompressobj", refuse)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(2_000_000)))
    with pytest.raises(ResourceError, match=r"too little memory to read it \(needed 2 MB, had 5 kB\), expected room"):
        read_all(path)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    (tmp_path / "plain").write_bytes(bytes(70_000))
    with pytest.raises(ResourceError, match=r"\(needed 70 kB, had 5 kB\)"):
        read_all(tmp_path / "plain")


@pytest.mark.parametrize("parts", [(b"one", b"one"), (b"", b"two"), (b"one", b""), (b"x" * 9000, b"y" * 9000)])
def test_parts_of_any_length(tmp_path: Path, parts: tuple[bytes, bytes]) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"".join(map(gzip.compress, parts)))
    assert read_all(path) == b"".join(parts)


def test_a_length_that_lies_is_damage(tmp_path: Path) -> None:
    path = _packed(tmp_path)
    path.write_bytes(path.read_bytes()[:-4] + (5).to_bytes(4, "little"))
    with pytest.raises(DataError, match="damaged"):
        read_all(path)
