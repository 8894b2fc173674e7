#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A file with picture and sound, restyled into an MP4 file. Nothing is dropped, however slow the model is.
#
#   pipelines/file-to-file.sh --input in.mp4 --output out.mp4
. "$(dirname "$0")/lib.sh"
option input in.mp4 "the file to read"
option output out.mp4 "the file to write"
option bitrate 4000 "of the video in kbit/s"
parse "$@"
set_filter leaky=none
set_encoders "$bitrate"
launch mp4mux name=mux ! filesink "location=$output" \
  filesrc "location=$input" ! decodebin name=in \
  in. ! video/x-raw ! queue ! videoscale ! videoconvert ! "video/x-raw,width=$width,height=$height" ! \
  "${filter[@]}" ! queue ! videoconvert ! "${h264[@]}" ! queue ! mux. \
  in. ! audio/x-raw ! "${patient_queue[@]}" ! audioconvert ! audioresample ! "${aac[@]}" ! queue ! mux.
