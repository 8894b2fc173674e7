/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C ABI of the sdv2 engine: live video-to-video diffusion.
 *
 *   model     immutable weights on one or more devices; shared by everyone who opens it with the same
 *             configuration
 *   session   one stream: pictures go in chunk by chunk, restyled pictures come out one for one
 *   chunk     the frames that enter the model together: 1+4P first (P latent frames), then 4P
 *
 * Threads
 * - Any thread may call any function at any time, several at once, unless its comment says otherwise.
 *   Calls on one session are serialised inside, but flush and the statistics never wait for a picture that
 *   is being copied.
 * - A handle must not be used by a call that begins after its close has begun. A call that is under way then
 *   ends by itself: sdv2_session_drain with SDV2_CANCELLED. sdv2_model_wait must have returned before
 *   sdv2_model_close is called (sdv2_model_cancel makes it return).
 * - Callbacks come from threads of the engine, one at a time per session and per load, and different ones at
 *   the same time. They must not block or throw, since every other session waits for its own meanwhile. They
 *   may call any function but those that wait: in chunk_done sdv2_session_drain (SDV2_INVALID_ARGUMENT) and
 *   sdv2_session_close, in progress and done sdv2_model_wait. sdv2_session_flush may be called in chunk_done,
 *   sdv2_model_close in done.
 * - Only sdv2_model_wait and sdv2_session_drain wait for a device. put_frame and read_frame take as long as
 *   copying and converting one picture.
 *
 * Errors
 * - Functions that can fail return a status: NULL is success; anything else belongs to the caller
 *   (sdv2_status_free). Misuse (NULL handles, wrong sizes, a closed session) gives SDV2_INVALID_ARGUMENT,
 *   never undefined behaviour, as long as the handle has not been closed.
 * - A call that fails has changed nothing.
 * - When a device fails, the model is dead: every chunk under way is reported with SDV2_DEVICE, and so ends
 *   every call on its sessions but flush, close and the statistics. Opening the configuration again loads it
 *   anew.
 *
 * Values
 * - Structs begin with struct_size, which the caller sets to sizeof; fields that are added later read as
 *   zero.
 * - Strings are UTF-8. Settings travel as one JSON object, so that several change together.
 */
#ifndef SDV2_SDV2_H
#define SDV2_SDV2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SDV2_API __attribute__((visibility("default")))

/* ---- version ------------------------------------------------------------------------------------------- */

/* Version of this interface; raised when a struct or call changes meaning. */
#define SDV2_ABI_VERSION 1

/* 1 when the engine serves callers that were compiled with `abi_version`, else 0. Call it first. */
SDV2_API int sdv2_abi_supported(int abi_version);

/* Version of the engine, "0.1.0". Static storage. */
SDV2_API const char* sdv2_engine_version(void);

/* ---- status -------------------------------------------------------------------------------------------- */

typedef enum sdv2_code {
  SDV2_OK = 0,
  SDV2_INVALID_ARGUMENT, /* the call or a setting makes no sense */
  SDV2_NOT_FOUND,        /* a file, tensor or device is not there */
  SDV2_CORRUPT,          /* a file is damaged or hostile */
  SDV2_UNSUPPORTED,      /* valid, but not for this build, device or model */
  SDV2_OUT_OF_MEMORY,
  SDV2_BUSY, /* no room, or not in time; nothing was taken, nothing is lost (see sdv2_session_put_frame) */
  SDV2_CANCELLED, /* by sdv2_model_cancel, sdv2_session_flush or sdv2_session_close */
  SDV2_DEVICE,    /* a device failed; the model is dead, close it and open it again */
  SDV2_INTERNAL   /* a fault of the engine */
} sdv2_code;

typedef struct sdv2_status sdv2_status;

/* SDV2_OK for NULL. */
SDV2_API sdv2_code sdv2_status_code(const sdv2_status* status);
/* What went wrong, where, and what to do. "" for NULL. Valid until the status is freed. */
SDV2_API const char* sdv2_status_message(const sdv2_status* status);
SDV2_API void sdv2_status_free(sdv2_status* status);

/* Frees a string that a call gave to the caller. NULL is allowed. */
SDV2_API void sdv2_string_free(char* string);

/* ---- log ----------------------------------------------------------------------------------------------- */

typedef enum sdv2_log_level {
  SDV2_LOG_ERROR = 1,
  SDV2_LOG_WARNING,
  SDV2_LOG_INFO,
  SDV2_LOG_DEBUG
} sdv2_log_level;

