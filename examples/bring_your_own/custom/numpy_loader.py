"""A loader as they were written for Clara Train v3: from the path of a NumPy file to an image."""

import numpy as np

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.utils.dtype_utils import str_to_dtype


class NumpyLoader(MultiFieldTransformer):
    def __init__(self, fields, shape="DHW", dtype="float32"):
        MultiFieldTransformer.__init__(self, fields)
        self._shape = ShapeFormat(shape)
        self._dtype = str_to_dtype(dtype)

    def transform(self, transform_ctx: TransformContext):
        for field in self.fields:
            file_name = transform_ctx[field]
            data = np.load(file_name).astype(self._dtype)
            if data.ndim != self._shape.get_number_of_dims():
                raise ValueError(f"{file_name} has {data.ndim} axes, not those of {self._shape}")
            image = MedicalImage(data, self._shape)
            image.set_property(ImageProperty.ORIGINAL_SHAPE, data.shape)
            image.set_property(ImageProperty.FILENAME, file_name)
            transform_ctx.set_image(field, image)
        return transform_ctx
