// The gate's message as the guard takes it. Needs the generated interlock/msg/permit.hpp, and no ROS library.
#pragma once

#include <chrono>
#include <cstdint>

#include "interlock/msg/permit.hpp"
#include "interlock_guard/permit_guard.hpp"

namespace interlock_guard {

inline Sample sample(const interlock::msg::Permit & permit) noexcept
{
  return {
    permit.permitted,
    permit.sequence_number,
    std::chrono::seconds(permit.valid_for.sec) + std::chrono::nanoseconds(permit.valid_for.nanosec),
  };
}

// When a message was received that is taken now: it may have waited for its executor, and is as old as it
// is. `received` is the middleware's time of receipt, nanoseconds since 1970; 0: not given.
inline PermitGuard::Clock::time_point received_at(
  std::int64_t received,
  PermitGuard::Clock::time_point now,
  std::chrono::system_clock::time_point wall) noexcept
{
  const auto waited = wall.time_since_epoch() - std::chrono::nanoseconds(received);
  // A wall clock that was set back says nothing.
  if (received <= 0 || waited <= waited.zero()) {
    return now;
  }
  return now - std::chrono::duration_cast<PermitGuard::Clock::duration>(waited);
}

inline PermitGuard::Clock::time_point received_at(std::int64_t received) noexcept
{
  // In this order: whatever holds this thread up in between makes the permit older, never younger.
  const auto now = PermitGuard::Clock::now();
  return received_at(received, now, std::chrono::system_clock::now());
}

}  // namespace interlock_guard
