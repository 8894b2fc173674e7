// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/pickle.h"

#include <array>
#include <limits>
#include <string>

#include "base/byte_reader.h"
#include "base/quote.h"
#include "weights/pickle_globals.h"
#include "weights/stored_tensor.h"

namespace sdv2 {
namespace {

using Status = Result<void>;

constexpr PickleRef kNoValue = std::numeric_limits<PickleRef>::max();

// The stack machine. Each operation is a member function; the table kOperations below gives them their codes.
class Machine {
 public:
  Machine(std::span<const uint8_t> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  Result<PickleDocument> run();

  // Operations. Pickles call them by the names of pickletools.
  Status proto();
  Status frame();
  Status stop();
  Status mark() { return marks_.push_back(stack_.size()), Status(); }

  Status none() { return push(PickleOpaque{}); }
  Status new_true() { return push(true); }
  Status new_false() { return push(false); }
  Status bin_int();
  Status bin_int1() { return push_unsigned<uint8_t>(); }
  Status bin_int2() { return push_unsigned<uint16_t>(); }
  Status long1();
  Status bin_float();
  Status short_bin_unicode() { return push_string<uint8_t>(); }
  Status bin_unicode() { return push_string<uint32_t>(); }

  Status empty_list() { return push(PickleList{}); }
  Status append();
  Status appends();
  Status empty_dict() { return push(PickleDict{}); }
  Status set_item();
  Status set_items();
  Status empty_tuple() { return push(PickleTuple{}); }
  Status tuple1() { return push_tuple(1); }
  Status tuple2() { return push_tuple(2); }
  Status tuple3() { return push_tuple(3); }
  Status tuple();

  Status bin_put() { return put_argument<uint8_t>(); }
  Status long_bin_put() { return put_argument<uint32_t>(); }
  Status memoize() { return put(memo_used_); }
  Status bin_get() { return get_argument<uint8_t>(); }
  Status long_bin_get() { return get_argument<uint32_t>(); }

  Status global();
  Status stack_global();
  Status reduce();
  Status build();
  Status bin_pers_id();

 private:
  Error fail(ErrorCode code, const std::string& what) const;
  Error corrupt(const std::string& what) const { return fail(ErrorCode::kCorrupt, what); }
  Error cut_off() const { return corrupt("the pickle ends inside the operation"); }

  size_t left() const { return bytes_.size() - next_; }
  template <class T>
  Result<T> read();
  Result<std::string_view> read_text(size_t length);
  Result<std::string_view> read_line();

  // Only values above the last mark are within an operation's reach.
  size_t reachable() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  Status push(PickleValue value);
  Result<PickleRef> pop();
  Result<PickleRef> top() const;
  Result<std::vector<PickleRef>> pop_to_mark();
  template <class T>
  Status push_unsigned();
  template <class Length>
  Status push_string();
  Status push_tuple(size_t count);
  Status add_items(const std::vector<PickleRef>& keys_and_values);
  template <class Index>
  Status put_argument();
  template <class Index>
  Status get_argument();
  Status put(size_t index);
  Status push_global(std::string_view module, std::string_view name);

  std::span<const uint8_t> bytes_;
  std::string_view where_;
  size_t next_ = 0;       // byte behind what was read
  size_t operation_ = 0;  // byte of the operation that runs
  const char* operation_name_ = "";
  PickleDocument document_;
  std::vector<PickleRef> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::vector<PickleRef> memo_;
  size_t memo_used_ = 0;  // entries of memo_ that are set
  size_t tensors_ = 0;
  bool stopped_ = false;
};

struct Operation {
  uint8_t code;
  const char* name;
  Status (Machine::*run)();
};

constexpr Operation kOperations[] = {
    {0x80, "PROTO", &Machine::proto},
    {0x95, "FRAME", &Machine::frame},
    {'.', "STOP", &Machine::stop},
    {'(', "MARK", &Machine::mark},
    {'N', "NONE", &Machine::none},
    {0x88, "NEWTRUE", &Machine::new_true},
    {0x89, "NEWFALSE", &Machine::new_false},
    {'J', "BININT", &Machine::bin_int},
    {'K', "BININT1", &Machine::bin_int1},
    {'M', "BININT2", &Machine::bin_int2},
    {0x8a, "LONG1", &Machine::long1},
    {'G', "BINFLOAT", &Machine::bin_float},
    {0x8c, "SHORT_BINUNICODE", &Machine::short_bin_unicode},
    {'X', "BINUNICODE", &Machine::bin_unicode},
    {']', "EMPTY_LIST", &Machine::empty_list},
    {'a', "APPEND", &Machine::append},
    {'e', "APPENDS", &Machine::appends},
    {'}', "EMPTY_DICT", &Machine::empty_dict},
    {'s', "SETITEM", &Machine::set_item},
    {'u', "SETITEMS", &Machine::set_items},
    {')', "EMPTY_TUPLE", &Machine::empty_tuple},
    {0x85, "TUPLE1", &Machine::tuple1},
    {0x86, "TUPLE2", &Machine::tuple2},
    {0x87, "TUPLE3", &Machine::tuple3},
    {'t', "TUPLE", &Machine::tuple},
    {'q', "BINPUT", &Machine::bin_put},
    {'r', "LONG_BINPUT", &Machine::long_bin_put},
    {0x94, "MEMOIZE", &Machine::memoize},
    {'h', "BINGET", &Machine::bin_get},
    {'j', "LONG_BINGET", &Machine::long_bin_get},
    {'c', "GLOBAL", &Machine::global},
    {0x93, "STACK_GLOBAL", &Machine::stack_global},
    {'R', "REDUCE", &Machine::reduce},
    {'b', "BUILD", &Machine::build},
    {'Q', "BINPERSID", &Machine::bin_pers_id},
};

// kOperations by code; nullptr for a code that is refused.
constexpr std::array<const Operation*, 256> kByCode = [] {
  std::array<const Operation*, 256> table = {};
  for (const auto& operation : kOperations) table[operation.code] = &operation;
  return table;
}();

Result<PickleDocument> Machine::run() {
  if (bytes_.size() > kMaxPickleBytes)
    return corrupt("the pickle has " + std::to_string(bytes_.size()) + " bytes, at most " +
                   std::to_string(kMaxPickleBytes) + " are accepted");
  for (size_t steps = 0; !stopped_; ++steps) {
    operation_ = next_;
    operation_name_ = "";
    if (left() == 0) return corrupt("the pickle ends without STOP");
    if (steps == kMaxPickleSteps)
      return corrupt("the pickle has more than " + std::to_string(kMaxPickleSteps) + " operations");
    const uint8_t code = bytes_[next_++];
    const Operation* const operation = kByCode[code];
    if (operation == nullptr)
      return fail(ErrorCode::kUnsupported,
                  "operation code " + std::to_string(code) + " " +
                      quote(std::string_view(reinterpret_cast<const char*>(&code), 1)) +
                      " does not belong in a checkpoint; it is refused");
    operation_name_ = operation->name;
    SDV2_CHECK((this->*operation->run)());
  }
  return std::move(document_);
}

Error Machine::fail(ErrorCode code, const std::string& what) const {
  std::string place = std::string(where_) + ", byte " + std::to_string(operation_);
  if (*operation_name_ != '\0') place += std::string(" (") + operation_name_ + ")";
  return {code, place + ": " + what};
}

template <class T>
Result<T> Machine::read() {
  const auto value = load_le<T>(bytes_, next_);
  if (!value) return cut_off();
  next_ += sizeof(T);
  return *value;
}

Result<std::string_view> Machine::read_text(size_t length) {
  if (length > left())
    return corrupt("a string of " + std::to_string(length) + " bytes reaches beyond the end");
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + next_, length);
  next_ += length;
  return text;
}

Result<std::string_view> Machine::read_line() {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + next_, left());
  const size_t length = rest.find('\n');
  if (length == rest.npos) return cut_off();
  next_ += length + 1;
  return rest.substr(0, length);
}

Status Machine::push(PickleValue value) {
  if (document_.values.size() == kMaxPickleValues)
    return corrupt("the pickle makes more than " + std::to_string(kMaxPickleValues) + " values");
  stack_.push_back(static_cast<PickleRef>(document_.values.size()));
  document_.values.push_back(std::move(value));
  return {};
}

Result<PickleRef> Machine::pop() {
  SDV2_TRY(const PickleRef ref, top());
  stack_.pop_back();
  return ref;
}

Result<PickleRef> Machine::top() const {
  if (reachable() == 0) return corrupt("the stack is empty");
  return stack_.back();
}

Result<std::vector<PickleRef>> Machine::pop_to_mark() {
  if (marks_.empty()) return corrupt("no mark is set");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleRef> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

Status Machine::proto() {
  SDV2_TRY(const auto version, read<uint8_t>());
  if (version >= 2 && version <= 4) return {};
  return fail(ErrorCode::kUnsupported,
              "pickle protocol " + std::to_string(version) + ", accepted are 2 to 4");
}

Status Machine::frame() {
  SDV2_TRY(const auto length, read<uint64_t>());
  if (length > left())
    return corrupt("a frame of " + std::to_string(length) + " bytes reaches beyond the end");
  return {};
}

Status Machine::stop() {
  SDV2_TRY(document_.root, pop());
  stopped_ = true;
  return {};
}

Status Machine::bin_int() {
  SDV2_TRY(const auto bits, read<uint32_t>());
  return push(int64_t{static_cast<int32_t>(bits)});
}

template <class T>
Status Machine::push_unsigned() {
  SDV2_TRY(const auto value, read<T>());
  return push(int64_t{value});
}

// A two's complement number of up to 255 bytes.
Status Machine::long1() {
  SDV2_TRY(const auto length, read<uint8_t>());
  if (length > left()) return cut_off();
  const auto digits = bytes_.subspan(next_, length);
  next_ += length;
  const bool negative = length > 0 && (digits.back() & 0x80) != 0;
  const uint8_t fill = negative ? 0xff : 0;
  uint64_t value = negative ? ~uint64_t{0} : 0;
  for (size_t i = length; i-- > 0;) {
    if (i >= 8 && digits[i] != fill) return push(PickleOpaque{});  // beyond 64 bits
    value = value << 8 | digits[i];
  }
  if ((static_cast<int64_t>(value) < 0) != negative) return push(PickleOpaque{});
  return push(static_cast<int64_t>(value));
}

Status Machine::bin_float() {
  SDV2_CHECK(read<uint64_t>());
  return push(PickleOpaque{});
}

template <class Length>
Status Machine::push_string() {
  SDV2_TRY(const auto length, read<Length>());
  SDV2_TRY(const auto text, read_text(length));
  if (!is_utf8(text)) return corrupt("the string " + quote(text) + " is not UTF-8");
  return push(text);
}

Status Machine::append() {
  SDV2_TRY(const PickleRef item, pop());
  SDV2_TRY(const PickleRef target, top());
  auto* const list = std::get_if<PickleList>(&document_.values[target]);
  if (list == nullptr) return corrupt("the target is not a list");
  list->items.push_back(item);
  return {};
}

Status Machine::appends() {
  SDV2_TRY(const auto items, pop_to_mark());
  SDV2_TRY(const PickleRef target, top());
  auto* const list = std::get_if<PickleList>(&document_.values[target]);
  if (list == nullptr) return corrupt("the target is not a list");
  list->items.insert(list->items.end(), items.begin(), items.end());
  return {};
}

Status Machine::set_item() {
  SDV2_TRY(const PickleRef value, pop());
  SDV2_TRY(const PickleRef key, pop());
  return add_items({key, value});
}

Status Machine::set_items() {
  SDV2_TRY(const auto items, pop_to_mark());
  return add_items(items);
}

Status Machine::add_items(const std::vector<PickleRef>& keys_and_values) {
  SDV2_TRY(const PickleRef target, top());
  auto* const dict = std::get_if<PickleDict>(&document_.values[target]);
  if (dict == nullptr) return corrupt("the target is not a dict");
  if (keys_and_values.size() % 2 != 0) return corrupt("a key has no value");
  for (size_t i = 0; i < keys_and_values.size(); i += 2)
    dict->items.emplace_back(keys_and_values[i], keys_and_values[i + 1]);
  return {};
}

Status Machine::push_tuple(size_t count) {
  if (reachable() < count) return corrupt("the stack is empty");
  const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(count);
  PickleTuple value{{begin, stack_.end()}};
  stack_.erase(begin, stack_.end());
  return push(std::move(value));
}

Status Machine::tuple() {
  SDV2_TRY(auto items, pop_to_mark());
  return push(PickleTuple{std::move(items)});
}

template <class Index>
Status Machine::put_argument() {
  SDV2_TRY(const auto index, read<Index>());
  return put(index);
}

Status Machine::put(size_t index) {
  SDV2_TRY(const PickleRef value, top());
  if (index >= kMaxPickleValues) return corrupt("memo number " + std::to_string(index) + " is out of bounds");
  if (index >= memo_.size()) memo_.resize(index + 1, kNoValue);
  if (memo_[index] == kNoValue) ++memo_used_;
  memo_[index] = value;
  return {};
}

template <class Index>
Status Machine::get_argument() {
  SDV2_TRY(const auto index, read<Index>());
  if (index >= memo_.size() || memo_[index] == kNoValue)
    return corrupt("nothing was kept under memo number " + std::to_string(index));
  stack_.push_back(memo_[index]);
  return {};
}

Status Machine::global() {
  SDV2_TRY(const auto module, read_line());
  SDV2_TRY(const auto name, read_line());
  return push_global(module, name);
}

Status Machine::stack_global() {
  SDV2_TRY(const PickleRef name_ref, pop());
  SDV2_TRY(const PickleRef module_ref, pop());
  const auto* const module = document_.get<std::string_view>(module_ref);
  const auto* const name = document_.get<std::string_view>(name_ref);
  if (module == nullptr || name == nullptr) return corrupt("the name is not two strings");
  return push_global(*module, *name);
}

Status Machine::push_global(std::string_view module, std::string_view name) {
  const auto known = find_pickle_global(module, name);
  if (!known)
    return fail(ErrorCode::kUnsupported, "refers to Python's " + quote(module) + " " + quote(name) +
                                             ", which is not accepted (nothing in a checkpoint is executed)");
  return push(*known);
}

Status Machine::reduce() {
  SDV2_TRY(const PickleRef arguments_ref, pop());
  SDV2_TRY(const PickleRef callee, pop());
  const auto* const known = document_.get<PickleGlobal>(callee);
  const auto* const arguments = document_.get<PickleTuple>(arguments_ref);
  if (known == nullptr || arguments == nullptr)
    return corrupt("not a call of a known name with a tuple of arguments");
  auto call = call_pickle_global(document_, *known, arguments->items);
  if (!call.ok()) return corrupt(call.error().message);
  if (const auto* const existing = std::get_if<PickleRef>(&*call))
    return stack_.push_back(*existing), Status();
  if (auto* const dict = std::get_if<PickleDict>(&*call)) return push(std::move(*dict));
  if (++tensors_ > kMaxTensors)
    return corrupt("the pickle makes more than " + std::to_string(kMaxTensors) + " tensors");
  return push(std::move(std::get<std::unique_ptr<PickleTensor>>(*call)));
}

// Sets attributes of an object; those of a dict (such as _metadata) are of no use here.
Status Machine::build() {
  SDV2_CHECK(pop());
  SDV2_TRY(const PickleRef object, top());
  if (document_.get<PickleDict>(object) == nullptr) return corrupt("the object is not a dict");
  return {};
}

Status Machine::bin_pers_id() {
  SDV2_TRY(const PickleRef id, pop());
  const auto storage = make_pickle_storage(document_, id);
  if (!storage.ok()) return corrupt(storage.error().message);
  return push(*storage);
}

}  // namespace

Result<PickleDocument> load_pickle(std::span<const uint8_t> bytes, std::string_view where) {
  return Machine(bytes, where).run();
}

}  // namespace sdv2
