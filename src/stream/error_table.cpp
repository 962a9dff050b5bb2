#include "stream/error_table.hpp"

#include <algorithm>
#include <array>

namespace cnx::stream {
namespace {

using enum RetryClass;

constexpr std::string_view kNeo4j = "Neo.";

// Advice that several rows give.
constexpr std::string_view kMendRow =
    "contextnexus dead-letters show says which row; mend the cause (the row, a constraint of the graph's, or the statement), "
    "then contextnexus dead-letters retry";
constexpr std::string_view kReport = "this program sent what the server does not take: report it with the message";
constexpr std::string_view kRights = "grant the user what contextnexus check names, or connect as another";
constexpr std::string_view kWait = "it is tried again until it works; the server's log says more";
constexpr std::string_view kGraphDamaged = "the server's store needs a person: see its log, repair it or restore a backup";
constexpr std::string_view kMemory =
    "smaller batches are tried by themselves; the settings are dbms.memory.transaction.total.max, db.memory.transaction.max "
    "and apply.batch_bytes";
constexpr std::string_view kSchemaAtStart =
    "the constraints and indexes of the mapping could not be made: contextnexus check names what stands in the way";

constexpr std::array kNeo4jErrors = {
    ErrorRow{"Neo.ClientError.Cluster.NotALeader", "", reconnect, "Another member of the cluster takes the writes now.", ""},
    ErrorRow{"Neo.ClientError.Cluster.Routing", "", reconnect, "The cluster does not know yet who takes the writes.", kWait},
    ErrorRow{"Neo.ClientError.Routing.RoutingFailed", "", reconnect, "The same.", kWait},
    ErrorRow{"Neo.ClientError.Routing.DbmsInPanic", "", reconnect, "The server is broken until it is started again.", kWait},
    ErrorRow{"Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", "", reconnect,
             "Of a cluster: this member takes no writes. Else somebody has made the database read-only.", kWait},
    ErrorRow{"Neo.ClientError.General.WriteOnReadOnlyAccessDatabase", "", reconnect,
             "Somebody has made the database read-only.", kWait},
    ErrorRow{"Neo.ClientError.Security.AuthorizationExpired", "", reconnect, "The log-in is too old; a new connection logs in anew.", ""},
    ErrorRow{"Neo.ClientError.Transaction.Terminated", "", reconnect,
             "Somebody ended our transaction, or a stopping server did: nothing of it is in the graph.", ""},
    ErrorRow{"Neo.TransientError.Transaction.Terminated", "", reconnect, "The same, of older servers.", ""},
    ErrorRow{"Neo.ClientError.Transaction.LockClientStopped", "", reconnect, "The same, while it waited for a lock.", ""},
    ErrorRow{"Neo.TransientError.Transaction.LockClientStopped", "", reconnect, "The same, of older servers.", ""},
    ErrorRow{"Neo.TransientError.Transaction.LeaderSwitch", "", reconnect,
             "The cluster's leader changed meanwhile: whether the transaction is in the graph is asked of the position.", ""},
    ErrorRow{"Neo.TransientError.Cluster.ReplicationFailure", "", reconnect,
             "The cluster may or may not have the transaction: that is asked of the position.", kWait},
    ErrorRow{"Neo.DatabaseError.Transaction.TransactionCommitFailed", "", reconnect,
             "The outcome of a commit is unknown: it is asked of the position.", kWait},
    ErrorRow{"Neo.DatabaseError.Transaction.TransactionLogError", "", reconnect,
             "The server could not write its log (a full disk, perhaps); the outcome is asked of the position.", kWait},
    ErrorRow{"Neo.DatabaseError.Transaction.TransactionStartFailed", "", reconnect, "The database takes no transaction now.", kWait},
    ErrorRow{"Neo.DatabaseError.Transaction.TransactionTerminationFailed", "", reconnect, "A transaction could not be ended.", kWait},
    ErrorRow{"Neo.DatabaseError.Transaction.TransactionRollbackFailed", "", reconnect, "A transaction could not be rolled back.", kWait},
    ErrorRow{"Neo.DatabaseError.Transaction.LinkedTransactionError", "", reconnect, "Another transaction of the query failed.", kWait},
    ErrorRow{"Neo.ClientError.Transaction.TransactionNotFound", "", reconnect, "The server has forgotten the transaction.", ""},
    ErrorRow{"Neo.DatabaseError.Database.UnableToStartDatabase", "", later, "The database does not start.", kWait},

    ErrorRow{"Neo.TransientError.Transaction.Outdated", "", at_once, "What the transaction had read was changed meanwhile.", ""},
    ErrorRow{"Neo.TransientError.Transaction.ConstraintsChanged", "", at_once, "Somebody changed constraints meanwhile.", ""},
    ErrorRow{"Neo.TransientError.Transaction.LeaseExpired", "", at_once, "The transaction began before the leader changed.", ""},

    ErrorRow{"Neo.TransientError.Transaction.DeadlockDetected", "", smaller,
             "Others write the same nodes, and the server chose our transaction to give way.", ""},
    ErrorRow{"Neo.TransientError.Transaction.LockAcquisitionTimeout", "", smaller, "Others hold a lock for longer than the server waits.",
             "SHOW TRANSACTIONS in Neo4j names them"},
    ErrorRow{"Neo.ClientError.Transaction.TransactionTimedOut", "", smaller, "The transaction took longer than the server allows.",
             "db.transaction.timeout is too short for batches of this size"},
    ErrorRow{"Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", "", smaller, "The same.", ""},
    ErrorRow{"Neo.TransientError.Statement.ExecutionTimeout", "", smaller, "The same, of one statement.", ""},
    ErrorRow{"Neo.TransientError.General.OutOfMemoryError", "", smaller,
             "The server's heap is full, whoever filled it.", "server.memory.heap.max_size, or less load"},
    ErrorRow{"Neo.TransientError.General.StackOverFlowError", "", smaller, "A thread of the server has no stack left.", kWait},

    ErrorRow{"Neo.TransientError.General.MemoryPoolOutOfMemoryError", "", in_pieces,
             "The transaction, or all of the server's, need more memory than is allowed. It calls itself transient and is not.", kMemory},
    ErrorRow{"Neo.ClientError.General.TransactionOutOfMemoryError", "", in_pieces, "The transaction needs more memory than is allowed.", kMemory},
    ErrorRow{"Neo.TransientError.General.TransactionMemoryLimit", "", in_pieces, "The same.", kMemory},

    ErrorRow{"Neo.ClientError.Schema.ConstraintValidationFailed", "", dead_letter,
             "A row breaks a constraint that somebody made in the graph.", kMendRow},
    ErrorRow{"Neo.ClientError.Schema.ConstraintViolation", "", dead_letter, "The same.", kMendRow},
    ErrorRow{"Neo.ClientError.Statement.ConstraintVerificationFailed", "", dead_letter, "The same.", kMendRow},
    ErrorRow{"Neo.DatabaseError.Statement.ExecutionFailed", "too large to index", dead_letter,
             "A text is too long for an index that somebody made over it (8 kB in UTF-8).", kMendRow},
    ErrorRow{"Neo.DatabaseError.Statement.ExecutionFailed", "", stop, "The server failed in a way that it does not explain.",
             "the server's debug.log says more; report it with the message"},
    ErrorRow{"Neo.ClientError.Statement.TypeError", "", dead_letter, "A value is of a type that the statement cannot use.", kMendRow},
    ErrorRow{"Neo.ClientError.Statement.ArgumentError", "", dead_letter, "A value is none that the statement can use.", kMendRow},
    ErrorRow{"Neo.ClientError.Statement.ArithmeticError", "", dead_letter,
             "The mapping's own statement divides by zero or overflows with a row's values.", kMendRow},
    ErrorRow{"Neo.ClientError.Statement.SemanticError", "", dead_letter,
             "The mapping's own statement cannot be done with a row's values (a MERGE by null).", kMendRow},
    ErrorRow{"Neo.ClientError.Statement.EntityNotFound", "", dead_letter, "What a statement had found was removed by somebody meanwhile.", kMendRow},
    ErrorRow{"Neo.ClientError.Statement.PropertyNotFound", "", dead_letter, "The same, of a property.", kMendRow},
    ErrorRow{"Neo.ClientError.Procedure.ProcedureCallFailed", "", dead_letter,
             "A procedure that the mapping's own statement calls raised an error.", kMendRow},
    ErrorRow{"Neo.ClientError.Procedure.TypeError", "", dead_letter, "Such a procedure got a value of another type.", kMendRow},
    ErrorRow{"Neo.ClientError.Transaction.TransactionHookFailed", "", dead_letter, "A plugin of the server refused the change.", kMendRow},
    ErrorRow{"Neo.ClientError.Transaction.TransactionValidationFailed", "", dead_letter, "The change did not pass the server's checks.", kMendRow},
    ErrorRow{"Neo.ClientError.Schema.TokenNameError", "", dead_letter, "A name made from a value cannot be a property's.", kMendRow},
    ErrorRow{"Neo.ClientError.Schema.TokenLengthError", "", dead_letter, "A name made from a value is too long.", kMendRow},
    ErrorRow{"Neo.ClientError.Request.Invalid", "", dead_letter, "The server cannot read a value.", kMendRow},
    ErrorRow{"Neo.ClientError.Request.InvalidFormat", "", dead_letter, "The same.", kMendRow},

    ErrorRow{"Neo.ClientError.Request.InvalidUsage", "", stop, "The conversation broke the protocol.", kReport},
    ErrorRow{"Neo.ClientError.Statement.SyntaxError", "", stop, "A statement is none.",
             "where it is the mapping's own (cypher:), mend it there; else report it"},
    ErrorRow{"Neo.ClientError.Statement.ParameterMissing", "", stop, "A statement asks for a parameter that it is not given.",
             "a statement of the mapping's own gets $rows alone"},
    ErrorRow{"Neo.ClientError.Statement.ExternalResourceFailed", "", stop, "A file or address that a statement reads failed.",
             "the mapping's own statement (cypher:) names it"},
    ErrorRow{"Neo.ClientError.Procedure.ProcedureNotFound", "", stop, "A procedure is not there.",
             "install it on every server, or change the mapping's own statement"},
    ErrorRow{"Neo.ClientError.Procedure.ProcedureTimedOut", "", smaller, "A procedure took longer than it is allowed.", ""},
    ErrorRow{"Neo.ClientError.Procedure.", "", stop, "A procedure is not as it should be.", "see the server's log"},
    ErrorRow{"Neo.ClientError.Statement.", "", stop, "A statement cannot be done by this server.", kReport},
    ErrorRow{"Neo.ClientError.Schema.", "", stop, "An index or a constraint is not as it should be.", kSchemaAtStart},
    ErrorRow{"Neo.ClientError.Security.Unauthorized", "", stop, "The password is wrong, or there is no such user.",
             "give neo4j.user and neo4j.password anew"},
    ErrorRow{"Neo.ClientError.Security.CredentialsExpired", "", stop, "The password must be changed.",
             "ALTER CURRENT USER SET PASSWORD, then give the new one"},
    ErrorRow{"Neo.ClientError.Security.TokenExpired", "", stop, "The token has expired.", "give a new neo4j.bearer_token"},
    ErrorRow{"Neo.ClientError.Security.AuthenticationRateLimit", "", stop, "Too many wrong passwords in a row.",
             "wait, and give the right one"},
    ErrorRow{"Neo.ClientError.Security.", "", stop, "The user may not do this.", kRights},
    ErrorRow{"Neo.ClientError.Database.", "", stop, "There is no such database, or it is an alias that cannot be used.", "see neo4j.database"},
    ErrorRow{"Neo.ClientError.Fabric.", "", stop, "A composite database is no graph to be written.", "see neo4j.database"},
    ErrorRow{"Neo.ClientError.ChangeDataCapture.", "", stop, "The server's change log has no such place.", kReport},
    ErrorRow{"Neo.ClientError.General.UpgradeRequired", "", stop, "The database is of an older version than its server.",
             "finish the upgrade of Neo4j"},
    ErrorRow{"Neo.ClientError.General.InvalidArguments", "", stop, "The server does not take what it was sent.", kReport},
    ErrorRow{"Neo.ClientError.Transaction.", "", stop, "A transaction was used in a way that it cannot be.", kReport},

    ErrorRow{"Neo.DatabaseError.General.IndexCorruptionDetected", "", stop, "An index is damaged.",
             "drop it and make it anew; contextnexus init makes those of the mapping"},
    ErrorRow{"Neo.DatabaseError.General.", "", stop, "The server failed.", kGraphDamaged},
    ErrorRow{"Neo.DatabaseError.Schema.TokenLimitReached", "", stop, "There are too many different names in the graph.",
             "a mapping that makes names of values (labels, flatten) makes too many"},
    ErrorRow{"Neo.DatabaseError.Schema.", "", stop, "An index or a constraint could not be made or dropped.", kSchemaAtStart},
    ErrorRow{"Neo.DatabaseError.Database.", "", stop, "The server cannot manage the database.", kGraphDamaged},
    ErrorRow{"Neo.DatabaseError.Statement.", "", stop, "A part of a composite database failed.", "see neo4j.database"},
    ErrorRow{"Neo.DatabaseError.Fabric.", "", stop, "The same.", "see neo4j.database"},
    ErrorRow{"Neo.DatabaseError.ChangeDataCapture.", "", stop, "The server's change log cannot be read.", kGraphDamaged},
    ErrorRow{"Neo.TransientError.", "", later, "The server cannot do it now, and says that it will.", kWait},
};

constexpr std::array kPostgresErrors = {
    ErrorRow{"03", "", stop, "A statement was not finished.", kReport},
    ErrorRow{"08", "", reconnect, "The connection is lost, or could not be made.", kWait},
    ErrorRow{"0A", "", stop, "The server cannot do this.", "see which version and which provider it is: contextnexus check"},
    ErrorRow{"22", "", stop, "A value is none that the statement can use.", kReport},
    ErrorRow{"23", "", stop, "A constraint of a table is broken.", kReport},
    ErrorRow{"25P03", "", reconnect, "A transaction of ours was idle for longer than the server allows.", ""},
    ErrorRow{"25006", "", stop, "The server takes no writes: a standby, or default_transaction_read_only.",
             "connect to the primary (target_session_attrs=read-write)"},
    ErrorRow{"25", "", stop, "A transaction is not in the state that a statement needs.", kReport},
    ErrorRow{"28", "", stop, "The role may not log in, or the password is wrong.", "see pg_hba.conf, and give postgres.password anew"},
    ErrorRow{"3D", "", stop, "There is no such database.", "see postgres.url"},
    ErrorRow{"40", "", reconnect, "Others changed the same at the same moment, or a deadlock was resolved.", ""},
    ErrorRow{"42501", "", stop, "The role lacks a right.", "contextnexus init --role grants all that is needed; check names what is missing"},
    ErrorRow{"42704", "", stop, "A slot, a publication or something else of that name is not there.", "contextnexus check names it"},
    ErrorRow{"42P01", "", stop, "A table is not there.", "contextnexus check names it; contextnexus init makes those of the engine"},
    ErrorRow{"42", "", stop, "A statement names what is not there, or is none.", kReport},
    ErrorRow{"53", "", reconnect, "The server has no connection, memory or disk space left for now.", kWait},
    ErrorRow{"54", "", stop, "A limit of the server's is reached.", kReport},
    ErrorRow{"55006", "", reconnect, "Somebody holds the slot: our own connection of a moment ago, or another instance.", ""},
    ErrorRow{"55P03", "", reconnect, "A lock could not be had at once.", ""},
    ErrorRow{"55", "", stop, "The server is not in the state for it: a slot that is lost, or a setting.", "contextnexus check names it"},
    ErrorRow{"57014", "", reconnect, "Somebody cancelled a statement, or statement_timeout did.",
             "ALTER ROLE … SET statement_timeout = 0 for the role"},
    ErrorRow{"57P04", "", stop, "The database was dropped.", "contextnexus drop, or another postgres.url"},
    ErrorRow{"57P", "", reconnect, "The server shuts down, has crashed, or is starting.", kWait},
    ErrorRow{"57", "", stop, "Somebody intervened.", "see the server's log"},
    ErrorRow{"58P01", "", stop, "A file is gone: log that the slot needs, perhaps.", "contextnexus status says whether the slot is lost"},
    ErrorRow{"58", "", stop, "The server's machine failed.", "see the server's log"},
    ErrorRow{"72", "", reconnect, "A snapshot is too old; a new one is taken.", ""},
    ErrorRow{"F0", "", stop, "The server's configuration file has a fault.", "see the server's log"},
    ErrorRow{"P0", "", stop, "A function or a trigger of somebody's raised an error.", "its message says why"},
    ErrorRow{"XX", "", stop, "The server failed.", "see the server's log: its data may be damaged"},
};

constexpr std::array kKinds = {
    ErrorKindRow{ErrorKind::unavailable, reconnect,
                 "The other side cannot be reached, or the connection was lost: also while it was committing. What became of a transaction is "
                 "asked of the position in the graph, which is written in it."},
    ErrorKindRow{ErrorKind::timeout, reconnect, "The answer did not come in time: the same."},
    ErrorKindRow{ErrorKind::malformed, stop, "Bytes break their own format. A row whose values do is a dead letter, not this."},
    ErrorKindRow{ErrorKind::invalid, stop, "The configuration or the mapping cannot be used as it is."},
    ErrorKindRow{ErrorKind::unsupported, stop, "Understood, and not done by this version."},
    ErrorKindRow{ErrorKind::state, stop, "The two sides do not fit together: a person must choose a cure."},
    ErrorKindRow{ErrorKind::internal, stop, "A library failed in a way that nothing above explains."},
};

bool fits(const ErrorRow& row, std::string_view code, std::string_view message) {
  const bool same = row.is_prefix() ? code.starts_with(row.code) : code == row.code;
  return same && message.find(row.says) != std::string_view::npos;
}

}  // namespace

std::string_view to_string(RetryClass retry) {
  switch (retry) {
    case at_once:
      return "at once";
    case later:
      return "later";
    case reconnect:
      return "reconnect";
    case smaller:
      return "smaller";
    case in_pieces:
      return "in pieces";
    case dead_letter:
      return "dead letter";
    case stop:
      return "stop";
  }
  return "stop";
}

std::string_view meaning(RetryClass retry) {
  switch (retry) {
    case at_once:
      return "The same again at once; from the second time on with back-off and jitter.";
    case later:
      return "The same again, with back-off and jitter, until it works.";
    case reconnect:
      return "A new connection, with back-off and jitter, until it works. What became of a transaction is asked of the position in the graph.";
    case smaller:
      return "The whole transaction again with back-off and jitter, then in smaller batches; never a dead letter.";
    case in_pieces:
      return "Not the same again: a removal goes in pieces, a batch is halved, a transaction goes in numbered pieces; a row of a "
             "megabyte or more that is too much by itself is a dead letter, a smaller one is tried again later.";
    case dead_letter:
      return "The row is looked for, written into `contextnexus.dead_letters`, and passed; the rest is applied in order.";
    case stop:
      return "The line stops with the message and the advice, and nothing is lost: a person must look. Also everything that is not listed.";
  }
  return {};
}

std::span<const ErrorRow> neo4j_errors() { return kNeo4jErrors; }
std::span<const ErrorRow> postgres_errors() { return kPostgresErrors; }
std::span<const ErrorKindRow> error_kinds() { return kKinds; }

const ErrorRow* find_error(std::string_view code, std::string_view message) {
  const std::span<const ErrorRow> rows = code.starts_with(kNeo4j) ? neo4j_errors() : postgres_errors();
  auto found = std::find_if(rows.begin(), rows.end(), [&](const ErrorRow& row) { return fits(row, code, message); });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace cnx::stream
