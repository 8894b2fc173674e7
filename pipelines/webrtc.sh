#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Webcam and microphone, restyled, to browsers over WebRTC.
#
#   pipelines/webrtc.sh [--signaller ws://127.0.0.1:8443] [--device /dev/video0]
#
# webrtcsink is not in Debian: it comes with gst-plugins-rs, as does the signalling server that it talks to.
. "$(dirname "$0")/lib.sh"
option device /dev/video0 "the camera"
option signaller ws://127.0.0.1:8443 "address of the signalling server"
parse "$@"
set_filter
need webrtcsink "the WebRTC plugin of gst-plugins-rs"
launch webrtcsink name=out "signaller::uri=$signaller" \
  v4l2src "device=$device" ! decodebin ! "${camera_queue[@]}" ! videoscale ! videoconvert ! \
  "video/x-raw,width=$width,height=$height" ! "${filter[@]}" ! queue ! videoconvert ! out. \
  autoaudiosrc ! "${patient_queue[@]}" ! audioconvert ! audioresample ! out.
