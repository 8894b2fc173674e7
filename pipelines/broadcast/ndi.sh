#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An NDI source, restyled, as another NDI source, with its sound in step.
#
#   pipelines/broadcast/ndi.sh --source "STUDIO (Camera 1)" --target "Camera 1, restyled"
#
# The NDI elements are not in Debian: they come with gst-plugins-rs and load NewTek's NDI library at run time.
. "$(dirname "$0")/../lib.sh"
option source "STUDIO (Camera 1)" "name of the NDI source"
option target "sdv2" "name of the new NDI source"
parse "$@"
set_filter
need ndisrc "the NDI plugin of gst-plugins-rs, and the NDI library"
launch ndisinkcombiner name=mux ! ndisink "ndi-name=$target" \
  ndisrc "ndi-name=$source" ! ndisrcdemux name=in \
  in.video ! "${camera_queue[@]}" ! deinterlace ! videoscale ! videoconvert ! "video/x-raw,width=$width,height=$height" ! \
  "${filter[@]}" ! queue ! videoconvert ! video/x-raw,format=UYVY ! mux.video \
  in.audio ! "${patient_queue[@]}" ! audioconvert ! audioresample ! mux.audio
