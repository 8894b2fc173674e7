#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Webcam and microphone to an RTMP server, sound in step with the restyled picture.
#
#   pipelines/webcam-rtmp.sh --location rtmp://server/app/key [--device /dev/video0]
#
# The sound waits in a queue without limits for as long as the model delays the picture.
. "$(dirname "$0")/lib.sh"
option device /dev/video0 "the camera"
option location rtmp://127.0.0.1/live/stream "the stream's address"
option bitrate 2500 "of the video in kbit/s"
parse "$@"
set_filter
set_encoders "$bitrate"
launch flvmux name=mux streamable=true ! queue ! rtmp2sink "location=$location" \
  v4l2src "device=$device" ! decodebin ! "${camera_queue[@]}" ! videoscale ! videoconvert ! \
  "video/x-raw,width=$width,height=$height" ! "${filter[@]}" ! queue ! videoconvert ! "${h264[@]}" ! queue ! mux. \
  autoaudiosrc ! audioconvert ! audioresample ! "${patient_queue[@]}" ! "${aac[@]}" ! queue ! mux.
