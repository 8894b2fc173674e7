// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/tensor_sizes.h"

namespace sdv2 {
namespace {

// Looks up dimensions; the first that is not there is kept as the error.
class Dimensions {
 public:
  explicit Dimensions(const TensorShapes& shapes) : shapes_(shapes) {}

  // Dimension `index` of a tensor that must have `rank` of them. 0 after a fault.
  int64_t operator()(const std::string& key, size_t rank, size_t index) {
    const auto found = shapes_.find(key);
    if (found != shapes_.end() && found->second.size() == rank) return found->second[index];
    if (fault_.empty())
      fault_ =
          "its sizes cannot be told: " + key +
          (found == shapes_.end() ? " is missing" : " does not have " + std::to_string(rank) + " dimensions");
    return 0;
  }

  // The number of layers: of tensors <prefix>0<suffix>, <prefix>1<suffix>, … the highest index that is there,
  // plus one.
  int64_t layers(const std::string& prefix, const std::string& suffix) {
    int64_t count = 0;
    constexpr int64_t kMost = 1024;
    for (int64_t i = 0; i < kMost; ++i) {
      std::string key = prefix;
      key.append(std::to_string(i)).append(suffix);
      if (shapes_.contains(key)) count = i + 1;
    }
    return count;
  }

  template <class Spec>
  Result<Spec> result(const Spec& spec) const {
    if (fault_.empty()) return spec;
    return Error{ErrorCode::kCorrupt, fault_};
  }

 private:
  const TensorShapes& shapes_;
  std::string fault_;
};

}  // namespace

Result<DitConfig> dit_sizes(const TensorShapes& shapes) {
  Dimensions of(shapes);
  DitConfig spec;
  spec.dim = of("patch_embedding.weight", 5, 0);
  for (const auto& released : {DitConfig::wan_1_3b(), DitConfig::wan_14b()})
    if (spec.dim == released.dim) return released;
  spec.num_heads = spec.dim / kHeadDim;
  spec.in_dim = of("patch_embedding.weight", 5, 1);
  spec.out_dim = of("head.head.weight", 2, 0) / (kPatch * kPatch);
  spec.ffn_dim = of("blocks.0.ffn.0.weight", 2, 0);
  spec.freq_dim = of("time_embedding.0.weight", 2, 1);
  spec.text_dim = of("text_embedding.0.weight", 2, 1);
  spec.num_layers = of.layers("blocks.", ".modulation");
  return of.result(spec);
}

Result<WanVaeSpec> wan_vae_sizes(const TensorShapes& shapes) {
  Dimensions of(shapes);
  const WanVaeSpec spec{.base_dim = of("encoder.conv1.weight", 5, 0)};
  return of.result(spec);
}

Result<TaehvSpec> taehv_sizes(const TensorShapes& shapes) {
  Dimensions of(shapes);
  TaehvSpec spec;
  spec.encoder_width = of("encoder.0.weight", 4, 0);
  spec.decoder_widths = {of("decoder.1.weight", 4, 0), of("decoder.8.weight", 4, 0),
                         of("decoder.14.weight", 4, 0), of("decoder.20.weight", 4, 0)};
  return of.result(spec);
}

Result<TextEncoderSpec> text_encoder_sizes(const TensorShapes& shapes) {
  Dimensions of(shapes);
  TextEncoderSpec spec;
  if (of("token_embedding.weight", 2, 1) == spec.dim) return spec;
  spec.vocab = of("token_embedding.weight", 2, 0);
  spec.dim = of("token_embedding.weight", 2, 1);
  spec.dim_attn = of("blocks.0.attn.q.weight", 2, 0);
  spec.dim_ffn = of("blocks.0.ffn.fc1.weight", 2, 0);
  spec.num_heads = of("blocks.0.pos_embedding.embedding.weight", 2, 1);
  spec.num_layers = of.layers("blocks.", ".attn.q.weight");
  return of.result(spec);
}

}  // namespace sdv2
