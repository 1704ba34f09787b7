#!/bin/sh
# Judges the best model on the validation cases; the results go to eval/.
# Further settings go on the command line: commands/validate.sh DATA_LIST_KEY=training
set -eu
. "$(dirname "$0")/set_env.sh"
exec "$PYTHON" -m nvmidl.apps.evaluate \
    -m "$MMAR_ROOT" -c config/config_validation.json -e config/environment.json \
    --set do_validation=true output_infer_result=false "$@"
