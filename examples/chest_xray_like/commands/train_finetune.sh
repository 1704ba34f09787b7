#!/bin/sh
# Trains on from the best model below models/.
# Further settings go on the command line: commands/train_finetune.sh learning_rate=1e-4
set -eu
. "$(dirname "$0")/set_env.sh"
exec "$PYTHON" -m nvmidl.apps.train \
    -m "$MMAR_ROOT" -c config/config_train.json -e config/environment.json \
    --set MMAR_CKPT="$MMAR_ROOT/models/model.ckpt" "$@"
