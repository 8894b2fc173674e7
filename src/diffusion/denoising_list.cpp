// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/denoising_list.h"

#include <algorithm>
#include <string>

namespace sdv2 {

std::vector<float> full_denoising_list(Task task) {
  if (task == Task::kTextToVideo) return {1000, 750, 500, 250, 0};
  return {700, 500, 400, 200, 0};
}

Result<std::vector<float>> denoising_list(Task task, const std::vector<float>& full, int steps) {
  std::vector<float> list;
  for (const float timestep : full) {
    if (!(timestep >= 0 && timestep <= 1000))
      return Error{ErrorCode::kInvalidArgument,
                   "denoising list: timestep " + std::to_string(timestep) + " is outside 0 … 1000"};
    if (timestep != 0) list.push_back(timestep);
  }
  if (steps < 1 || steps > static_cast<int>(list.size()))
    return Error{ErrorCode::kInvalidArgument, "denoising steps: " + std::to_string(steps) +
                                                  " asked for, the model has 1 to " +
                                                  std::to_string(list.size())};
  list.resize(steps);
  if (task == Task::kTextToVideo) list.push_back(0);
  return list;
}

int first_timestep(double noise_scale) { return static_cast<int>(1000 * noise_scale) - 100; }

std::vector<double> told_timesteps(const std::vector<double>& list, double noise_scale, double least) {
  std::vector<double> told = list;
  const double first = std::max<double>(first_timestep(noise_scale), least);
  if (list.size() > 1 && first <= list[1])
    for (double& timestep : told) timestep *= first / list[0];
  told[0] = first;
  return told;
}

}  // namespace sdv2
