// SPDX-License-Identifier: LGPL-2.1-or-later
// The pickle of a checkpoint in an archive that is otherwise sound.
#include "fuzz/check_tensors.h"
#include "unit/weights/file_builders.h"
#include "weights/torch_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> storages = {std::string(480, '0'), std::string(240, '1'),
                                             std::string(7, '2'), ""};
  const std::string bytes = sdv2::test::checkpoint({reinterpret_cast<const char*>(data), size}, storages);
  const auto file = sdv2::test::as_bytes(bytes);
  const auto tensors = sdv2::read_torch_checkpoint(file, "file");
  if (tensors.ok()) sdv2::fuzz::check_tensors(*tensors, file);
  return 0;
}
