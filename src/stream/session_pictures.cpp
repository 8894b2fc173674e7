// SPDX-License-Identifier: LGPL-2.1-or-later
// A session's pixels: pictures to the chain, results from it, and frames for the caller.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "image/chunk_output.h"
#include "image/mix.h"
#include "stream/segment_error.h"
#include "stream/session.h"

namespace sdv2 {

// On the worker of the first unit.
at::Tensor Session::load_pictures(const ChunkSlot& slot, size_t count, at::Device device,
                                  at::ScalarType type) {
  if (!converter_ || converter_device_ != device) {
    converter_ = or_throw(make_chunk_input(processing_, fit_, device));
    converter_device_ = device;
  }
  const at::Tensor pixels = at::empty({static_cast<int64_t>(count), 3, processing_.height, processing_.width},
                                      at::TensorOptions().dtype(type).device(device));
  const auto converted = converter_->convert(slot.padded(count), pixels);
  if (!converted.ok()) throw SegmentError(converted.error());
  return pixels;
}

// On the worker of the last unit.
void Session::store_result(ChunkSlot& slot, const at::Tensor& pixels) {
  const at::Tensor& host = slot.result(pixels.size(0), processing_.height, processing_.width);
  const at::Tensor bytes =
      pixels.is_cpu() ? host
                      : at::empty(host.sizes(), host.options().device(pixels.device()).pinned_memory(false));
  const auto converted = convert_chunk_output(pixels.contiguous(), PixelScale::kMinusOneToOne, bytes);
  if (!converted.ok()) throw SegmentError(converted.error());
  if (!pixels.is_cpu()) host.copy_(bytes, /*non_blocking=*/true);
}

// A skipped chunk shows what was shown last.
void Session::repeat_last_picture(Entry& entry) {
  if (!last_result_) return;
  const c10::InferenceMode inference;  // workers made the tensors in it
  const at::Tensor last = last_result_->result().select(0, last_result_frame_);
  at::Tensor& result = entry.slot->result(entry.report.frames, processing_.height, processing_.width);
  for (int64_t frame = 0; frame < entry.report.frames; ++frame) result.select(0, frame).copy_(last);
}

// From the share of the restyled picture that the chunk before ended with, frame by frame.
double Session::Entry::mix_of(int frame) const {
  return mix * (shown_before + (shown - shown_before) * (frame + 1) / report.frames);
}

Result<void> Session::read_frame(int64_t chunk, int frame, const MutableImageView& image) {
  SDV2_CHECK(check(ImageView(image)));
  const std::lock_guard reading(read_mutex_);
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(chunk);
    if (found == entries_.end() || !found->second.finished) return no_chunk_locked(chunk);
    entry = found->second;  // shares the slot, so that a flush does not take it away
  }
  if (frame < 0 || frame >= entry.report.frames)
    return Error{ErrorCode::kInvalidArgument, "chunk " + std::to_string(chunk) + " has frames 0 … " +
                                                  std::to_string(entry.report.frames - 1) + ", not " +
                                                  std::to_string(frame)};
  const at::Tensor picture = entry.slot->result().select(0, entry.first_frame + frame);
  const auto* restyled = picture.const_data_ptr<uint8_t>();
  const ImageView source = view_of(entry.slot->picture(static_cast<size_t>(frame)));
  const double mix = entry.mix_of(frame);
  if (mix < 1) {
    mixed_.resize(static_cast<size_t>(picture.numel()));
    SDV2_CHECK(mix_source(mix_input_, source, static_cast<float>(mix), restyled, mixed_.data()));
    restyled = mixed_.data();
  }
  return output_.convert(restyled, source.spec.size, alpha_of(source), image);
}

}  // namespace sdv2
