// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/mix.h"

#include <string>

#include "image/row_ops.h"

namespace sdv2 {

Result<void> mix_source(InputConverter& converter, const ImageView& source, float mix,
                        const uint8_t* restyled, uint8_t* out) {
  if (!(mix >= 0 && mix <= 1))
    return Error{ErrorCode::kInvalidArgument, "mix is " + std::to_string(mix) + "; must be 0 to 1"};
  SDV2_CHECK(converter.start(source));
  const auto [width, height] = converter.processing();
  for (int32_t y = 0; y < height; ++y) {
    const auto rows = converter.row(y);
    for (int c = 0; c < 3; ++c) {
      const int64_t at = (int64_t{c} * height + y) * width;
      mix_row(restyled + at, rows[c], mix, width, out + at);
    }
  }
  return {};
}

}  // namespace sdv2
