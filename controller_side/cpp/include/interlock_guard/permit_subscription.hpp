// The guard in a node of rclcpp: rclcpp::Node, a lifecycle node, a ros2_control controller's get_node().
//
//   permit_ = std::make_unique<interlock_guard::PermitSubscription>(*get_node());   // on_configure
//   if (!permit_->guard().allows()) { stop(); }                                      // every update()
//
// The subscription is in the node's default callback group: whoever spins the node must go on spinning.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <rclcpp/rclcpp.hpp>

#include "interlock/msg/permit.hpp"
#include "interlock_guard/permit_guard.hpp"
#include "interlock_guard/permit_message.hpp"

namespace interlock_guard {

class PermitSubscription {
public:
  // `topic` is the gate's ~/permit.
  template<typename NodeT>
  explicit PermitSubscription(
    NodeT & node,
    const std::string & topic = "/interlock/permit",
    std::chrono::nanoseconds longest = std::chrono::seconds(1))
  : guard_(std::make_shared<PermitGuard>(longest))
  {
    // As the gate publishes it. Only the newest counts. The callback owns what it writes to: an executor
    // of several threads may be in it while this object goes, as in on_cleanup.
    const auto qos = rclcpp::QoS(1).best_effort().durability_volatile();
    subscription_ = node.template create_subscription<interlock::msg::Permit>(
      topic, qos,
      [guard = guard_](const interlock::msg::Permit & permit, const rclcpp::MessageInfo & info) {
        const auto received = info.get_rmw_message_info().received_timestamp;
        guard->hear(sample(permit), received_at(received));
      });
  }

  const PermitGuard & guard() const noexcept {return *guard_;}

private:
  std::shared_ptr<PermitGuard> guard_;
  rclcpp::Subscription<interlock::msg::Permit>::SharedPtr subscription_;
};

}  // namespace interlock_guard
