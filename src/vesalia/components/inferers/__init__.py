"""Ways to bring a whole image through a network; the interface is :class:`vesalia.components.inferers.base.Inferer`.

One file per component. Everything from :mod:`vesalia.inference` upwards may import from here.
"""
