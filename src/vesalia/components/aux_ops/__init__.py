"""Extra values by tag, from what the network sees; the interface is :class:`vesalia.components.aux_ops.base.AuxOp`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
