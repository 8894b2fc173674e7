/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control of the stub engine from a test. libsdv2engine-stub.so exports these calls beside the whole C ABI; a
 * test links it (the plugin, which opens the same file at run time, then gets the same instance).
 *
 * What the stub does is a JSON object, the program:
 *
 *   key              meaning                                                                     default
 *   "abi_version"    the only version that sdv2_abi_supported accepts                            the header's
 *   "chunk"          latent frames P of a chunk, 1…4: chunks of 1+4P, then 4P frames             1
 *   "width",         the model's processing size                                                 256
 *   "height"
 *   "load_ms"        real time that a load takes                                                 0
 *   "hold_load"      true: a load waits half-way for sdv2_stub_release_loads                     false
 *   "fail_load"      {"code": "corrupt", "message": "…"}: the load fails so                      none
 *   "pace"           when a chunk is finished: "real" (chunk_ms after it began),                 "real"
 *                    "virtual" (the same on the clock of sdv2_stub_advance),
 *                    "step" (when the test says so)
 *   "chunk_ms"       milliseconds of a chunk; a list gives those of chunk 0, 1, …,               0
 *                    its last entry those of all that follow
 *   "fail_chunks"    [{"chunk": 3, "code": "internal", "message": "…"}]: these fail;             none
 *                    the code "device" kills the model with it
 *   "prompt_chunks"  chunks that a new prompt comes later than other changes                     0
 *   "rungs"          [[3, 1, "repeated"], …]: from chunk 3 on sdv2_chunk_info tells rung 1       none
 *                    and this "show"; the pictures stay as they are
 *   "fail_session"   {"code": "busy", "message": "…"}: no session is opened                      none
 *
 * It is put together when a model or session is opened, later ones over earlier ones: the environment
 * variable SDV2_STUB_PROGRAM, sdv2_stub_program, the key "stub" in the model's configuration and (from "pace"
 * on) in the session's settings. Codes are the words of src/base/result.h.
 *
 * The picture: every pixel is inverted, then a tint is added to each channel modulo 256. The tint is a hash
 * of those of "prompt", "negative_prompt", "guidance", "guidance_mode", "steps", "noise_scale" and "seed"
 * that differ from the defaults (none: no tint). "prompt_blend": K moves the tint in equal parts from the old
 * to the new one, which the K-th chunk has; "mix" mixes with the source, "similarity_filter" repeats the last
 * tint for a chunk that equals the last frame before it. Frames keep their own size until they are read
 * (scaled by nearest); processing size, fit and the other settings are checked and reported, but change no
 * pixel.
 *
 * Sessions are counted from 0 in the order of opening since sdv2_stub_reset; -1 is the newest. Calls that
 * wait take part in no callback. Calls return 1 when it is done, 0 when there is no such session or chunk or
 * the time is over.
 */
#ifndef SDV2_STUB_CONTROL_H
#define SDV2_STUB_CONTROL_H

#include "sdv2/sdv2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the program for models and sessions that are opened from now on ("{}": nothing special). 0: not valid.
 */
SDV2_API int sdv2_stub_program(const char* json);

/* Back to the start for the next test: no program, sessions counted from 0 again, clock at 0, models
 * forgotten (open sessions go on undisturbed). */
SDV2_API void sdv2_stub_reset(void);

/* Lets loads with "hold_load" go on, those under way and those to come. */
SDV2_API void sdv2_stub_release_loads(void);

/* Waits until `count` sessions were opened; until a session was given `count` chunks in all. Real time. */
SDV2_API int sdv2_stub_wait_sessions(int count, int timeout_ms);
SDV2_API int sdv2_stub_wait_submitted(int session, int64_t count, int timeout_ms);

/* Finishes the next `count` chunks under way, oldest first. Returns when chunk_done was called for them. */
SDV2_API int sdv2_stub_step(int session, int count);
/* Finishes one chunk under way. Later ones may be finished before earlier ones; chunk_done still comes in
 * order, and when this returns it was called for every chunk that it can be called for. */
SDV2_API int sdv2_stub_finish(int session, int64_t chunk);
/* As sdv2_stub_finish, but the chunk fails. SDV2_DEVICE kills the model with it. */
SDV2_API int sdv2_stub_fail(int session, int64_t chunk, sdv2_code code, const char* message);

/* A device under every loaded model fails, of several the last: what is under way fails with SDV2_DEVICE, and
 * so does what comes later. */
SDV2_API void sdv2_stub_kill_devices(const char* message);

/* The virtual clock in nanoseconds. Advancing returns when chunk_done was called for every chunk that is due.
 */
SDV2_API int64_t sdv2_stub_now(void);
SDV2_API void sdv2_stub_advance(int64_t nanoseconds);

/* The session's sdv2_session_get_stats_json with "under_way": [{"chunk", "frames", "deadline_ns"}] besides.
 * NULL: no such session. Free it with sdv2_string_free. */
SDV2_API char* sdv2_stub_session(int session);

/* The pixel that a session with these settings (others at their defaults, no blend) makes of a pixel. 0: not
 * valid. */
SDV2_API int sdv2_stub_expect(const char* settings, const uint8_t rgb[3], uint8_t expected[3]);

typedef struct sdv2_stub_counts {
  int statuses_and_strings; /* given out and not freed */
  int models;               /* handles that are open */
  int sessions;             /* open */
  int loads;                /* loads that were begun since sdv2_stub_reset; sharing a model begins none */
} sdv2_stub_counts;

SDV2_API sdv2_stub_counts sdv2_stub_count(void);

#ifdef __cplusplus
}
#endif

#endif
