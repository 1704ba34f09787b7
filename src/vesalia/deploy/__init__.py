"""A trained model for other software: one file per format, and the table :data:`vesalia.deploy.formats.FORMATS`."""

# SPDX-License-Identifier: Apache-2.0
