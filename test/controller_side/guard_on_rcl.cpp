// A controller with the guard, on rcl: guard_on_rcl TOPIC
//
// One thread takes permits as an executor does, another looks as a control loop does. Each change of what
// it is told is a line on standard output. Ends with standard input.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <rcl/error_handling.h>
#include <rcl/rcl.h>
#include <rosidl_typesupport_cpp/message_type_support.hpp>

#include "interlock_guard/permit_message.hpp"

namespace {

void need(rcl_ret_t code, const char * what)
{
  if (code != RCL_RET_OK) {
    std::fprintf(stderr, "%s: %s\n", what, rcl_get_error_string().str);
    std::exit(1);
  }
}

// As fast as a controller's cycle.
constexpr auto CYCLE = std::chrono::milliseconds(1);

}  // namespace

int main(int argc, char ** argv)
{
  if (argc != 2) {
    return 64;
  }
  rcl_init_options_t options = rcl_get_zero_initialized_init_options();
  need(rcl_init_options_init(&options, rcl_get_default_allocator()), "init options");
  rcl_context_t context = rcl_get_zero_initialized_context();
  need(rcl_init(0, nullptr, &options, &context), "init");
  rcl_node_t node = rcl_get_zero_initialized_node();
  rcl_node_options_t node_options = rcl_node_get_default_options();
  need(rcl_node_init(&node, "controller", "/", &context, &node_options), "node");
  rcl_subscription_t subscription = rcl_get_zero_initialized_subscription();
  rcl_subscription_options_t with = rcl_subscription_get_default_options();
  with.qos.depth = 1;
  with.qos.reliability = RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT;
  with.qos.durability = RMW_QOS_POLICY_DURABILITY_VOLATILE;
  const auto * type =
    rosidl_typesupport_cpp::get_message_type_support_handle<interlock::msg::Permit>();
  need(rcl_subscription_init(&subscription, &node, type, argv[1], &with), "subscription");

  interlock_guard::PermitGuard guard;
  std::atomic<bool> ends{false};
  std::thread takes([&] {
      interlock::msg::Permit permit;
      while (!ends) {
        rmw_message_info_t info = rmw_get_zero_initialized_message_info();
        if (rcl_take(&subscription, &permit, &info, nullptr) == RCL_RET_OK) {
          guard.hear(
            interlock_guard::sample(permit), interlock_guard::received_at(info.received_timestamp));
        } else {
          rcl_reset_error();
          std::this_thread::sleep_for(CYCLE);
        }
      }
    });
  std::thread looks([&] {
      const char * told = "";
      while (!ends) {
        const char * now = text(guard.look());
        if (now != told) {
          told = now;
          std::printf("%s\n", now);
          std::fflush(stdout);
        }
        std::this_thread::sleep_for(CYCLE);
      }
    });
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  ends = true;
  takes.join();
  looks.join();
  need(rcl_subscription_fini(&subscription, &node), "end of the subscription");
  need(rcl_node_fini(&node), "end of the node");
  need(rcl_shutdown(&context), "shutdown");
  need(rcl_context_fini(&context), "end of the context");
  need(rcl_init_options_fini(&options), "end of the options");
  return 0;
}
