// SPDX-License-Identifier: LGPL-2.1-or-later
// Kind checkpoint_files: weight files that must load with the right names and bytes, and damaged or hostile
// ones that must be refused without harm.
#include <ctime>

#include <cinttypes>
#include <cstdio>
#include <map>
#include <set>
#include <stdexcept>

#include "base/fnv1a.h"
#include "base/json.h"
#include "tools/parity/kinds.h"
#include "weights/stored_tensor.h"
#include "weights/tensor_file.h"

namespace sdv2::parity {
namespace {

constexpr double kMaxSeconds = 1;  // for a rejection, of this process's CPU

const char* torch_name(DType type) {
  constexpr const char* kNames[] = {"float64",       "float32",     "float16", "bfloat16",
                                    "float8_e4m3fn", "float8_e5m2", "int64",   "int32",
                                    "int16",         "int8",        "uint8",   "bool"};
  return kNames[static_cast<int>(type)];
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Result<at::Tensor> read_stored(WeightSource& source, const TensorInfo& info) {
  return source.read(info.key, info.shape, to_scalar_type(info.dtype), at::kCPU);
}

// One tensor against {"shape", "dtype", "bytes", "fnv1a64"}.
void check_tensor(const std::string& what, WeightSource& source, const TensorInfo& info,
                  const nlohmann::json& want, Report& report) {
  const auto shape = want.at("shape").get<std::vector<int64_t>>();
  report.exact(what + " shape", info.shape == shape,
               shape_to_string(info.shape) + ", wanted " + shape_to_string(shape));
  const std::string dtype = want.at("dtype");
  report.exact(what + " dtype", dtype == torch_name(info.dtype),
               torch_name(info.dtype) + (", wanted " + dtype));
  const auto tensor = read_stored(source, info);
  if (!tensor.ok()) {
    report.exact(what, false, tensor.error().message);
    return;
  }
  const std::string_view bytes(static_cast<const char*>(tensor->const_data_ptr()), tensor->nbytes());
  report.exact(what + " bytes", bytes.size() == want.at("bytes").get<size_t>(), std::to_string(bytes.size()));
  char checksum[17];
  std::snprintf(checksum, sizeof checksum, "%016" PRIx64, fnv1a64(bytes));
  report.exact(what + " checksum", want.at("fnv1a64") == checksum, checksum);
}

void check_loads(const std::filesystem::path& path, const nlohmann::json& want, Report& report) {
  const std::string file = path.filename().string();
  const auto source = open_tensor_file(path);
  report.exact(file, source.ok(), source.ok() ? "" : source.error().message);
  if (!source.ok()) return;
  std::set<std::string> found;
  for (const auto& info : *(*source)->tensors()) {
    found.insert(info.key);
    const auto tensor = want.find(info.key);
    if (tensor != want.end())
      check_tensor(file + ": " + info.key, **source, info, *tensor, report);
    else
      report.exact(file + ": " + info.key, false, "should not be there");
  }
  for (const auto& [key, tensor] : want.items())
    report.exact(file + ": " + key, found.contains(key), "is missing");
}

// Passes when opening fails, or else reading some tensor. A "remark" names a softer outcome that is also
// right.
void check_rejected(const std::filesystem::path& path, const nlohmann::json& entry, Report& report) {
  const double begin = cpu_seconds();
  const auto source = open_tensor_file(path);
  bool rejected = !source.ok();
  for (size_t i = 0; !rejected && i < (*source)->tensors()->size(); ++i)
    rejected = !read_stored(**source, (*source)->tensors()->at(i)).ok();
  const double seconds = cpu_seconds() - begin;
  const std::string file = path.filename().string();
  report.exact(file, rejected || entry.contains("remark"),
               "loads, but: " + entry.value("reason", "must be rejected"));
  report.exact(file + " time", seconds < kMaxSeconds, std::to_string(seconds) + " s");
}

}  // namespace

void run_checkpoint_files(const Case& loaded, at::Device, Report& report) {
  const auto expected = read_json_file(loaded.dir / "expected.json");
  if (!expected.ok()) throw std::runtime_error(expected.error().message);
  for (const auto& [file, entry] : expected->at("files").items()) {
    const std::string expect = entry.at("expect");
    if (expect == "loads")
      check_loads(loaded.dir / file, entry.at("tensors"), report);
    else if (expect == "rejected")
      check_rejected(loaded.dir / file, entry, report);
    else
      report.exact(file, false, "unknown expectation '" + expect + "'");
  }
}

}  // namespace sdv2::parity
