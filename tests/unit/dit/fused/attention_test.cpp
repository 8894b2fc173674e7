// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/attention.h"

#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>

#include <cstring>
#include <vector>

#include "dit/attention.h"
#include "kernels/dit/tensor_map.h"
#include "runtime/upload.h"
#include "unit/dit/fused/hopper.h"

namespace sdv2 {
namespace {

constexpr double kTolerance = 4e-3;  // of bf16 probabilities and results; measured: 2.3e-3

struct Case {
  int64_t heads, tokens, capacity;
  std::vector<int64_t> valid;  // per row

  int64_t rows() const { return static_cast<int64_t>(valid.size()); }
  int64_t width() const { return heads * 128; }
};

at::Tensor ints(const std::vector<int64_t>& values) { return upload(values, gpu()).to(at::kInt); }

class AttentionKernelTest : public HopperTest {
 protected:
  // Largest relative error of a row. Everything that may not be read is NaN, and so is the output before.
  static double error_of(const Case& c, bool text, bool uniform) {
    const at::Tensor q = random_bf16({c.rows(), c.tokens, c.heads, 128});
    const at::Tensor out = poison({c.rows(), c.tokens, c.heads, 128});
    std::vector<at::Tensor> keys, values;  // each row's in its own allocation
    const at::Tensor host = staging(c.rows() * static_cast<int64_t>(sizeof(KvMaps)), gpu());
    for (int64_t r = 0; r < c.rows(); ++r) {
      const int64_t valid = c.valid[static_cast<size_t>(r)];
      for (auto* tensors : {&keys, &values}) {
        tensors->push_back(random_bf16({c.capacity, c.heads, 128}));
        tensors->back().narrow(0, valid, c.capacity - valid).fill_(std::numeric_limits<float>::quiet_NaN());
      }
      const int block = text ? kTextKeyBlock : kSelfKeyBlock;
      const KvMaps maps = {kv_map(keys.back().const_data_ptr(), valid, c.width(), block),
                           kv_map(values.back().const_data_ptr(), valid, c.width(), block)};
      std::memcpy(static_cast<uint8_t*>(host.mutable_data_ptr()) + r * static_cast<int64_t>(sizeof maps),
                  &maps, sizeof maps);
    }
    const at::Tensor maps = host.to(gpu());
    const at::Tensor valid = ints(c.valid);
    const int processors = at::cuda::getCurrentDeviceProperties()->multiProcessorCount;
    const auto bytes = at::TensorOptions(at::kByte).device(gpu());
    const at::Tensor sums = at::empty({attention_sum_bytes(processors)}, bytes);
    const at::Tensor norms = at::empty({attention_norm_bytes(processors)}, bytes);
    const AttentionCall call = {
        .queries = query_map(q.const_data_ptr(), c.rows(), c.tokens, c.width()),
        .kv = static_cast<const KvMaps*>(maps.const_data_ptr()),
        .valid = valid.const_data_ptr<int>(),
        .out = static_cast<__nv_bfloat16*>(out.data_ptr()),
        .rows = static_cast<int>(c.rows()),
        .heads = static_cast<int>(c.heads),
        .tokens = static_cast<int>(c.tokens),
        .scratch = {static_cast<float4*>(sums.data_ptr()), static_cast<float2*>(norms.data_ptr())}};
    const cudaStream_t stream = at::cuda::getCurrentCUDAStream();
    C10_CUDA_CHECK(text ? launch_text_attention(call, processors, stream)
                        : launch_self_attention(call, uniform, processors, stream));
    double worst = 0;
    for (int64_t r = 0; r < c.rows(); ++r) {
      const auto wide = [&](const at::Tensor& x) { return x.to(at::kFloat).unsqueeze(0); };
      const int64_t n = c.valid[static_cast<size_t>(r)];
      const at::Tensor want = attend(wide(q[r]), wide(keys[static_cast<size_t>(r)].narrow(0, 0, n)),
                                     wide(values[static_cast<size_t>(r)].narrow(0, 0, n)));
      const double error = relative_error(out[r], want[0]);
      worst = error <= worst ? worst : error;  // NaN counts
    }
    return worst;
  }
};

TEST_F(AttentionKernelTest, RowsOfOneLength) {
  for (const int64_t rows : {1, 2, 4})
    for (const int64_t valid : {512, 1560, 9360}) {
      const Case c = {12, 1560, 9360, std::vector<int64_t>(static_cast<size_t>(rows), valid)};
      EXPECT_LT(error_of(c, false, true), kTolerance) << rows << " rows, " << valid << " keys";
    }
}

TEST_F(AttentionKernelTest, RowsOfDifferentLengths) {
  for (const Case& c : {Case{12, 1560, 9360, {9360, 3120}}, Case{12, 1560, 9360, {1560, 4680, 6240, 9360}},
                        Case{2, 6, 36, {36, 6, 12}}, Case{3, 130, 650, {130, 650}}})
    EXPECT_LT(error_of(c, false, false), kTolerance) << c.tokens << " queries, " << c.rows() << " rows";
  EXPECT_LT(error_of({12, 1560, 9360, {4680, 4680}}, false, false), kTolerance) << "equal after all";
}

TEST_F(AttentionKernelTest, SizesThatTilesDoNotDivide) {
  for (const Case& c :
       {Case{2, 6, 36, {6}}, Case{1, 1, 3, {1}}, Case{3, 99, 400, {297}}, Case{5, 129, 1000, {145}},
        Case{12, 3600, 21600, {21600}}, Case{40, 1560, 9360, {9360}}})
    EXPECT_LT(error_of(c, false, true), kTolerance) << c.tokens << " queries, " << c.valid[0] << " keys";
}

TEST_F(AttentionKernelTest, Text) {
  for (const Case& c : {Case{12, 1560, 512, {512}}, Case{12, 1560, 512, {512, 512, 512, 512}},
                        Case{2, 6, 32, {32}}, Case{3, 130, 77, {77, 40}}})
    EXPECT_LT(error_of(c, true, false), kTolerance) << c.tokens << " queries, " << c.rows() << " rows";
}

}  // namespace
}  // namespace sdv2
