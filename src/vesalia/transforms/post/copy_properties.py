"""CopyProperties: where a volume lies and came from, taken over from another."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import Affine
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldName, FieldNames
from vesalia.transforms.base import Deterministic, field_names

__all__ = ["CopyProperties"]

_KNOWN = ("affine", "spacing", "original_affine", "original_shape", "filename", "source")


class CopyProperties(Deterministic):
    """Copies the affine, or the record of the file, from one field to others.

    A field that was already brought back to the grid of the file gets the affine of the file.

    Args:
        fields: The fields that get the properties.
        from_field: The field that has them.
        properties: What to copy: ``affine`` (``spacing`` means the same), or ``source`` (the record of the file, which
            ``filename``, ``original_shape`` and ``original_affine`` are part of).
    """

    def __init__(self, fields: FieldNames, *, from_field: FieldName, properties: Sequence[str] = ("affine",)) -> None:
        names = field_names(properties)
        if unknown := [name for name in names if name not in _KNOWN]:
            raise ConfigError(f"properties: found {unknown[0]!r}, expected some of {list(_KNOWN)}; write ['affine']")
        self.fields = field_names(fields)
        self.from_field = from_field
        self.properties = names

    def transform(self, sample: Sample) -> Sample:
        """Copy the properties."""
        return sample.with_fields(**{name: self._copy(sample, name) for name in self.fields})

    def _copy(self, sample: Sample, name: str) -> Volume:
        volume, origin = sample[name], sample[self.from_field]
        wanted = set(self.properties)
        if wanted & {"affine", "spacing"}:
            volume = replace(volume, affine=self._affine(volume, origin, name))
        if wanted - {"affine", "spacing"}:
            volume = replace(volume, source=origin.source)
        return volume

    def _affine(self, volume: Volume, origin: Volume, name: str) -> Affine | None:
        file = None if origin.source is None else origin.source.grid
        if file is not None and volume.affine is not None and volume.grid.matches(file):
            return file.affine
        if volume.spatial_shape == origin.spatial_shape:
            return origin.affine
        if file is not None and volume.spatial_shape == file.shape:
            return file.affine
        message = f"found {name!r} of shape {volume.spatial_shape}, expected {origin.spatial_shape}"
        raise DataError(f"{message} as {self.from_field!r} has; copy the affine between fields on the same grid")
