// Whether the gate permits motion, as a controller must see it: from what it heard, by its own clock.
//
// Depends on the standard library alone. `permit_message.hpp` makes a Sample of the gate's message,
// `permit_subscription.hpp` is the whole of it for a node of rclcpp. docs/controller-side.md has the rest.
//
// Invariant: nothing but a fresh permit that says yes allows motion; what is not known does not.
// Invariant: look() waits for nobody and allocates nothing. It may be called from a real-time thread
// while another one calls hear().
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace interlock_guard {

// What a controller is told. Everything but `allowed` means: stop.
enum class Verdict : std::uint8_t {
  allowed,
  not_heard,      // no permit yet: is the gate running, is the topic's name right?
  not_permitted,  // the gate says no: disarmed, killed, or holding
  stale,          // the newest permit is older than it may be: gate, network or executor stand still
  restarted,      // the gate began anew, or a second one speaks; ends with a permit that says no
};

// For people and logs.
inline constexpr const char * text(Verdict verdict) noexcept
{
  switch (verdict) {
    case Verdict::allowed: return "allowed";
    case Verdict::not_heard: return "not_heard";
    case Verdict::not_permitted: return "not_permitted";
    case Verdict::stale: return "stale";
    case Verdict::restarted: return "restarted";
  }
  return "unknown";
}

// What counts of one interlock/msg/Permit.
struct Sample {
  bool permitted;
  std::uint64_t sequence_number;
  std::chrono::nanoseconds valid_for;
};

class PermitGuard {
public:
  using Clock = std::chrono::steady_clock;

  // `longest`: no permit is valid for longer, whatever it says itself.
  explicit PermitGuard(std::chrono::nanoseconds longest = std::chrono::seconds(1)) noexcept
  : longest_(longest) {}

  PermitGuard(const PermitGuard &) = delete;
  PermitGuard & operator=(const PermitGuard &) = delete;

  // One permit, received at that time. From one thread at a time: the subscription's callback.
  void hear(const Sample & sample, Clock::time_point received = Clock::now()) noexcept
  {
    // The number of one run only grows. Anything else is another run, or somebody else.
    const bool went_back = heard_ && sample.sequence_number <= newest_;
    must_say_no_ = sample.permitted && (must_say_no_ || went_back);
    heard_ = true;
    newest_ = sample.sequence_number;
    if (must_say_no_) {
      stop(Verdict::restarted);
    } else if (!sample.permitted) {
      stop(Verdict::not_permitted);
    } else {
      const auto valid_for = std::min(sample.valid_for, longest_);
      const auto until = nanos(received) + valid_for.count();
      // The reason first: who sees the new time also finds the reason that belongs to it.
      reason_.store(Verdict::stale, std::memory_order_relaxed);
      until_.store(valid_for.count() > 0 ? until : NEVER, std::memory_order_release);
    }
  }

  // Whether motion is allowed at that time, and if not, why.
  Verdict look(Clock::time_point now = Clock::now()) const noexcept
  {
    // Acquire: pairs with the Release in hear() and stop().
    if (nanos(now) < until_.load(std::memory_order_acquire)) {
      return Verdict::allowed;
    }
    return reason_.load(std::memory_order_relaxed);
  }

  // The same as a bit.
  bool allows(Clock::time_point now = Clock::now()) const noexcept
  {
    return look(now) == Verdict::allowed;
  }

private:
  static constexpr std::int64_t NEVER = std::numeric_limits<std::int64_t>::min();

  static_assert(std::atomic<std::int64_t>::is_always_lock_free, "look() must not wait");
  static_assert(std::atomic<Verdict>::is_always_lock_free, "look() must not wait");

  static std::int64_t nanos(Clock::time_point time) noexcept
  {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  }

  void stop(Verdict reason) noexcept
  {
    reason_.store(reason, std::memory_order_relaxed);
    until_.store(NEVER, std::memory_order_release);
  }

  const std::chrono::nanoseconds longest_;
  // Steady time up to which motion is allowed, and why it is not after that.
  std::atomic<std::int64_t> until_{NEVER};
  std::atomic<Verdict> reason_{Verdict::not_heard};
  // Of the thread that hears.
  bool heard_ = false;
  bool must_say_no_ = false;
  std::uint64_t newest_ = 0;
};

}  // namespace interlock_guard
