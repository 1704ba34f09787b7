"""How a name in a config becomes a class.

``catalog`` lists what ships, ``entrypoints`` what plug-ins add, ``byoc`` what an archive brings along in ``custom/``;
``registry`` asks the three in that order. ``signature`` reads a constructor from its source, and ``kinds`` says what
a value in a config may be and turns it into the type that the constructor asks for.

The interface is :mod:`vesalia.registry.registry` (``find``, ``suggest``, ``load``) and the aliases of
:mod:`vesalia.registry.kinds`. Anyone above may import this folder; nothing in it imports torch or a component.
"""

# SPDX-License-Identifier: Apache-2.0