/* Routes the engine's messages of `level` and below to `log` (NULL: nowhere, the default). Process-wide. */
SDV2_API void sdv2_set_log(sdv2_log_level level,
                           void (*log)(void* user, sdv2_log_level level, const char* message), void* user);

/* ---- model --------------------------------------------------------------------------------------------- */

typedef struct sdv2_model sdv2_model;

typedef struct sdv2_load_observer {
  size_t struct_size;
  void* user;
  /* Any number of times: what is being done ("weights", "text encoder", "warm-up"), 0…100 percent of the
   * whole. May be NULL. */
  void (*progress)(void* user, const char* stage, int percent);
  /* Exactly once, last: NULL when the model is ready. The status is valid during the call only.
   * May be NULL. */
  void (*done)(void* user, const sdv2_status* status);
} sdv2_load_observer;

/*
 * Opens a model in the background and returns at once. `config` is a JSON object:
 *
 *   key          meaning                                                                       default
 *   "model"      folder, or "random:1.3b", "random:14b", "random:tiny"                         required
 *                (random weights of true shapes)
 *   "devices"    "auto" (the first GPU, else "cpu,cpu" where there are several cores), or a    "auto"
 *                list "cuda:0,cuda:1", "cpu,cpu"; a device may stand in it more than once. A worker on the
 *                CPU uses half of its cores (of OMP_NUM_THREADS, when that is set)
 *   "precision"  "auto" (bf16 on GPUs, fp32 on CPUs), "fp32", "bf16"                           "auto"
 *   "vae"        "auto" (the model's own), "wan", "taehv"                                      "auto"
 *   "plan"       where the chain is cut: "auto", or as below                                   "auto"
 *   "kernels"    "auto" (fused where the device has them), "plain" (the reference's roundings         "auto"
 *                one by one), "fused" (an error where they cannot run)
 *   "linears"    linear layers of the transformer's blocks: "auto" (fp8 for wide transformers,     "auto"
 *                such as the 14B model, on fused kernels; else as "precision" says), "bf16" (never
 *                fp8), "fp8" (an error where it cannot run)
 *   "fault"      to try out what happens when a device fails: "deviceN@chunkM" makes the device at    none
 *                place N of "devices" fail when it is to begin chunk M (both from 0) of a stream;
 *                "deviceN*F@chunkM-L" makes it F times as slow from chunk M to chunk L
 *   "linger"     seconds that the weights stay loaded after the last close                     0
 *
 * A plan names the unit with which each stage begins, in the order of the chain, and the device that runs it
 * (its place in "devices", from 0): "0=enc.0|1=s0.b4|0=dec.0". The chain is enc.0 … enc.n (layers of the
 * encoder), mix, then for each denoising step J sJ.patch, sJ.b0 … sJ.bn, sJ.head, then dec.0 … dec.n. The
 * first stage begins with the chain's first unit. A plan is one for the most steps that the model has; with
 * fewer steps the units of the others are left out, so that a stage that begins in a step which is not there
 * begins with what follows it. sdv2_model_info's "plans" has the cut of every number of steps.
 *
 * Opening an equal configuration again shares the model. An error here means that nothing was started
 * (`done` is not called).
 */
SDV2_API sdv2_status* sdv2_model_open(const char* config, const sdv2_load_observer* observer,
                                      sdv2_model** model);

/* Blocks until the model is loaded, or its load has failed or was cancelled through this handle; the load's
 * status. */
SDV2_API sdv2_status* sdv2_model_wait(sdv2_model* model);

/* Ends a load under way for this handle: sdv2_model_wait returns at once, `done` gets SDV2_CANCELLED. The
 * load itself stops as soon as possible, unless another handle wants it. No effect on a loaded model. */
SDV2_API void sdv2_model_cancel(sdv2_model* model);

/* JSON: networks, "chunk" (latent frames P), "max_steps", "default" size and settings, "devices",
 * "failed_devices" (places in "devices", from 0: why the model is dead), "precision", "linears" (as they are:
 * "fp8", "bf16" or "fp32"), "plan" (with the model's own number of steps), "plans" (by number of steps).
 * Needs a loaded model. */
SDV2_API sdv2_status* sdv2_model_info(sdv2_model* model, char** json);

/* Gives the handle back; sessions that are open keep the weights alive. Waits for callbacks of this handle.
 * NULL is allowed. */
