// SPDX-License-Identifier: LGPL-2.1-or-later
// Precompiled header of the files that use torch: ATen alone takes ten seconds to parse.
#include <ATen/ATen.h>
