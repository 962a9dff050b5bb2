// The example of README.md, built against the installed library by the test package/bolt.
#include <bolt/session.hpp>
#include <bolt/url.hpp>
#include <cstdio>
#include <cstdlib>

int main() {
  const char* url = std::getenv("NEO4J_URL");
  auto options = bolt::parse_url(url == nullptr ? "bolt://localhost:7687" : url);
  if (!options) return std::fprintf(stderr, "%s\n", options.error().describe().c_str()), 2;

  bolt::Router router(*options);
  bolt::Session session(router);
  auto deadline = cnx::Clock::now() + std::chrono::seconds(10);
  auto result = session.query("UNWIND $names AS name RETURN name, size(name) AS length",
                              bolt::Map{{"names", bolt::List{"Ann", "Bo"}}}, deadline);
  if (!result) return std::fprintf(stderr, "%s\n", result.error().describe().c_str()), 1;

  for (const bolt::List& record : result->records) {
    std::printf("%s %lld\n", record[0].get_if<std::string>()->c_str(),
                static_cast<long long>(*record[1].get_if<int64_t>()));
  }
  return 0;
}
