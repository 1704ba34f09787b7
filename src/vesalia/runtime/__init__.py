"""What a process is: its seeds, its files and their JSON, its clock, its machine and how it is asked to stop.

State is passed, never global. Modules are imported one by one (``from vesalia.runtime.files import ...``)
so that those without torch stay without it. Anyone above may import this folder; it imports only ``errors``.
"""

# SPDX-License-Identifier: Apache-2.0
