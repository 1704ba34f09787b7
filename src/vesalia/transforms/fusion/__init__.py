"""Neighbouring transforms done as one: crop, flips, resampling and contrast in a single pass over the voxels.

The interface is :class:`vesalia.transforms.fusion.work.Fusible`. The folders of transforms and
:mod:`vesalia.pipelines` may import from here.
"""
