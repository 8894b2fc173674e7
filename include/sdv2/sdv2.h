/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C ABI of the sdv2 engine. */
#ifndef SDV2_SDV2_H
#define SDV2_SDV2_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define SDV2_API
#else
#define SDV2_API __attribute__((visibility("default")))
#endif

/* Version of this interface. The caller passes the value it was compiled with to sdv2_abi_supported(). */
#define SDV2_ABI_VERSION 1

/* 1 when the engine serves callers compiled with `abi_version`, else 0. Any thread. */
SDV2_API int sdv2_abi_supported(int abi_version);

/* Version of the engine, "0.1.0". Static storage. Any thread. */
SDV2_API const char* sdv2_engine_version(void);

#ifdef __cplusplus
}
#endif

#endif
