"""Pictures of a case: the image in grey, the ground truth and the prediction as outlines in two colours."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

from vesalia.imaging.volume import Volume
from vesalia.inference.slices import View, views

__all__ = ["PREDICTION_COLOUR", "TRUTH_COLOUR", "grey_window", "outline", "overlay_png"]

Array = npt.NDArray[Any]
Colour = tuple[int, int, int]

TRUTH_COLOUR: Final = (56, 189, 248)
PREDICTION_COLOUR: Final = (255, 159, 64)
_BACKGROUND: Final = (12, 14, 18)
_MARK_COLOUR: Final = (190, 198, 210)
_WINDOW_PERCENTILES: Final = (0.5, 99.5)
_TRUTH_PIXELS: Final = 4
_PREDICTION_PIXELS: Final = 2
_PANEL: Final = 300
"""Edge of the square that a slice is fitted into, in pixels."""
_GAP: Final = 8
_FONT_PIXELS: Final = 14
_SAMPLES: Final = 2_000_000
"""Voxels that the grey window is estimated from at most."""


def overlay_png(image: Volume, *, label: Volume | None = None, prediction: Volume | None = None) -> bytes:
    """A PNG with the axial, coronal and sagittal slice through the label's largest extent.

    All slices share one scale in mm, so organs keep their proportions; letters mark the patient's sides.
    The ground truth is a broad line and the prediction a thin one on top of it: where they agree both are seen.

    Args:
        image: The image; its first channel is shown, between its 0.5th and 99.5th percentile.
        label: The ground truth, if there is one; may lie on another grid.
        prediction: Class indices or probabilities; may lie on another grid.
    """
    shown = views(image, label=label, prediction=prediction)
    window = grey_window(image)
    pixels_per_mm = _PANEL / max(*(max(view.size_mm) for view in shown), 1e-6)
    panels = [_panel(view, window, pixels_per_mm) for view in shown]
    sheet = Image.new("RGB", (len(panels) * (_PANEL + _GAP) - _GAP, _PANEL), _BACKGROUND)
    for index, panel in enumerate(panels):
        sheet.paste(panel, (index * (_PANEL + _GAP), 0))
    stream = io.BytesIO()
    sheet.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def grey_window(image: Volume) -> tuple[float, float]:
    """Intensities shown as black and as white: percentiles of the finite voxels of the first channel."""
    data: Array = image.as_batch()[0, 0].float().flatten().cpu().numpy()
    data = data[:: max(1, data.size // _SAMPLES)]
    data = data[np.isfinite(data)]
    if not data.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(data, _WINDOW_PERCENTILES))
    return (low, high) if high > low else (float(data.min()), float(data.max()))


def _panel(view: View, window: tuple[float, float], pixels_per_mm: float) -> Image.Image:
    rows, columns = (max(1, round(length * pixels_per_mm)) for length in view.size_mm)
    slice_ = _grey(view.image, window).resize((columns, rows), Image.Resampling.BICUBIC).convert("RGB")
    pixels = np.array(slice_)
    for classes, colour, width in (
        (view.label, TRUTH_COLOUR, _TRUTH_PIXELS),
        (view.prediction, PREDICTION_COLOUR, _PREDICTION_PIXELS),
    ):
        if classes is not None:
            pixels[outline(classes, shape=(rows, columns), width=width)] = colour
    panel = Image.new("RGB", (_PANEL, _PANEL), _BACKGROUND)
    panel.paste(Image.fromarray(pixels), ((_PANEL - columns) // 2, (_PANEL - rows) // 2))
    _mark(panel, view)
    return panel


def _grey(slice_: Array, window: tuple[float, float]) -> Image.Image:
    low, high = window
    scaled = np.nan_to_num((slice_ - low) / (high - low if high > low else 1.0), nan=0.0, posinf=1.0, neginf=0.0)
    return Image.fromarray((scaled.clip(0, 1) * 255).astype(np.uint8))


def outline(classes: Array, *, shape: tuple[int, int], width: int) -> npt.NDArray[np.bool_]:
    """The inner edge of every class, drawn on ``shape`` pixels with lines of ``width``.

    Args:
        classes: ``[rows, columns]`` class indices; 0 is background.
        shape: Rows and columns of the picture.
        width: Breadth of the line in pixels.
    """
    edge = np.zeros(shape, dtype=bool)
    for index in np.unique(classes[classes > 0]):
        mask = Image.fromarray(((classes == index) * 255).astype(np.uint8))
        smooth = np.array(mask.resize(shape[::-1], Image.Resampling.BILINEAR)) >= 128
        edge |= smooth & ~binary_erosion(smooth, iterations=width)
    return edge


def _mark(panel: Image.Image, view: View) -> None:
    draw = ImageDraw.Draw(panel)
    font = ImageFont.load_default(_FONT_PIXELS)
    if view.plane != "plane":
        draw.text((4, 2), view.plane, fill=_MARK_COLOUR, font=font)
    middle, far = _PANEL // 2, _PANEL - 4
    places = (((4, middle), "lm"), ((far, middle), "rm"), ((middle, 2), "mt"), ((middle, far), "mb"))
    for letter, (place, anchor) in zip(view.marks, places, strict=False):
        draw.text(place, letter, fill=_MARK_COLOUR, font=font, anchor=anchor, stroke_width=2, stroke_fill=_BACKGROUND)
