#include "console/server.hpp"

#include <httplib.h>
#include <sys/socket.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>

#include "telemetry/log.hpp"
#include "telemetry/metric.hpp"

namespace cnx::console {
namespace {

// An address that was taken is tried again so often.
constexpr Duration kTryAgain = std::chrono::seconds(5);
constexpr Duration kStopLook = std::chrono::milliseconds(5);
// Whoever asks has a word to say and is answered in milliseconds.
constexpr time_t kReadSeconds = 5;
// Nobody sends a body here.
constexpr size_t kBodyBytesMax = 4096;
constexpr size_t kThreads = 2;
constexpr const char* kJson = "application/json";

void set_options(int socket) {
  // The library's own default is SO_REUSEPORT: of two engines on one port, each would get some of the questions.
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

void serve(httplib::Server& server, const Pages& pages) {
  server.new_task_queue = [] { return std::make_unique<httplib::ThreadPool>(kThreads).release(); };
  server.set_socket_options(set_options);
  server.set_read_timeout(kReadSeconds, 0);
  server.set_write_timeout(kReadSeconds, 0);
  server.set_payload_max_length(kBodyBytesMax);
  // A connection that is kept would keep one of the threads.
  server.set_keep_alive_max_count(1);
  server.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content(pages.metrics(), std::string(telemetry::kExpositionType));
  });
  for (const auto& [path, page] : {std::pair("/healthz", &pages.health), std::pair("/readyz", &pages.readiness)}) {
    server.Get(path, [page = page](const httplib::Request&, httplib::Response& response) {
      const Answer answer = (*page)();
      response.status = answer.ok ? 200 : 503;
      response.set_content(answer.body, kJson);
    });
  }
}

}  // namespace

class Server::Listener {
 public:
  Listener(telemetry::ListenAddress address, Pages pages) : address_(std::move(address)), pages_(std::move(pages)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  ~Listener() {
    thread_.request_stop();
    // A server that is not yet listening cannot be told to stop, and one that is may be told once.
    std::unique_lock lock(mutex_);
    while (!ended_ && !(server_ != nullptr && server_->is_running())) wake_.wait_for(lock, kStopLook);
    if (!ended_) server_->stop();
  }

 private:
  void run(const std::stop_token& stop) {
    for (bool taken = false; !stop.stop_requested();) {
      const bool served = listen(stop, taken);
      if (!served && !taken) say_taken();
      taken = !served;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, kTryAgain, [&] { return stop.stop_requested(); });
    }
    std::lock_guard lock(mutex_);
    ended_ = true;
    wake_.notify_all();
  }

  // Until it is stopped. False: the address cannot be had.
  bool listen(const std::stop_token& stop, bool was_taken) {
    httplib::Server server;
    serve(server, pages_);
    telemetry::ListenAddress bound = address_;
    if (address_.port == 0) {
      const int port = server.bind_to_any_port(address_.host);
      if (port < 0) return false;
      bound.port = static_cast<uint16_t>(port);
    } else if (!server.bind_to_port(address_.host, address_.port)) {
      return false;
    }
    say_served(bound, was_taken);
    {
      std::lock_guard lock(mutex_);
      server_ = &server;
    }
    try {
      if (!stop.stop_requested()) server.listen_after_bind();
    } catch (const std::exception& exception) {
      telemetry::log_warning("telemetry_failed", std::string("metrics and health are not served for now: ") + exception.what());
    }
    std::lock_guard lock(mutex_);
    server_ = nullptr;
    // The destructor waits for a server that listens, or for the end.
    ended_ = stop.stop_requested();
    wake_.notify_all();
    return true;
  }

  static void say_served(const telemetry::ListenAddress& bound, bool was_taken) {
    const std::string address = bound.to_string();
    telemetry::log_info("telemetry_listening",
                        "metrics and health on http://" + address + (was_taken ? ", which is free now" : ""),
                        {{"address", address}});
    if (bound.is_loopback()) return;
    telemetry::log_warning("telemetry_exposed",
                           "metrics and health are served beyond this machine, to whoever reaches " + address +
                               ", without a password and without TLS",
                           {{"address", address}});
  }

  void say_taken() const {
    const std::string address = address_.to_string();
    telemetry::log_warning("telemetry_not_listening",
                           "metrics and health are not served: " + address +
                               " cannot be listened on (another engine has it, perhaps); it is tried again until it can. "
                               "telemetry.listen names another address, or off",
                           {{"address", address}});
  }

  telemetry::ListenAddress address_;
  Pages pages_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  httplib::Server* server_ = nullptr;  // While it is bound.
  bool ended_ = false;
  std::jthread thread_;  // Last: it uses all of the above.
};

Server::Server(telemetry::ListenAddress address, Pages pages) {
  if (!address.off()) listener_ = std::make_unique<Listener>(std::move(address), std::move(pages));
}

Server::~Server() = default;

}  // namespace cnx::console