SDV2_API void sdv2_model_close(sdv2_model* model);

/* ---- pictures ------------------------------------------------------------------------------------------ */

/* Names and memory layouts are those of GstVideoFormat. */
typedef enum sdv2_pixel_format {
  SDV2_FORMAT_UNKNOWN = 0,
  SDV2_FORMAT_RGB,
  SDV2_FORMAT_BGR,
  SDV2_FORMAT_RGBX,
  SDV2_FORMAT_BGRX,
  SDV2_FORMAT_XRGB,
  SDV2_FORMAT_XBGR,
  SDV2_FORMAT_RGBA,
  SDV2_FORMAT_BGRA,
  SDV2_FORMAT_ARGB,
  SDV2_FORMAT_ABGR,
  SDV2_FORMAT_I420,
  SDV2_FORMAT_NV12,
  SDV2_FORMAT_YUY2,
  SDV2_FORMAT_UYVY
} sdv2_pixel_format;

typedef enum sdv2_color_matrix {
  SDV2_MATRIX_RGB = 0, /* RGB formats */
  SDV2_MATRIX_BT601,
  SDV2_MATRIX_BT709,
  SDV2_MATRIX_BT2020
} sdv2_color_matrix;

typedef enum sdv2_color_range {
  SDV2_RANGE_FULL = 0, /* 0…255 */
  SDV2_RANGE_LIMITED   /* 16…235 */
} sdv2_color_range;

/* A picture in the caller's memory. Planes as the format has them (1, 2 or 3), strides in bytes, positive. */
typedef struct sdv2_image {
  size_t struct_size;
  sdv2_pixel_format format;
  sdv2_color_matrix matrix;
  sdv2_color_range range;
  int32_t width;  /* pixels, 1…16384 */
  int32_t height; /* pixels, 1…16384 */
  uint8_t* planes[4];
  int32_t strides[4];
} sdv2_image;

/* ---- session ------------------------------------------------------------------------------------------- */

typedef struct sdv2_session sdv2_session;

/* What the pictures of a chunk are. */
typedef enum sdv2_show {
  SDV2_SHOW_RESTYLED = 0,
  SDV2_SHOW_STILL,    /* the last picture again, by the similarity filter */
  SDV2_SHOW_REPEATED, /* the last picture again, for the deadlines: the chunk was left out, or could not have
                         been in time any more */
  SDV2_SHOW_SOURCE    /* the source, faded to within the first such chunk; the next restyled one fades back */
} sdv2_show;

/* What became of a chunk. */
typedef struct sdv2_chunk_info {
  size_t struct_size;
  int64_t chunk;       /* number given by sdv2_session_submit */
  uint64_t generation; /* see sdv2_session_flush */
  /* SDV2_OK: its frames can be read until it is released. Otherwise the chunk is lost: it cannot be read,
   * takes no room and need not be released. Chunks of the same stream that were submitted before this call
   * are lost with it, and are reported next; the chunk that is submitted after that begins a new stream (ask
   * sdv2_session_chunk_frames again). Settings stay. A frame that was put already stays in the open chunk. */
  sdv2_code code;
  const char* message; /* "" for SDV2_OK; valid during the call only */
  int32_t frames;     /* put by the caller, and to be read (a partial chunk has fewer than the model takes) */
  int32_t steps;      /* denoising steps used; 0: nothing was computed, see `show` */
  double noise_scale; /* used for this chunk; 0 for one that is lost */
  int64_t submit_ns;  /* CLOCK_MONOTONIC: submitted */
  int64_t start_ns;   /* first device began; 0 for a chunk that is lost */
  int64_t done_ns;    /* pixels are ready */
  int32_t rung;       /* of the session's degradation ladder ("degrade"); 0 is full quality */
  sdv2_show show;
} sdv2_chunk_info;

typedef struct sdv2_session_observer {
  size_t struct_size;
  void* user;
  /* A chunk is finished; chunks of one session come in order.
   * Not called for chunks of an older generation. */
  void (*chunk_done)(void* user, const sdv2_chunk_info* info);
} sdv2_session_observer;

