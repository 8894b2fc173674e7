// SPDX-License-Identifier: LGPL-2.1-or-later
// A prompt, as a user writes it, to the context that the diffusion transformer attends to.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"
#include "text/umt5_encoder.h"

namespace sdv2 {

// Cleans the text, cuts it to `text_len` tokens (the models take 512) and encodes those. Returns [text_len,
// dim] with the weights' type and device; the rows after the last token are zero, which matters because all
// rows are attended to. Errors: kInvalidArgument for a text of over 16 KiB, kCorrupt when the tokenizer and
// the encoder do not belong together.
Result<at::Tensor> encode_prompt(const Tokenizer& tokenizer, const Umt5Encoder& encoder,
                                 std::string_view text, int64_t text_len);

}  // namespace sdv2
