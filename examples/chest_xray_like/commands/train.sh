#!/bin/sh
# Trains the model from the start.
# Further settings go on the command line: commands/train.sh epochs=10
set -eu
. "$(dirname "$0")/set_env.sh"
exec "$PYTHON" -m nvmidl.apps.train \
    -m "$MMAR_ROOT" -c config/config_train.json -e config/environment.json \
    --set "$@"
