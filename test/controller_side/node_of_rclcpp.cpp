// The adapter in nodes of rclcpp, compiled where there is one: what docs/controller-side.md shows.
#include <rclcpp/rclcpp.hpp>

#include "interlock_guard/permit_subscription.hpp"

int main(int argc, char ** argv)
{
  rclcpp::init(argc, argv);
  auto node = std::make_shared<rclcpp::Node>("controller");
  interlock_guard::PermitSubscription permit(*node);
  rclcpp::spin_some(node);
  const bool allowed = permit.guard().allows();
  rclcpp::shutdown();
  return allowed ? 1 : 0;
}
