"""Writers of results; the interface is :class:`vesalia.components.writers.base.Writer`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
