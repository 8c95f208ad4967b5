// Runs cases.txt, from standard input, against permit_guard.hpp alone.
#include <cstdint>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "interlock_guard/permit_guard.hpp"

using interlock_guard::PermitGuard;
using std::chrono::milliseconds;

int main()
{
  std::unique_ptr<PermitGuard> guard;
  std::string line, name;
  int looks = 0, failed = 0;
  const auto at = [](std::int64_t ms) {return PermitGuard::Clock::time_point(milliseconds(ms));};
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string word, said;
    std::int64_t time = 0, valid_for = 0;
    std::uint64_t number = 0;
    words >> word;
    if (word == "case") {
      guard = std::make_unique<PermitGuard>();
      std::getline(words, name);
    } else if (word == "hear") {
      words >> time >> number >> said >> valid_for;
      guard->hear({said == "yes", number, milliseconds(valid_for)}, at(time));
    } else if (word == "look") {
      words >> time >> said;
      const std::string found = text(guard->look(at(time)));
      ++looks;
      if (found != said || guard->allows(at(time)) != (said == "allowed")) {
        ++failed;
        std::cout << name << ": at " << time << " ms " << found << ", expected " << said << "\n";
      }
    } else if (!word.empty() && word[0] != '#') {
      std::cout << "not understood: " << line << "\n";
      return 2;
    }
  }
  std::cout << looks << " looks, " << failed << " failed\n";
  return looks > 0 && failed == 0 ? 0 : 1;
}
