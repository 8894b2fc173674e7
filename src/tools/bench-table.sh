#!/usr/bin/env bash
# Measures the table that StreamDiffusionV2 published (models, sizes, steps, numbers of GPUs) on this machine and
# prints it beside the published figures. Random weights: speed does not depend on them. See --help.
exec python3 "$(dirname "${BASH_SOURCE[0]}")/bench_table.py" "$@"