/*
 * Opens a stream on a loaded model. `settings` is a JSON object; those marked * can be changed later with
 * sdv2_session_set. SDV2_BUSY when a target rate does not fit beside the sessions that are open, and
 * SDV2_UNSUPPORTED when a target latency is shorter than the chain: the message says what would fit.
 *
 *   key                    meaning                                                        default
 *   "width", "height"      processing size in pixels, multiples of 16, 16…8192            the model's
 *   "fit"                  how a picture of another shape is fitted: "stretch", "crop",   "stretch"
 *                          "letterbox"
 *   "capacity"             chunks that may be under way or unread, 1…64                   4
 *   "prompt" *             text                                                           ""
 *   "prompt_blend" *       K chunks, 0…256, over which a new prompt is faded in: the      0 (at once)
 *                          i-th of them has i/K of it, and so the last one all
 *   "blend" *              "linear" or "slerp"                                            "linear"
 *   "reset_on_prompt" *    true: a new prompt clears the KV cache                         false
 *   "negative_prompt" *    text                                                           ""
 *   "guidance" *           guidance scale, 1…20; 1 is off and costs nothing               1
 *   "guidance_mode" *      "full", "self-negative", "one-time-negative"                   "self-negative"
 *   "steps" *              denoising steps 1…4                                            the model's
 *   "noise_scale" *        0…1: 0 keeps the picture, 1 forgets it                         the model's
 *   "adaptive_noise" *     less noise when there is motion                                true
 *   "seed" *               0…2^53                                                         0
 *   "kv_cache_frames"      latent frames the model remembers, 2…64                        the model's
 *   "sink_frames"          of them, frames that are never forgotten                       the model's
 *   "adaptive_sink" *      similarity below which a sink is renewed, -1 is off            the model's
 *   "execution" *          "latency" (depth-first), "throughput" (stream batch), "auto"   "auto"
 *                          (by the costs that are measured and the deadlines)
 *   "priority" *           -100…100: when not all deadlines can hold, chunks of streams    0
 *                          with a higher one go first, and keep their quality longest
 *   "target_fps" *         0…1000: frames per second that have to hold; 0: not told.       0
 *                          A session with one is refused when it does not fit beside the
 *                          others (once chunks of its size have run on the model)
 *   "target_latency" *     0…60000: milliseconds from a chunk's first frame to its         0
 *                          pictures that have to hold; 0: any. Counts when a session with
 *                          a target_fps opens
 *   "degrade" *            what may be given up, in this order, while deadlines cannot     []
 *                          hold, as a list: "steps" (one less at a time), "repeat" (every
 *                          other chunk, and chunks that would only come late, repeat the
 *                          last picture), "source" (the source, faded in; nothing is
 *                          computed). Each step down is a rung; they are climbed again one
 *                          by one when there is room
 *   "warm_up"              "chunk": the first chunk is 1+4P frames;                       "chunk"
 *                          "frame": the first frame alone, repeated
 *   "similarity_filter" *  0 off, else the cosine similarity (0…1) above which a static   0
 *                          chunk may be skipped
 *   "mix" *                0…1: share of the restyled picture, the rest is the source     1
 */
SDV2_API sdv2_status* sdv2_session_open(sdv2_model* model, const char* settings,
                                        const sdv2_session_observer* observer, sdv2_session** session);

typedef struct sdv2_receipt {
  size_t struct_size;
  int64_t chunk; /* first chunk made with all the changes, or with the first of a prompt that is faded in */
} sdv2_receipt;

/* Changes live settings together: all are valid and taken, or none is. `receipt` may be NULL. Chunks that
 * were submitted keep the settings that they had then; the receipt names the chunk that sdv2_session_submit
 * gives out next, or a later one, and holds across flush and reset. Does not block on a device: a new prompt
 * is encoded in the background, and the first chunk that has it waits for that while earlier ones go on. When
 * it cannot be encoded, that chunk fails. A prompt that is set before the first chunk of a stream is not
 * faded in. */
SDV2_API sdv2_status* sdv2_session_set(sdv2_session* session, const char* changes, sdv2_receipt* receipt);

/* Frames that the open chunk takes: 1+4P (or 1) at the start of a stream, then 4P. */
SDV2_API int32_t sdv2_session_chunk_frames(sdv2_session* session);

/* Adds a picture to the open chunk; its pixels are copied before the call returns. SDV2_INVALID_ARGUMENT when
 * the open chunk is full already.
 *
 * SDV2_BUSY with the first picture of a chunk when as many chunks as "capacity" says are under way, or
 * finished and not released. Nothing was taken: put the same picture again. What makes room is
 * sdv2_session_release_chunk (a chunk that fails makes it by itself), not chunk_done: after a chunk_done read
 * the chunk, release it, then try again. Once a chunk is open, none of its other frames and no submit is
 * refused for want of room. */
