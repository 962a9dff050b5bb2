// Prepares both databases for a pipeline: role, grants, publication, constraints, the position node. By an administrator;
// nothing of it is needed at run time. May be repeated: what stands is left, what is missing is made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "pipeline/options.hpp"

namespace cnx::pipeline {

enum class SetupMode {
  apply,      // Does it.
  dry_run,    // Says what it would do; changes nothing on either side.
  print_sql,  // Gives PostgreSQL's part as SQL for an administrator; changes nothing on either side.
};

struct SetupOptions {
  SetupMode mode = SetupMode::apply;
  // The role that will run the pipeline. Empty: the one that is connected.
  std::string role;
  std::optional<Secret> role_password;  // Set where given.
};

struct SetupReport {
  std::vector<std::string> done;     // For people, one line each.
  // What the role at hand may not do, as SQL for somebody who may. Not empty: the set-up is not complete.
  std::vector<std::string> missing;
  // In SetupMode::dry_run: what would be done, one line each. Nothing: all stands already.
  std::vector<std::string> planned;
  // In SetupMode::print_sql: a script to be run whole, by psql or any other client. It holds no password.
  std::string sql;
};

Result<SetupReport> set_up(const PipelineOptions& options, const SetupOptions& setup);

}  // namespace cnx::pipeline
