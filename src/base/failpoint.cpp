#include "base/failpoint.hpp"

#ifdef CNX_FAILPOINTS
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#endif

namespace cnx {

#ifdef CNX_FAILPOINTS
namespace {

struct Armed {
  size_t index = kFailpoints.size();
  std::atomic<long> left = 0;
  int signal = SIGKILL;

  // The environment is read here and not by config: no user sets this, and it has to act before any configuration is there.
  Armed() {
    const char* text = std::getenv("CNX_FAILPOINT");
    if (text == nullptr || *text == '\0') return;
    const std::string given = text;
    const size_t colon = given.find(':');
    const auto found = std::find(kFailpoints.begin(), kFailpoints.end(), given.substr(0, colon));
    if (found == kFailpoints.end()) {
      std::fprintf(stderr, "contextnexus: CNX_FAILPOINT=%s: there is no such failpoint\n", text);
      std::abort();
    }
    index = static_cast<size_t>(found - kFailpoints.begin());
    left = colon == std::string::npos ? 1 : std::max(1L, std::strtol(given.c_str() + colon + 1, nullptr, 10));
    if (given.ends_with(":stop")) signal = SIGSTOP;
  }
};

}  // namespace

void reach(FailpointName point) {
  static Armed armed;
  if (point.index != armed.index || armed.left.fetch_sub(1) != 1) return;
  kill(getpid(), armed.signal);
  // Of a process that is being killed other threads may still run; this one goes no further.
  while (armed.signal == SIGKILL) ::pause();
}
#else
void reach(FailpointName) {}
#endif

}  // namespace cnx
