// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/encode_prompt.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "text/clean_prompt.h"

namespace sdv2 {

Result<at::Tensor> encode_prompt(const Tokenizer& tokenizer, const Umt5Encoder& encoder,
                                 std::string_view text, int64_t text_len) {
  // Far more than the tokens that count. Cleaning repeats until nothing changes, in the worst case as often
  // as the text is long.
  constexpr size_t kMaxBytes = 16 << 10;
  if (text.size() > kMaxBytes)
    return Error{ErrorCode::kInvalidArgument, "the prompt has " + std::to_string(text.size()) +
                                                  " bytes; shorten it to " + std::to_string(kMaxBytes) +
                                                  " (only its first " + std::to_string(text_len) +
                                                  " tokens count)"};
  const std::vector<int32_t> ids = tokenizer.encode(clean_prompt(text), static_cast<size_t>(text_len));
  if (ids.empty())
    return Error{ErrorCode::kCorrupt,
                 "the tokenizer appends no end token, which the text encoder was trained with; take the "
                 "tokenizer of the model"};
  const int64_t vocab = encoder.config().vocab;
  const auto unknown =
      std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id < 0 || id >= vocab; });
  if (unknown != ids.end())
    return Error{ErrorCode::kCorrupt, "the tokenizer gives the token " + std::to_string(*unknown) +
                                          ", but the text encoder knows only " + std::to_string(vocab) +
                                          "; take both from the same model"};
  const auto length = static_cast<int64_t>(ids.size());
  const at::Tensor tokens = at::tensor(at::ArrayRef<int32_t>(ids), at::kLong);  // [L]
  const at::Tensor context = encoder.forward(tokens);                           // [L, dim]
  return at::constant_pad_nd(context, {0, 0, 0, text_len - length});            // [text_len, dim]
}

}  // namespace sdv2
