// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/known_files.h"

#include <algorithm>
#include <array>

namespace sdv2 {
namespace {

// By size.
constexpr std::array kFiles = {
    KnownFile{4'548'313, "e3909a67b780650b35cf529ac782ad2b6b26e6d1f849d3fbb6a872905f452458",
              "UMT5 tokenizer (SentencePiece)", "Wan-AI/Wan2.1-T2V-1.3B google/umt5-xxl/spiece.model"},
    KnownFile{16'837'417, "6e197b4d3dbd71da14b4eb255f4fa91c9c1f2068b20a2de2472967ca3d22602b",
              "UMT5 tokenizer", "Wan-AI/Wan2.1-T2V-1.3B google/umt5-xxl/tokenizer.json"},
    KnownFile{22'678'901, "", "TAEHV for Wan 2.1", "madebyollin/taehv taew2_1.pth"},
    KnownFile{22'679'486, "", "TAEHV for Wan 2.1", "madebyollin/taehv taew2_1.pth"},
    KnownFile{32'208'043, "", "LightVAE for Wan 2.1", "LightX2V lightvaew2_1.pth"},
    KnownFile{507'591'892, "", "Wan 2.1 VAE (diffusers)",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers vae/diffusion_pytorch_model.safetensors"},
    KnownFile{507'609'880, "38071ab59bd94681c686fa51d75a1968f64e470262043be31f7a094e442fd981", "Wan 2.1 VAE",
              "Wan-AI/Wan2.1-T2V-1.3B Wan2.1_VAE.pth"},
    KnownFile{677'289'072, "", "Wan 2.1 1.3B transformer (diffusers), shard 2 of 2",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers transformer"},
    KnownFile{2'885'866'152, "", "UMT5-XXL encoder (Hugging Face), shard 5 of 5",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers text_encoder"},
    KnownFile{4'899'225'672, "", "UMT5-XXL encoder (Hugging Face), shard 2 of 5",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers text_encoder"},
    KnownFile{4'966'309'504, "", "UMT5-XXL encoder (Hugging Face), shard 3 of 5",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers text_encoder"},
    KnownFile{4'972'389'712, "", "UMT5-XXL encoder (Hugging Face), shard 1 of 5",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers text_encoder"},
    KnownFile{4'998'781'576, "", "Wan 2.1 1.3B transformer (diffusers), shard 1 of 2",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers transformer"},
    KnownFile{4'999'880'704, "", "UMT5-XXL encoder (Hugging Face), shard 4 of 5",
              "Wan-AI/Wan2.1-T2V-1.3B-Diffusers text_encoder"},
    KnownFile{5'676'070'424, "96b6b242ca1c2f24e9d02cd6596066fab6d310e2d7538f33ae267cb18d957e8f",
              "Wan 2.1 1.3B transformer (bidirectional base)",
              "Wan-AI/Wan2.1-T2V-1.3B diffusion_pytorch_model.safetensors"},
    KnownFile{5'676'282'858, "", "StreamDiffusionV2 causal transformer 1.3B",
              "jerryfeng/StreamDiffusionV2 wan_causal_dmd_v2v/model.pt"},
    KnownFile{7'910'235'256, "", "Wan 2.1 14B transformer (bidirectional base), shard 6 of 6",
              "Wan-AI/Wan2.1-T2V-14B"},
    KnownFile{9'839'059'648, "", "Wan 2.1 14B transformer (bidirectional base), shard 2 of 6",
              "Wan-AI/Wan2.1-T2V-14B"},
    KnownFile{9'839'059'744, "", "Wan 2.1 14B transformer (bidirectional base), shard 3, 4 or 5 of 6",
              "Wan-AI/Wan2.1-T2V-14B"},
    KnownFile{9'887'603'256, "", "Wan 2.1 14B transformer (bidirectional base), shard 1 of 6",
              "Wan-AI/Wan2.1-T2V-14B"},
    KnownFile{11'352'649'716, "", "causal transformer 1.3B with its critic",
              "model.pt of a CausVid training"},
    KnownFile{11'361'920'418, "7cace0da2b446bbbbc57d031ab6cf163a3d59b366da94e5afe36745b746fd81d",
              "UMT5-XXL encoder", "Wan-AI/Wan2.1-T2V-1.3B models_t5_umt5-xxl-enc-bf16.pth"},
    KnownFile{28'577'332'702, "", "StreamDiffusionV2 causal transformer 14B",
              "jerryfeng/StreamDiffusionV2 wan_causal_dmd_v2v_14b/model.pt"},
};

}  // namespace

const KnownFile* find_known_file(uint64_t size) {
  const auto* const found = std::ranges::find(kFiles, size, &KnownFile::size);
  return found == kFiles.end() ? nullptr : found;
}

}  // namespace sdv2
