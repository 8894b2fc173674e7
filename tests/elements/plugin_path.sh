#!/usr/bin/env bash
# Makes a plugin folder with only the named ones of the installed plugins, so that the tests load nothing else: other plugins' libraries
# slow the start and trouble the sanitizers.
#
#   tests/elements/plugin_path.sh INSTALLED_DIR NEW_DIR NAME...
set -euo pipefail
installed=$1 folder=$2
shift 2
mkdir -p "$folder"
for name in "$@"; do
  if [ -e "$installed/libgst$name.so" ]; then ln -sfn "$installed/libgst$name.so" "$folder/libgst$name.so"; fi
done
