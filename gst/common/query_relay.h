// SPDX-License-Identifier: LGPL-2.1-or-later
// A serialized query on its way through an element's queue, for whose answer its sender waits.
#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <mutex>
#include <optional>

namespace sdv2 {

// At most one query is under way: upstream's streaming thread waits with it. The owner's mutex guards
// everything.
class QueryRelay {
 public:
  using Lock = std::unique_lock<std::mutex>;

  // In the sender's thread, after the query was put into the queue: waits for its answer, at most until
  // `broken()` while it has not been taken out. Nothing when there is none; the sender then takes the query
  // out of the queue.
  template <class Broken>
  std::optional<gboolean> wait(Lock& lock, const GstQuery* query, Broken broken) {
    changed_.wait(lock, [&] { return answered_ == query || (broken() && pushing_ != query); });
    if (answered_ != query) return std::nullopt;
    answered_ = nullptr;
    return result_;
  }

  // In the source pad's task: asks downstream with the mutex released.
  void push(Lock& lock, GstPad* src, GstQuery* query) {
    pushing_ = query;
    lock.unlock();
    const gboolean result = gst_pad_peer_query(src, query);
    lock.lock();
    pushing_ = nullptr;
    answer(query, result);
  }

  // Downstream is not asked.
  void refuse(const GstQuery* query) { answer(query, FALSE); }

  // `broken()` may have changed.
  void wake() { changed_.notify_all(); }
  void forget() { answered_ = nullptr; }

 private:
  void answer(const GstQuery* query, gboolean result) {
    answered_ = query;
    result_ = result;
    changed_.notify_all();
  }

  std::condition_variable changed_;
  const GstQuery* pushing_ = nullptr;
  const GstQuery* answered_ = nullptr;
  gboolean result_ = FALSE;
};

}  // namespace sdv2
