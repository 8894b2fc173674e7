#!/usr/bin/env bash
# Checks the plugin file: it needs no heavy library, exports only what GStreamer looks for, and each element is inspected at once.
#
#   tests/elements/plugin_file.sh libgstsdv2.so
set -euo pipefail
plugin=$1

needed=$(readelf -d "$plugin" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if grep -Ei 'torch|c10|cuda|cudnn|cublas|nccl|sdv2engine|gstreamer-plugins-bad|gstcuda' <<<"$needed"; then
  echo "the plugin must not need these libraries: they are opened at run time" >&2
  exit 1
fi

exported=$(nm -D --defined-only "$plugin" | awk '{print $3}')
if grep -v '^gst_plugin_sdv2_' <<<"$exported"; then
  echo "the plugin must not export these symbols" >&2
  exit 1
fi

# GStreamer takes the plugin's name from the file's.
[ "$(basename "$plugin")" = libgstsdv2.so ]

command -v gst-inspect-1.0 >/dev/null || { echo "gst-inspect-1.0 is not installed"; exit 77; }
for element in $(gst-inspect-1.0 sdv2 | sed -n 's/^  \(sdv2[a-z]*\): .*/\1/p'); do
  best=999999
  for _ in 1 2 3 4 5; do
    begin=$(date +%s%N)
    gst-inspect-1.0 "$element" >/dev/null
    took=$((($(date +%s%N) - begin) / 1000000))
    [ "$took" -ge "$best" ] || best=$took
  done
  echo "gst-inspect-1.0 $element: $best ms"
  if [ "$best" -ge 200 ]; then echo "that is too slow" >&2 && exit 1; fi
done
