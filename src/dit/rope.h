// SPDX-License-Identifier: LGPL-2.1-or-later
// Rotary position embedding in three axes. A head's 128 channels are 64 pairs of neighbours (2j, 2j+1); pairs
// 0…21 turn with the latent frame, 22…42 with the token's row, 43…63 with its column, by position ·
// 10000^(−i/n) for the i-th of an axis' n pairs. Angles and rotation are float64, the result is rounded once.
// Positions have no upper limit.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/token_grid.h"

namespace sdv2 {

// The rotation of a chunk's tokens as e^{iθ}: complex128 [R, F·S, 1, 64] on the device of `start_frames`
// (int64 [R], the position of every row's first frame). The same for all blocks and heads, for q and k.
at::Tensor rope_turns(const at::Tensor& start_frames, const TokenGrid& grid);

// Rotates q or k [R, F·S, heads, 128].
at::Tensor rotate(const at::Tensor& x, const at::Tensor& turns);

// Moves rotated keys [..., 128] in time by `frames` (negative: back), as if they had been rotated at the new
// position. Time rotation adds up, so this is exact but for one more rounding.
at::Tensor rotate_time(const at::Tensor& k, int64_t frames);

}  // namespace sdv2
