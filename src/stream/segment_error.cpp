// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/segment_error.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace sdv2 {

Error caught_error() {
  try {
    throw;
  } catch (const SegmentError& error) {
    return error.error();
  } catch (const c10::OutOfMemoryError& error) {
    return {ErrorCode::kOutOfMemory,
            std::string("the device is out of memory: ") + error.what_without_backtrace()};
  } catch (const c10::AcceleratorError& error) {
    return {ErrorCode::kDevice, std::string("a device failed: ") + error.what_without_backtrace()};
  } catch (const c10::Error& error) {
    return {ErrorCode::kInternal, error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return {ErrorCode::kOutOfMemory, "the host is out of memory"};
  } catch (const std::exception& error) {
    return {ErrorCode::kInternal, error.what()};
  }
}

}  // namespace sdv2