SDV2_API sdv2_status* sdv2_session_put_frame(sdv2_session* session, const sdv2_image* image);

/* Starts the open chunk, which holds at least one frame; missing frames are made by repeating the last.
 * `deadline_ns` is when the pixels are wanted (CLOCK_MONOTONIC), INT64_MAX for none: of all sessions the
 * chunk that is due first goes first, and one without a deadline only when no other is ready. `chunk` (may be
 * NULL) gets the chunk's number: 0, 1, 2… since the session was opened, never reused. */
SDV2_API sdv2_status* sdv2_session_submit(sdv2_session* session, int64_t deadline_ns, int64_t* chunk);

/* Writes one frame of a finished chunk (0 … info.frames-1) into the caller's memory, converted and scaled to
 * the image's format and size. Alpha comes from the source picture of that frame (opaque where it had
 * none). */
SDV2_API sdv2_status* sdv2_session_read_frame(sdv2_session* session, int64_t chunk, int32_t frame,
                                              const sdv2_image* image);

/* The caller has read what it wants of a finished chunk; its room is free again. SDV2_INVALID_ARGUMENT for a
 * chunk that is under way, failed or was released; SDV2_CANCELLED (as from read_frame) for one that a flush
 * dropped. */
SDV2_API sdv2_status* sdv2_session_release_chunk(sdv2_session* session, int64_t chunk);

/* Blocks until every submitted chunk is finished or lost (and chunk_done has returned), at most `timeout_ms`
 * (0 or more); SDV2_BUSY after that, SDV2_CANCELLED by a flush or close, SDV2_DEVICE when the device has
 * failed. The open chunk is left as it is. */
SDV2_API sdv2_status* sdv2_session_drain(sdv2_session* session, int64_t timeout_ms);

/* The next chunk starts a new stream (chunk of 1+4P frames, empty caches); what was submitted is still
 * delivered. The open chunk is dropped. Settings stay. */
SDV2_API sdv2_status* sdv2_session_reset(sdv2_session* session);

/* Drops everything that was put, submitted or finished and starts a new stream. Returns at once; work under
 * way is abandoned at the next unit. No chunk_done of an older generation is called after this returns (one
 * that is being called is waited for, unless the caller is that callback). Chunks that it drops are not
 * reported and need not be released; their numbers are not used again. Settings stay. Works on a dead model
 * too. */
SDV2_API sdv2_status* sdv2_session_flush(sdv2_session* session);

typedef struct sdv2_session_stats {
  size_t struct_size;
  uint64_t generation;
  int64_t chunks_submitted;
  int64_t chunks_done;
  int64_t chunks_failed;
  int64_t chunks_dropped; /* by flush */
  int64_t chunks_skipped; /* by the similarity filter, or to hold deadlines */
  int64_t frames_in;
  int64_t frames_out;
  int64_t latency_p50_ns; /* submit to done, of the last 512 chunks; 0 without any */
  int64_t latency_p95_ns;
  int64_t latency_p99_ns;
  int64_t first_frame_ns;   /* first put_frame to first chunk done of the current stream; 0 before */
  double chunk_interval_ns; /* mean of the last 64 intervals between finished chunks */
  int32_t chunks_under_way;
  double noise_scale; /* of the last chunk */
  int32_t rung;       /* of the last chunk, see sdv2_chunk_info */
} sdv2_session_stats;

/* Cheap; does not wait for a device. */
SDV2_API sdv2_status* sdv2_session_get_stats(sdv2_session* session, sdv2_session_stats* stats);

/* The same and more as JSON: per stage median, p95, p99 (of all that ran on the model since the session was
 * opened), memory of host and devices, the plan, the current settings. */
SDV2_API sdv2_status* sdv2_session_get_stats_json(sdv2_session* session, char** json);

/* Ends the stream: as flush, then frees it. Waits for callbacks under way, not for devices.
 * NULL is allowed. */
SDV2_API void sdv2_session_close(sdv2_session* session);

/* ---- profiling ----------------------------------------------------------------------------------------- */

/* Records stages, devices, links and queues of the whole process until sdv2_trace_stop writes them as a
 * Chrome trace. */
SDV2_API sdv2_status* sdv2_trace_start(void);
SDV2_API sdv2_status* sdv2_trace_stop(const char* path);

#ifdef __cplusplus
}
#endif

#endif
