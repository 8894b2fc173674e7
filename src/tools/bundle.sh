#!/usr/bin/env bash
# Gathers what a machine without GStreamer needs to run this build: the engine, the tools, the plugin, the test
# programs with their data, and GStreamer's own libraries and plugins. LibTorch and CUDA are not in it: the other
# machine has them (pip install the torch of subprojects/requirements.txt), or it runs on its CPU.
#
#   src/tools/bundle.sh [--build DIR] [--no-tests] OUT_DIR        default build folder: build
#
# On the other machine (x86-64 Linux, glibc 2.36 or later):   OUT_DIR/run COMMAND [ARGUMENT...]
#   OUT_DIR/run sdv2-parity --device cuda:0 golden/data
#   OUT_DIR/run gst-inspect-1.0 sdv2transform
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
die() {
  echo "bundle.sh: $*" >&2
  exit 1
}

build=$root/build
tests=1
out=
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$(cd "${2:?--build needs a folder}" && pwd) && shift 2 ;;
    --no-tests) tests= && shift ;;
    -h | --help) usage && exit 0 ;;
    -*) echo "bundle.sh: unknown option $1" >&2 && usage >&2 && exit 2 ;;
    *) out=$1 && shift ;;
  esac
done
[ -n "$out" ] || { usage >&2 && exit 2; }
[ -e "$build/src/api/libsdv2engine.so" ] || die "there is no build in $build. Run subprojects/setup.sh and ninja -C build first."

rm -rf "$out"
mkdir -p "$out"/{bin,lib,gst}
out=$(cd "$out" && pwd)

cp -L "$build/src/api/libsdv2engine.so" "$out/lib/"
ln -s libsdv2engine.so "$out/lib/$(objdump -p "$build/src/api/libsdv2engine.so" | awk '$1 == "SONAME" {print $2}')"
find "$build/src/tools" -maxdepth 2 -type f -name 'sdv2-*' -perm -u+x -exec cp {} "$out/bin/" \;
[ ! -e "$build/gst/libgstsdv2.so" ] || cp "$build/gst/libgstsdv2.so" "$out/gst/"
if [ -n "$tests" ]; then
  find "$build/tests/unit" -maxdepth 2 -type f -name 'unit-*' -perm -u+x -exec cp {} "$out/bin/" \;
  mkdir -p "$out/golden"
  cp -r "$root/tests/golden/data" "$out/golden/"
fi
[ ! -d "$root/pipelines/models" ] || cp -r "$root/pipelines/models" "$out/"

# GStreamer's tools, and the plugins that ready pipelines use.
for tool in gst-launch-1.0 gst-inspect-1.0; do
  if program=$(command -v "$tool"); then cp -L "$program" "$out/bin/"; fi
done
if plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0 2>/dev/null); then
  for plugin in coreelements coretracers app audioconvert audioresample audiotestsrc autodetect debugutilsbad flv \
    isomp4 jpeg matroska multifile playback png pango rawparse rtmp2 srt typefindfunctions udp video4linux2 \
    videoconvertscale videofilter videoparsersbad videorate videotestsrc volume x264; do
    [ ! -e "$plugins/libgst$plugin.so" ] || cp -L "$plugins/libgst$plugin.so" "$out/gst/"
  done
  scanner=$(pkg-config --variable=libexecdir gstreamer-1.0)/gstreamer-1.0/gst-plugin-scanner
  [ -e "$scanner" ] || scanner=$(dirname "$plugins")/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner
  [ ! -e "$scanner" ] || cp -L "$scanner" "$out/bin/"
fi

# Every library that these load, but for those of the compiler and the C library (the other machine's are as new) and
# torch's and CUDA's.
not_ours='/(ld-linux[^/]*|lib(c|m|dl|rt|pthread|resolv|util|nsl|anl|mvec|stdc\+\+|gcc_s))\.so|/(torch|nvidia)/|/(libcuda|libnvidia)[^/]*$'
find "$out" -type f \( -perm -u+x -o -name '*.so*' \) -print0 |
  xargs -0 -n 1 ldd 2>/dev/null | awk '$3 ~ /^\// {print $3}' | sort -u | grep -vE "$not_ours" |
  while read -r library; do cp -nL "$library" "$out/lib/"; done

# Debug information would be nine tenths of it.
find "$out" -type f \( -perm -u+x -o -name '*.so*' \) -exec sh -c '[ "$(head -c 4 "$1" | tr -d "\0")" = "$(printf "\177ELF")" ] && strip --strip-unneeded "$1"' _ {} \; || true

cp "$root"/src/tools/bench{-table.sh,_table.py} "$out/bin/"
cat >"$out/run" <<'RUN'
#!/usr/bin/env bash
# Runs a command of this bundle: ./run COMMAND [ARGUMENT...]. PYTHON names the Python that has torch (default python3).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
torch=$("$python" -c 'import importlib.util, os; s = importlib.util.find_spec("torch"); print(os.path.dirname(s.origin) if s else "")')
[ -n "$torch" ] || { echo "run: $python has no torch. Install the version of requirements.txt, or set PYTHON." >&2; exit 1; }
libraries=$torch/lib
for folder in "$torch"/../nvidia/*/lib; do [ ! -d "$folder" ] || libraries=$libraries:$folder; done
# This machine's own libraries stay in front for its own programs; ours come last.
export LD_LIBRARY_PATH=$libraries:$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PATH=$here/bin:$PATH
export GST_PLUGIN_SYSTEM_PATH_1_0=$here/gst GST_PLUGIN_PATH_1_0= GST_PLUGIN_SCANNER_1_0=$here/bin/gst-plugin-scanner
export GST_REGISTRY_1_0=${GST_REGISTRY_1_0:-${TMPDIR:-/tmp}/sdv2-bundle-registry-$(id -u).bin}
export SDV2_ENGINE=$here/lib/libsdv2engine.so
cd "$here"
exec "$@"
RUN
chmod +x "$out/run"
echo "bundle.sh: $(du -sh "$out" | cut -f1) in $out; there, ./run COMMAND"
