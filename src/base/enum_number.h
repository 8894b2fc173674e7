// SPDX-License-Identifier: LGPL-2.1-or-later
// Enums of the C ABI as numbers.
#pragma once

#include <cstring>

namespace sdv2 {

// The number that a C caller has put there, which may be none of the enumerators: in C++ such a value must
// not be loaded as the enum.
template <class Enum>
int enum_number(const Enum& value) {
  static_assert(sizeof(Enum) == sizeof(int));
  int number = 0;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

}  // namespace sdv2
