# SPDX-License-Identifier: LGPL-2.1-or-later
# What the pipeline scripts share: options with defaults from the environment, help, and the start of gst-launch-1.0.
#
#   . "$(dirname "$0")/lib.sh"
#   option prompt "an oil painting" "what the pictures shall look like"    # --prompt TEXT, SDV2_PROMPT, $prompt
#   parse "$@"
#   launch videotestsrc ! autovideosink
#
# Help is the script's head comment and the options.
set -euo pipefail

# A checkout that is built but not installed brings its own plugin, engine and model.
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -e "$checkout/build/gst/libgstsdv2.so" ] && ! gst-inspect-1.0 --exists sdv2transform 2>/dev/null; then
  export GST_PLUGIN_PATH=$checkout/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
  export SDV2_ENGINE=${SDV2_ENGINE:-$checkout/build/src/api/libsdv2engine.so}
fi
if [ -z "${SDV2_MODEL:-}" ] && [ -e "$checkout/pipelines/models/demo/model.json" ]; then
  export SDV2_MODEL=$checkout/pipelines/models/demo
fi
export GST_PRESET_PATH=$checkout/pipelines/presets${GST_PRESET_PATH:+:$GST_PRESET_PATH}

option_names=()
declare -A option_help option_default
print_only=

# option NAME DEFAULT HELP: the value is in the variable NAME with underscores.
option() {
  local name=$1 variable=${1//-/_}
  local environment=SDV2_${variable^^}
  option_names+=("$name")
  option_help[$name]=$3
  option_default[$name]=${!environment:-$2}
  printf -v "$variable" %s "${!environment:-$2}"
}

usage() {
  sed -n '3,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
  echo
  echo "Options (defaults also from the environment, --some-name as SDV2_SOME_NAME):"
  local name
  for name in "${option_names[@]}"; do printf '  --%-12s %s [%s]\n' "$name" "${option_help[$name]}" "${option_default[$name]}"; done
  echo "  --print        print the gst-launch-1.0 line, run nothing"
  echo "  --help         this text"
}

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --print) print_only=1 && shift && continue ;;
      -h | --help) usage && exit 0 ;;
    esac
    local name=${1#--} known=
    for known in "${option_names[@]}" ""; do [ "$known" != "$name" ] || break; done
    if [ -z "$known" ] || [ "$1" = "$name" ]; then echo "${0##*/}: unknown option $1 (--help lists them)" >&2 && exit 2; fi
    [ $# -ge 2 ] || { echo "${0##*/}: --$name needs a value" >&2 && exit 2; }
    printf -v "${name//-/_}" %s "$2"
    shift 2
  done
}

# launch ELEMENT...: runs or prints the pipeline. -e: an interrupt ends files properly.
launch() {
  if [ -n "$print_only" ]; then
    printf 'gst-launch-1.0 -e'
    printf ' %q' "$@"
    echo
    exit 0
  fi
  exec gst-launch-1.0 -e "$@"
}

# need ELEMENT WHAT: says what is missing, where a run would fail without it.
need() {
  if [ -n "$print_only" ] || gst-inspect-1.0 --exists "$1" 2>/dev/null; then return; fi
  echo "${0##*/}: GStreamer has no element $1 here: install $2" >&2 && exit 1
}

# The first of the elements that is installed; the first of all when none is, so that gst-launch-1.0 names it.
first_of() {
  local element
  for element in "$@"; do
    if gst-inspect-1.0 --exists "$element" 2>/dev/null; then echo "$element" && return; fi
  done
  echo "$1"
}

# Options that every script has.
option model "" "folder of the model, or random:tiny (none: the demo model)"
option prompt "an oil painting" "what the pictures shall look like"
option preset "" "style from pipelines/presets, such as Watercolour, in the place of the prompt"
option width 832 "width of the pictures in pixels"
option height 480 "height of the pictures in pixels"
option fps 16 "frames per second that the model gets"

# The filter: whole chunks, the model, the meter. `filter` after parse; give `leaky=none` where nothing may be dropped.
set_filter() {
  filter=(sdv2chunk "framerate=$fps/1" "$@" ! sdv2transform name=transform)
  if [ -n "$preset" ]; then filter+=("@preset=$preset"); else filter+=("prompt=$prompt"); fi
  [ -z "$model" ] || filter+=("model=$model")
  filter+=(! sdv2slo name=slo)
}
# A queue that drops frames at the camera, never inside of the model; one that holds what the model delays.
camera_queue=(queue leaky=downstream max-size-buffers=2 max-size-bytes=0 max-size-time=0)
patient_queue=(queue max-size-buffers=0 max-size-bytes=0 max-size-time=0)
# set_encoders BITRATE: H.264 for live streams (a key frame every 2 s, no B-frames) and AAC.
set_encoders() {
  h264=(x264enc tune=zerolatency "bitrate=$1" "key-int-max=$((fps * 2))" bframes=0 ! h264parse)
  aac=("$(first_of avenc_aac voaacenc)" bitrate=128000 ! aacparse)
}
