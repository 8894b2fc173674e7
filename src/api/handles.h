// SPDX-License-Identifier: LGPL-2.1-or-later
// What the opaque handles of the C ABI hold.
#pragma once

#include <memory>

#include "api/model_cache.h"
#include "sdv2/sdv2.h"
#include "stream/session.h"

struct sdv2_model {
  std::unique_ptr<sdv2::ModelCache::Handle> handle;
};

struct sdv2_session {
  std::shared_ptr<sdv2::Session> session;
};
