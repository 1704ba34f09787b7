"""A transform as they were written for Clara Train v3: one random number is added to all voxels."""

import numpy as np

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.utils.dtype_utils import str_to_dtype


class AddRandomOffset(MultiFieldTransformer):
    def __init__(self, fields, magnitude, dtype="float32"):
        MultiFieldTransformer.__init__(self, fields)
        self._magnitude = magnitude
        self._dtype = str_to_dtype(dtype)

    def transform(self, transform_ctx: TransformContext):
        offset = np.random.uniform(-self._magnitude, self._magnitude)
        for field in self.fields:
            image = transform_ctx.get_image(field)
            moved = (image.get_data() + offset).astype(self._dtype)
            transform_ctx.set_image(field, image.new_image(moved, image.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False
