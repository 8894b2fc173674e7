// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks that a pipeline can be built from the arguments, as gst-launch-1.0 would; runs nothing.
//
//   parse-launch ELEMENT...      exit code 0: it can, 1: it cannot, 77: an element of others is not installed
#include <gst/gst.h>

#include <cstdio>

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launchv(const_cast<const gchar**>(argv + 1), &error);
  int result = 0;
  if (error != nullptr) {
    std::fprintf(stderr, "%s\n", error->message);
    result = g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT) ? 77 : 1;
    g_error_free(error);
  }
  if (pipeline != nullptr) gst_object_unref(pipeline);
  gst_deinit();
  return result;
}
