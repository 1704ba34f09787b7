"""The command line: one file per verb, each parses arguments and calls one method of the Python face.

Errors of ours become one clear message and an exit code: 0 done, 1 a defect of Vesalia, 2 something the user can
mend, 130 or 143 stopped on request. With ``--json`` the last line of standard output is one JSON object.
"""

# SPDX-License-Identifier: Apache-2.0
