#!/usr/bin/env bash
# Checks that the latency which sdv2transform answers is the one that frames have, as GStreamer's latency tracer sees it at the sink: it may
# differ by one frame. The stub engine takes half of the promised time, so that frames are never late.
#
#   tests/elements/latency_tracer.sh
set -euo pipefail
command -v gst-launch-1.0 >/dev/null || { echo "gst-launch-1.0 is not installed"; exit 77; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
SDV2_STUB_PROGRAM='{"chunk_ms": 60}' GST_TRACERS='latency(flags=pipeline+reported)' GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 \
  gst-launch-1.0 -q videotestsrc is-live=true num-buffers=60 ! video/x-raw,framerate=20/1,width=64,height=64 ! \
  sdv2transform name=transform processing-latency=120000000 ! fakesink sync=true 2>"$log"

# What a pipeline was told: 4 frames of waiting in the first chunk, and the promise.
told=$(sed -n 's/.*element-reported-latency,.*element=(string)transform,.*min=(guint64)\([0-9]*\).*/\1/p' "$log" | tail -1)
# What frames took to the sink: their median, and the sink's own 20 ms are in it.
took=$(sed -n 's/.* latency,.*time=(guint64)\([0-9]*\).*/\1/p' "$log" | sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}')
[ -n "$told" ] && [ -n "$took" ] || { cat "$log"; echo "the tracer has said nothing" >&2; exit 1; }
difference=$((took - told - 20000000))
echo "answered: $((told / 1000)) us, median at the sink: $((took / 1000)) us, difference without the sink's 20 ms: $((difference / 1000)) us"
[ "${difference#-}" -le 50000000 ]
