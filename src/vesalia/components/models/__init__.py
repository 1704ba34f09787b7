"""Segmentation networks; the interface is :class:`vesalia.components.models.base.Model`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
