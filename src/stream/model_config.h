// SPDX-License-Identifier: LGPL-2.1-or-later
// What a user chooses when a model is opened.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "stream/fault.h"

namespace sdv2 {

struct ModelConfig {
  std::string model;               // folder or random:…
  std::string devices = "auto";    // device_list.h
  std::string precision = "auto";  // auto (bf16 on GPUs, fp32 on CPUs), fp32, bf16
  std::string vae = "auto";        // auto (the model's own), wan, taehv
  std::string kernels = "auto";    // auto (fused where a device has them), plain, fused
  std::string linears = "auto";    // of the transformer's blocks: auto (network_loader.h), bf16, fp8
  std::string plan = "auto";       // auto (balanced by estimated cost), or the form of plan.h
  std::optional<Fault> fault;      // of a device, to try out what happens then
  double linger = 0;               // seconds that the weights stay loaded after the last close, 0…86400

  // Two configurations that are equal but for the linger share one loaded model.
  std::string key() const {
    return model + '\n' + devices + '\n' + precision + '\n' + vae + '\n' + kernels + '\n' + linears + '\n' +
           plan + '\n' + (fault ? to_string(*fault) : "");
  }
};

// Reads the JSON object of sdv2_model_open. Errors: kInvalidArgument naming the field, its value and what is
// allowed.
Result<ModelConfig> parse_model_config(std::string_view json);

}  // namespace sdv2
