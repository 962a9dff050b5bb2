#include "command/check_report.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "command/table_text.hpp"

namespace cnx::command {
namespace {

using pipeline::code_of;
using pipeline::Grade;

nlohmann::ordered_json to_json(const std::string& name, const pipeline::CheckReport& report) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const pipeline::Finding& finding : report.findings) {
    findings.push_back({{"grade", to_string(finding.grade)},
                        {"code", finding.kind ? code_of(*finding.kind) : std::string_view()},
                        {"side", finding.side},
                        {"what", finding.what},
                        {"figure", finding.figure},
                        {"cure", finding.cure}});
  }
  return {{"pipeline", name},
          {"faults", report.count(Grade::fault)},
          {"warnings", report.count(Grade::warning)},
          {"findings", findings}};
}

}  // namespace

ExitCode print_report(const ConnectionFlags& flags, const std::string& name, const pipeline::CheckReport& found) {
  const size_t faults = found.count(Grade::fault);
  if (flags.json) {
    // What a server says may hold bytes that are no UTF-8: shown as replacement characters.
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    std::printf("%s\n", to_json(name, found).dump(2, ' ', false, kReplace).c_str());
  } else {
    std::printf("%s\nfaults: %zu, warnings: %zu\n", table_text(found, terminal_width()).c_str(), faults,
                found.count(Grade::warning));
  }
  return faults == 0 ? ExitCode::success : ExitCode::failed;
}

}  // namespace cnx::command
