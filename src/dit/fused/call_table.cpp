// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/call_table.h"

#include <ATen/ATen.h>

#include <cstring>

#include "kernels/dit/tensor_map.h"

namespace sdv2 {
namespace {

// Element `index` of an array of T that begins at `array`.
template <class T>
void put(uint8_t* array, int64_t index, const T& value) {
  std::memcpy(array + index * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

__nv_bfloat16* data(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.is_contiguous() && tensor.scalar_type() == at::kBFloat16 && tensor.is_cuda(),
              "fused kernels take contiguous bf16 tensors of the GPU");
  return static_cast<__nv_bfloat16*>(tensor.data_ptr());
}

// k and v [..., tokens, heads, 128], the first `tokens` of them.
KvMaps maps_of(const at::Tensor& k, const at::Tensor& v, int64_t tokens, int block) {
  const int64_t width = k.size(-1) * k.size(-2);
  return {kv_map(data(k), tokens, width, block), kv_map(data(v), tokens, width, block)};
}

SinkChoice choice_of(const FusedKv& kv) {
  return {.threshold = kv.test.threshold,
          .sinks = static_cast<int>(kv.test.sinks),
          .next_slot = static_cast<int>(kv.slots.front()),
          .pending = static_cast<int>(kv.test.pending.value_or(-1)),
          .full = kv.test.full ? 1 : 0,
          .means = kv.test.means.defined() ? kv.test.means.data_ptr<float>() : nullptr,
          .stale = kv.test.stale ? 1 : 0};
}

}  // namespace

CallTableLayout::CallTableLayout(int64_t blocks, int64_t row_count, int64_t frame_count)
    : rows(row_count), frames(frame_count) {
  const auto take = [this](int64_t count, size_t size) {
    constexpr int64_t kAlignment = 64;  // of tensor maps
    const int64_t begin = bytes;
    bytes += (count * static_cast<int64_t>(size) + kAlignment - 1) / kAlignment * kAlignment;
    return begin;
  };
  kv = take(blocks * rows, sizeof(KvMaps));
  text = take(blocks * rows, sizeof(KvMaps));
  rings = take(blocks * rows, sizeof(RingPointers));
  e0 = take(rows * frames, sizeof(void*));
  e = take(rows * frames, sizeof(void*));
  starts = take(rows, sizeof(double));
  valid = take(blocks * rows, sizeof(int));
  slots = take(blocks * rows * frames, sizeof(int));
  choices = take(blocks * rows, sizeof(SinkChoice));
  text_valid = take(rows, sizeof(int));
}

void write_call_table(const FusedCall& call, const std::vector<const TimeVectors*>& times,
                      const CallTableLayout& layout, uint8_t* to) {
  for (size_t i = 0; i < times.size(); ++i) {
    put<const void*>(to + layout.e0, static_cast<int64_t>(i), data(times[i]->e0));
    put<const void*>(to + layout.e, static_cast<int64_t>(i), data(times[i]->e));
  }
  for (int64_t r = 0; r < layout.rows; ++r) {
    const FusedRow& row = call.rows[static_cast<size_t>(r)];
    put(to + layout.starts, r, static_cast<double>(row.start_frame));
    for (size_t b = 0; b < row.kv.size(); ++b) {
      const auto block = static_cast<int64_t>(b);
      const FusedKv& kv = row.kv[b];
      put(to + layout.kv_of(block), r, maps_of(kv.k, kv.v, kv.valid_tokens, kSelfKeyBlock));
      put(to + layout.rings_of(block), r, RingPointers{data(kv.k), data(kv.v)});
      put(to + layout.valid_of(block), r, static_cast<int>(kv.valid_tokens));
      for (int64_t f = 0; f < layout.frames; ++f)
        put(to + layout.slots_of(block), r * layout.frames + f,
            static_cast<int>(kv.slots[static_cast<size_t>(f)]));
      put(to + layout.choices_of(block), r, choice_of(kv));
      const TextKv& text = row.text[b];
      const int64_t text_tokens = text.k.size(1);
      put(to + layout.text_of(block), r, maps_of(text.k, text.v, text_tokens, kTextKeyBlock));
      put(to + layout.text_valid, r, static_cast<int>(text_tokens));
    }
  }
}

}  // namespace sdv2
