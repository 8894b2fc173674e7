// SPDX-License-Identifier: LGPL-2.1-or-later
// Finding and opening the engine.
#include "transform/engine_api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace sdv2 {
namespace {

constexpr const char* kFileName = "libsdv2engine.so";

std::filesystem::path plugin_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_engine), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const auto path = std::filesystem::canonical(info.dli_fname, error);
  return error ? std::filesystem::path() : path.parent_path();
}

bool is_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

}  // namespace

EngineStatus EngineApi::take(sdv2_status* status) const {
  if (status == nullptr) return {};
  EngineStatus taken{status_code(status), status_message(status)};
  status_free(status);
  return taken;
}

std::string find_engine(const std::string& property, std::vector<std::string>* searched) {
  const auto there = [&](const std::filesystem::path& path) {
    searched->push_back(path.string());
    return is_file(path);
  };
  if (!property.empty()) return there(property) ? property : std::string();
  const char* variable = std::getenv("SDV2_ENGINE");
  if (variable != nullptr && *variable != '\0') return there(variable) ? variable : std::string();
  const auto folder = plugin_folder();
  for (const auto& place : {folder / kFileName, folder.parent_path() / kFileName}) {
    if (there(place)) return place.string();
  }
  return {};
}

OpenedEngine open_engine(const std::string& path) {
  // Its symbols stay its own, and it is never unloaded: libraries with threads of their own cannot be.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* reason = dlerror();
    return {nullptr,
            {SDV2_NOT_FOUND, "The engine " + path +
                                 " cannot be opened: " + (reason != nullptr ? reason : "unknown reason") +
                                 ". Check that the libraries that it needs are installed (ldd shows them)."}};
  }
  auto api = std::make_shared<EngineApi>();
  const char* missing = nullptr;
#define SDV2_LOOK_UP(name)                                                          \
  api->name = reinterpret_cast<decltype(api->name)>(dlsym(library, "sdv2_" #name)); \
  if (api->name == nullptr && missing == nullptr) missing = "sdv2_" #name;
  SDV2_ENGINE_CALLS(SDV2_LOOK_UP)
#undef SDV2_LOOK_UP
  dlclose(library);
  if (api->abi_supported != nullptr && api->abi_supported(SDV2_ABI_VERSION) == 0) {
    return {nullptr,
            {SDV2_UNSUPPORTED,
             "The engine " + path + " does not serve interface version " + std::to_string(SDV2_ABI_VERSION) +
                 " of this plugin. Install plugin and engine of the same version of sdv2."}};
  }
  if (missing != nullptr) {
    return {nullptr,
            {SDV2_UNSUPPORTED, "The file " + path + " is no sdv2 engine of this version: it has no " +
                                   missing + ". Install plugin and engine of the same version of sdv2."}};
  }
  return {std::move(api), {}};
}

}  // namespace sdv2
