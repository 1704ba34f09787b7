"""``python -m vesalia``: the ``vesalia`` command where the script is not on the path."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.cli.main import main

if __name__ == "__main__":
    main()
