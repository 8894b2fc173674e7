// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole safetensors files.
#include "fuzz/check_tensors.h"
#include "weights/safetensors_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> file(data, size);
  const auto tensors = sdv2::parse_safetensors(file, "file");
  if (tensors.ok()) sdv2::fuzz::check_tensors(*tensors, file);
  return 0;
}
