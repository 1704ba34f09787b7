"""Writes eight small volumes with a ball each, as NumPy files, and the list of them, to the archive's folder data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SIZE = 24
TRAINING, VALIDATION = 6, 2


def main() -> None:
    """Write the files; the same ones each time."""
    folder = Path(__file__).resolve().parents[1] / "data"
    folder.mkdir(exist_ok=True)
    dice = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(SIZE)] * 3, indexing="ij"))
    items = []
    for number in range(TRAINING + VALIDATION):
        centre = dice.uniform(8, SIZE - 8, size=3).reshape(3, 1, 1, 1)
        label = (np.linalg.norm(grid - centre, axis=0) < dice.uniform(4, 6)).astype(np.uint8)
        image = 100 * label + dice.normal(0, 20, label.shape)
        items.append({"image": f"image_{number}.npy", "label": f"label_{number}.npy"})
        np.save(folder / items[-1]["image"], image.astype(np.float32))
        np.save(folder / items[-1]["label"], label)
    listed = {"labels": {"0": "background", "1": "ball"}, "training": items[:TRAINING], "validation": items[TRAINING:]}
    (folder / "dataset.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
