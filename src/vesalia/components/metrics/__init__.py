"""Metrics, one score per subject; the interface is :class:`vesalia.components.metrics.base.Metric`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
