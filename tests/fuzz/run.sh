#!/usr/bin/env bash
# Runs a fuzz target for a while from its seeds; what it finds in passing stays beside it for the next run.
#
#   tests/fuzz/run.sh FUZZER SECONDS SEED_DIR
set -euo pipefail
fuzzer=$1
corpus=$fuzzer-corpus
mkdir -p "$corpus"
# ASan keeps freed memory aside, 256 MB by default: too much of the limit below.
export ASAN_OPTIONS=quarantine_size_mb=16:detect_leaks=1:abort_on_error=0
exec "$fuzzer" -max_total_time="$2" -rss_limit_mb=512 -timeout=10 -error_exitcode=1 -print_final_stats=1 \
  -artifact_prefix="$fuzzer-" "$corpus" "$3"
