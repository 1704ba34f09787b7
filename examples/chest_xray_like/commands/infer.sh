#!/bin/sh
# Writes the best model's predictions for the validation cases to eval/.
# Further settings go on the command line: commands/infer.sh DATA_LIST_KEY=test
set -eu
. "$(dirname "$0")/set_env.sh"
exec "$PYTHON" -m nvmidl.apps.evaluate \
    -m "$MMAR_ROOT" -c config/config_validation.json -e config/environment.json \
    --set do_validation=false output_infer_result=true "$@"
