#include "config/option_table.hpp"

#include <fmt/format.h>

#include <array>

namespace cnx::config {
namespace {

using std::string_view;

constexpr size_t kKiB = size_t{1} << 10;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = size_t{1} << 30;
constexpr double kHour = 3600;
constexpr double kDay = 24 * kHour;

constexpr std::array kLevels = {string_view("error"), string_view("warning"), string_view("info"), string_view("debug"),
                               string_view("trace")};
constexpr std::array kRetainedActions = {string_view("warn"), string_view("drop_slot")};
constexpr std::array kGapActions = {string_view("stop"), string_view("resync")};
constexpr std::array kFailovers = {string_view("auto"), string_view("on"), string_view("off")};
constexpr std::array kAuditLevels = {string_view("all"), string_view("batches"), string_view("failures"), string_view("off")};
constexpr std::array kFormats = {string_view("text"), string_view("json")};

constexpr std::array kSections = {
    Section{"postgres", "PostgreSQL, the source of truth."},
    Section{"neo4j", "Neo4j, the graph."},
    Section{"", "What the pipeline is."},
    Section{"source", "What is watched of PostgreSQL's log and of the slot, and what is done about it."},
    Section{"capture", "How changes are read from PostgreSQL."},
    Section{"copy", "How the rows that were there before are copied."},
    Section{"apply", "How changes are written to Neo4j."},
    Section{"dead_letters", "What becomes of rows that the graph refuses: dead-letters.md."},
    Section{"audit", "What is written down of each change and each attempt: audit.md."},
    Section{"write_back", "Whether and how PostgreSQL's rows are told that they are in the graph."},
    Section{"run", "The process."},
    Section{"log", "What the process says on standard error."},
    Section{"telemetry", "What a running engine tells whoever asks it over HTTP (operating.md)."},
    Section{"health", "When it counts as healthy, and as ready."},
};

const std::array kOptions = {
    Option{"postgres.url", "--postgres", SecretForm{[](Settings& s) -> GivenSecret& { return s.postgres_url; }, "URL"},
           "Where PostgreSQL is: `postgresql://user@host:port/database?sslmode=verify-full`, or libpq's form "
           "`host=… dbname=… user=…`, or `service=NAME`. What it leaves out comes from libpq's own settings: PGHOST, "
           "PGPORT, PGUSER, PGSSLMODE and their like, the service file and the password file. Not needed where PGHOST, "
           "PGHOSTADDR, PGSERVICE or PGDATABASE is set."},
    Option{"postgres.password", "", SecretForm{[](Settings& s) -> GivenSecret& { return s.postgres_password; }, "PASSWORD"},
           "The role's password; wins over one in the URL."},
    Option{"neo4j.url", "--neo4j", SecretForm{[](Settings& s) -> GivenSecret& { return s.neo4j_url; }, "URL"},
           "Where Neo4j is: `bolt://host:7687` (one server) or `neo4j://host:7687` (a cluster, or one server), without "
           "TLS; `bolt+s`, `neo4j+s`: TLS, the certificate and the host's name must hold; `bolt+ssc`, `neo4j+ssc`: TLS to "
           "whoever answers. May hold the user and the password: `bolt://user:password@host`."},
    Option{"neo4j.user", "", TextForm{[](Settings& s) -> std::string& { return s.neo4j_user; }, "NAME"}, "The user; wins over one in the URL."},
    Option{"neo4j.password", "", SecretForm{[](Settings& s) -> GivenSecret& { return s.neo4j_password; }, "PASSWORD"},
           "The user's password; wins over one in the URL."},
    Option{"neo4j.bearer_token", "", SecretForm{[](Settings& s) -> GivenSecret& { return s.neo4j_token; }, "TOKEN"},
           "A token of single sign-on, in the place of user and password."},
    Option{"neo4j.database", "", TextForm{[](Settings& s) -> std::string& { return s.neo4j_database; }, "NAME"},
           "The database of the graph. Not given: the user's home database."},
    Option{"neo4j.ca_file", "", TextForm{[](Settings& s) -> std::string& { return s.neo4j_ca_file; }, "FILE", true},
           "For `bolt+s` and `neo4j+s`: a PEM file of the authorities to trust. Not given: the system's."},
    Option{"pipeline", "--pipeline", TextForm{[](Settings& s) -> std::string& { return s.pipeline.name; }, "NAME"},
           "The pipeline's name, [a-z0-9_], 63 characters at most: also that of its slot and of its publication."},
    Option{"mapping", "--mapping", TextForm{[](Settings& s) -> std::string& { return s.mapping_file; }, "FILE", true},
           "Which table becomes what (mappings/README.md). Not given: the built-in schema's."},
    Option{"source.retained_wal_warn_bytes", "", BytesForm{[](Settings& s) -> size_t& { return s.pipeline.source.retained_wal_warn_bytes; }, kMiB, 16384 * kGiB},
           "PostgreSQL keeps its log for the slot until the graph has it. From so much on the log and `status` warn, or from half "
           "of the server's `max_slot_wal_keep_size` on, where that is less."},
    Option{"source.retained_wal_action", "", ChoiceForm{[](Settings& s) -> std::string& { return s.pipeline.source.retained_wal_action; }, kRetainedActions},
           "`drop_slot`: beyond `source.retained_wal_bytes_max` the run drops its slot, so that the primary's disk does not fill, "
           "and ends; the graph then lacks changes, and `resync --all` is the cure. `warn`: nothing but the warning."},
    Option{"source.retained_wal_bytes_max", "", BytesForm{[](Settings& s) -> size_t& { return s.pipeline.source.retained_wal_bytes_max; }, kMiB, 16384 * kGiB},
           "Of use with `drop_slot` alone."},
    Option{"source.gap_action", "", ChoiceForm{[](Settings& s) -> std::string& { return s.pipeline.source.gap_action; }, kGapActions},
           "Where the graph lacks changes that cannot be read any more (the slot is lost, gone, made again or advanced, or one of the "
           "two databases was set back): `stop` until a person has chosen, or `resync` without being asked. Another cluster, "
           "database or graph, or somebody else's slot, always stops."},
    Option{"source.transaction_warn_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.pipeline.source.transaction_warn; }, 0.1, 30 * kDay},
           "A transaction that is prepared (or open) for longer is told: PostgreSQL throws no log away behind it."},
    Option{"source.look_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.pipeline.source.look_interval; }, 0.1, kHour},
           "How often a run looks at all of this."},
    Option{"capture.slot_failover", "", ChoiceForm{[](Settings& s) -> std::string& { return s.pipeline.slot_failover; }, kFailovers},
           "Whether the slot is made as a failover slot, which standbys of PostgreSQL 17 and later keep in step where "
           "`sync_replication_slots` is on there, so that the pipeline goes on after a failover. `auto`: where the server can; "
           "without such standbys it changes nothing."},
    Option{"capture.slot_wait_seconds_max", "", SecondsForm{[](Settings& s) -> Duration& { return s.pipeline.slot_wait_max; }, 1, 7 * kDay},
           "The first run makes the slot, and PostgreSQL waits for every transaction that is open then. The log names "
           "them meanwhile; after so long the run gives up."},
    Option{"capture.idle_advance_seconds_max", "", SecondsForm{[](Settings& s) -> Duration& { return s.pipeline.logical.idle_advance_max; }, 0.1, kHour},
           "How long the position may stand still while PostgreSQL's log goes on without a change of ours. Each advance is "
           "one small transaction in Neo4j, and lets PostgreSQL throw log away."},
    Option{"capture.idle_advance_bytes", "", BytesForm{[](Settings& s) -> size_t& { return s.pipeline.logical.idle_advance_bytes; }, kMiB, 16 * kGiB},
           "Or so much log, where that is sooner."},
    Option{"copy.workers", "", CountForm{[](Settings& s) -> size_t& { return s.run.copy_workers; }, 1, 16},
           "So many parts of the tables are copied at once, each with two connections of its own."},
    Option{"copy.turn_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.run.copy_turn; }, 0.05, kHour},
           "A table that has to be read again (its definition changed, or the mapping) takes turns with the stream: so long "
           "it is copied, then changes of all tables are applied until they are caught up with, or for as long."},
    Option{"apply.batch_rows", "", CountForm{[](Settings& s) -> size_t& { return s.pipeline.batch.rows_target; }, 1, 100'000},
           "Whole transactions are taken together into one Neo4j transaction until they have so many rows. One row alone "
           "never waits for others."},
    Option{"apply.batch_bytes", "", BytesForm{[](Settings& s) -> size_t& { return s.pipeline.batch.bytes_target; }, 64 * kKiB, 64 * kMiB},
           "Or so many bytes of rows."},
    Option{"apply.transaction_elements_max", "",
           CountForm{[](Settings& s) -> size_t& { return s.pipeline.batch.transaction_elements_max; }, 1'000, 10'000'000},
           "A PostgreSQL transaction that changes more nodes and relationships than this is applied in numbered pieces, "
           "and `status` says `partial` meanwhile. Neo4j needs some 2.4 kB of its heap for each."},
    Option{"apply.transaction_bytes_max", "", BytesForm{[](Settings& s) -> size_t& { return s.pipeline.batch.transaction_bytes_max; }, kMiB, kGiB},
           "The same by the bytes of its rows; the engine holds one transaction of this size in memory."},
    Option{"apply.piece_rows", "", CountForm{[](Settings& s) -> size_t& { return s.pipeline.batch.piece_rows; }, 100, 100'000},
           "The rows of one such piece."},
    Option{"dead_letters.open_max", "", CountForm{[](Settings& s) -> size_t& { return s.pipeline.dead_letters.open_max; }, 1, 1'000'000},
           "So many may be open at a time: one more stops the line, until some are retried or discarded."},
    Option{"dead_letters.held_changes_max", "",
           CountForm{[](Settings& s) -> size_t& { return s.pipeline.dead_letters.held_changes_max; }, 1, 1'000'000'000},
           "So many later changes of its key may be held behind one: with one more its table is held, and copied anew once the letter is "
           "settled."},
    Option{"dead_letters.window_rows", "",
           CountForm{[](Settings& s) -> size_t& { return s.pipeline.dead_letters.breaker.window_rows; }, 1, 100'000},
           "The circuit breaker looks at so many rows, the newest."},
    Option{"dead_letters.same_percent_max", "",
           CountForm{[](Settings& s) -> size_t& { return s.pipeline.dead_letters.breaker.same_percent_max; }, 1, 100},
           "Where more of them than this share failed the same way (by one code, at one statement), no row is at fault: the line stops."},
    Option{"dead_letters.keep_values", "", SwitchForm{[](Settings& s) -> bool& { return s.pipeline.dead_letters.keep_values; }},
           "Whether a letter keeps the row's values, in PostgreSQL. Its key it has anyhow."},
    Option{"audit.level", "", ChoiceForm{[](Settings& s) -> std::string& { return s.pipeline.audit.level; }, kAuditLevels},
           "`failures`: attempts that failed, and what becomes of dead letters. `batches`: also each Neo4j transaction. `all`: also each "
           "change in it, and PostgreSQL's slot is confirmed only behind what is written of it, so that a kill loses nothing. `off`: nothing."},
    Option{"audit.retention_days", "", CountForm{[](Settings& s) -> size_t& { return s.pipeline.audit.retention_days; }, 0, 36'500},
           "Days of UTC before today that are kept; older ones are dropped whole. 0: none is. Of several pipelines of one database the "
           "smallest holds."},
    Option{"audit.queue_bytes_max", "", BytesForm{[](Settings& s) -> size_t& { return s.pipeline.audit.queue_bytes_max; }, 4 * kKiB, kGiB},
           "So much of it may wait in memory. Beyond that the line waits, at `all` and `batches`; at `failures` more is dropped, and counted."},
    Option{"write_back.enabled", "", SwitchForm{[](Settings& s) -> bool& { return s.run.write_back; }},
           "Write the synchronisation columns (`neo4j_sync_status` and its like) of the tables that have them."},
    Option{"write_back.rows_at_once", "", CountForm{[](Settings& s) -> size_t& { return s.pipeline.write_back.rows_at_once; }, 1, 10'000},
           "Rows of one UPDATE."},
    Option{"write_back.retry_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.pipeline.write_back.round_interval; }, 0.05, kHour},
           "A row that somebody has locked is left alone and tried again after this."},
    Option{"write_back.sweep_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.pipeline.write_back.sweep_interval; }, 1, kDay},
           "How often rows are looked for whose write-back was lost, by a crash say."},
    Option{"run.takeover_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.run.takeover; }, 2, kHour},
           "A second `run` of the same pipeline waits as a standby. It takes over as soon as the first one's process is gone, and from "
           "one that is stopped, or cut off, after it has given no sign of life for so long."},
    Option{"run.drain_seconds_max", "", SecondsForm{[](Settings& s) -> Duration& { return s.run.drain_max; }, 0, kHour},
           "After SIGTERM what is under way is finished and confirmed; after so long it is left to the next start, which "
           "loses nothing."},
    Option{"log.level", "--log-level", ChoiceForm{[](Settings& s) -> std::string& { return s.log.level; }, kLevels}, "The least that is worth a line."},
    Option{"log.format", "--log-format", ChoiceForm{[](Settings& s) -> std::string& { return s.log.format; }, kFormats},
           "Lines for people, or one JSON object a line: `ts`, `level`, `event`, `pipeline`, `message`, and fields of the event."},
    Option{"telemetry.listen", "", AddressForm{[](Settings& s) -> telemetry::ListenAddress& { return s.telemetry.listen; }},
           "Where `run` serves `/metrics`, `/healthz` and `/readyz`. Without a password and without TLS: an address that other "
           "machines reach is said in the log. One that is taken is said there too, and tried again until it is free, so that "
           "of two engines with one address the one that is left serves. Port 0: any free one, which the log tells."},
    Option{"telemetry.tables_max", "", CountForm{[](Settings& s) -> size_t& { return s.telemetry.tables_max; }, 0, 10'000},
           "So many tables have a series of their own in the metrics, in the order in which they come; the others share `other`."},
    Option{"telemetry.tenants_max", "", CountForm{[](Settings& s) -> size_t& { return s.telemetry.tenants_max; }, 0, 10'000},
           "The same for tenants, where the mapping names their column: their ids are then in the metrics. 0: none is."},
    Option{"health.stalled_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.telemetry.stalled_after; }, 1, kDay},
           "Something should move, and has not for so long: `/healthz` answers 503, and the log says so once."},
    Option{"health.ready_lag_seconds", "", SecondsForm{[](Settings& s) -> Duration& { return s.telemetry.ready_lag_max; }, 0.1, kDay},
           "A graph that is further behind is not ready: `/readyz` answers 503."},
};

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string bytes_text(size_t bytes) {
  for (auto [unit, name] : {std::pair(kGiB, "GiB"), std::pair(kMiB, "MiB"), std::pair(kKiB, "KiB")}) {
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, name);
  }
  return std::to_string(bytes);
}

}  // namespace

std::span<const Option> options() { return kOptions; }
std::span<const Section> sections() { return kSections; }

const Option* find_option(string_view key) {
  for (const Option& option : kOptions) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

string_view section_of(const Option& option) {
  size_t dot = option.key.find('.');
  return dot == string_view::npos ? string_view() : option.key.substr(0, dot);
}

string_view name_in_section(const Option& option) {
  return option.key.substr(option.key.find('.') + 1);
}

std::string environment_name(const Option& option) {
  string_view key = option.key;
  if (key.ends_with(".url")) key.remove_suffix(4);
  std::string name = "CONTEXTNEXUS_";
  for (char c : key) name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::string describe_form(const Form& form) {
  return std::visit(
      Overloaded{
          [](const TextForm& f) { return std::string(f.path ? "the path of a file" : "a name"); },
          [](const SecretForm&) { return std::string("a text, or `file:PATH`"); },
          [](const SwitchForm&) { return std::string("`true` or `false`"); },
          [](const CountForm& f) { return fmt::format("a whole number from {} to {}", f.min, f.max); },
          [](const BytesForm& f) {
            return fmt::format("bytes (also `KiB`, `MiB`, `GiB`) from {} to {}", bytes_text(f.min), bytes_text(f.max));
          },
          [](const SecondsForm& f) { return fmt::format("seconds from {} to {}", f.min, f.max); },
          [](const AddressForm&) { return std::string("an IP address and a port, or `off`"); },
          [](const ChoiceForm& f) {
            std::string text;
            for (size_t i = 0; i < f.choices.size(); ++i) {
              text += i == 0 ? "" : i + 1 == f.choices.size() ? " or " : ", ";
              text += "`" + std::string(f.choices[i]) + "`";
            }
            return text;
          },
      },
      form);
}

std::string default_text(const Form& form) {
  Settings defaults;
  return std::visit(Overloaded{
                        [&](const TextForm& f) { return f.at(defaults); },
                        [&](const SecretForm&) { return std::string(); },
                        [&](const SwitchForm& f) { return std::string(f.at(defaults) ? "true" : "false"); },
                        [&](const CountForm& f) { return std::to_string(f.at(defaults)); },
                        [&](const BytesForm& f) { return bytes_text(f.at(defaults)); },
                        [&](const SecondsForm& f) {
                          return fmt::format("{}", std::chrono::duration<double>(f.at(defaults)).count());
                        },
                        [&](const ChoiceForm& f) { return f.at(defaults); },
                        [&](const AddressForm& f) { return f.at(defaults).to_string(); },
                    },
                    form);
}

}  // namespace cnx::config
