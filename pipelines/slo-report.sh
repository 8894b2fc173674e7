#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures the model on this machine: a live test pattern, a report of latency, rate and losses at the end, and as JSON lines in a file.
#
#   pipelines/slo-report.sh [--frames 320] [--log slo.jsonl] [--target-ms 1000]
. "$(dirname "$0")/lib.sh"
option frames 320 "frames to measure"
option log slo.jsonl "file that gets a line of JSON per second"
option target-ms 1000 "promised latency in milliseconds"
parse "$@"
set_filter
filter+=("log-file=$log" "target-latency=${target_ms}000000" "target-fps=$fps/1")
launch videotestsrc is-live=true pattern=ball "num-buffers=$frames" ! \
  "video/x-raw,width=$width,height=$height,framerate=$fps/1" ! "${filter[@]}" ! fakesink sync=true
