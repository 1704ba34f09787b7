"""What an image is: voxels, where they lie in the patient, and how they come from and go to files.

The interface is :class:`vesalia.imaging.volume.Volume` (a tensor with its place) and
:class:`vesalia.imaging.volume.Sample` (named volumes of one subject). Around it: ``geometry`` (affines and grids,
no torch), ``orientation`` (axis codes, to RAS and back), ``resample`` (from one grid to another) and ``nifti``
(files). Anyone above may import this folder; it imports ``errors`` and ``runtime`` only.
"""

# SPDX-License-Identifier: Apache-2.0
