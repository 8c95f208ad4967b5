// The guard in a node of rclcpp: rclcpp::Node, a lifecycle node, a ros2_control controller's get_node().
//
//   permit_ = std::make_unique<interlock_guard::PermitSubscription>(*get_node());   // on_configure
//   if (!permit_->guard().allows()) { stop(); }                                      // every update()
//
// The subscription is in the node's default callback group: whoever spins the node must go on spinning.
#pragma once

#include <chrono>
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
  : guard_(longest)
  {
    // As the gate publishes it. Only the newest counts.
    const auto qos = rclcpp::QoS(1).best_effort().durability_volatile();
    subscription_ = node.template create_subscription<interlock::msg::Permit>(
      topic, qos,
      [this](const interlock::msg::Permit & permit, const rclcpp::MessageInfo & info) {
        const auto received = info.get_rmw_message_info().received_timestamp;
        guard_.hear(sample(permit), received_at(received));
      });
  }

  const PermitGuard & guard() const noexcept {return guard_;}

private:
  PermitGuard guard_;
  rclcpp::Subscription<interlock::msg::Permit>::SharedPtr subscription_;
};

}  // namespace interlock_guard
