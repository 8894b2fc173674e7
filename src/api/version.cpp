// SPDX-License-Identifier: LGPL-2.1-or-later
// The version handshake of the C ABI.
#include "sdv2/sdv2.h"

int sdv2_abi_supported(int abi_version) { return abi_version == SDV2_ABI_VERSION ? 1 : 0; }

const char* sdv2_engine_version(void) { return SDV2_VERSION; }
