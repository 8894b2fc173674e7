// SPDX-License-Identifier: LGPL-2.1-or-later
// The Python names that a checkpoint may refer to, and what "calling" them builds. The list is the security
// rule: whatever is not in it is refused, and what is in it only makes data.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "weights/pickle.h"

namespace sdv2 {

// The entry of the list, or nothing for any other name.
std::optional<PickleGlobal> find_pickle_global(std::string_view module, std::string_view name);

// What the call of a global stands for: a value that exists already, or a new one.
using PickleCall = std::variant<PickleRef, PickleDict, std::unique_ptr<PickleTensor>>;

// "Calls" a global. Errors (kCorrupt) tell what is wrong, not where.
Result<PickleCall> call_pickle_global(const PickleDocument& document, const PickleGlobal& global,
                                      const std::vector<PickleRef>& arguments);

// The storage that a persistent id ("storage", storage class, key, location, element count) stands for.
// Errors as above.
Result<PickleStorage> make_pickle_storage(const PickleDocument& document, PickleRef persistent_id);

}  // namespace sdv2
