// Dates, times and intervals in PostgreSQL's text under DateStyle ISO and IntervalStyle postgres.
// Pure, without locale.
//
//   date      = year "-" MM "-" DD [ " BC" ]             year: 4 digits or more; 1 BC is year 0
//   time      = HH ":" MM ":" SS [ "." 1*6 digit ]       up to 24:00:00
//   zone      = ( "+" | "-" ) HH [ ":" MM [ ":" SS ] ]
//   timestamp = year "-" MM "-" DD " " time [ zone ] [ " BC" ]
//   interval  = [ n " year(s)" ] [ n " mon(s)" ] [ n " day(s)" ] [ clock ]
//   clock     = [ "+" | "-" ] hours ":" MM ":" SS [ "." 1*6 digit ]
//   all but times also "infinity" and "-infinity"
#pragma once

#include <optional>
#include <string_view>

#include "change/value.hpp"

namespace cnx::postgres {

// Each: nullopt where `text` is not in the form; Unfit where the graph has no such value.
std::optional<change::Value> parse_date(std::string_view text);
std::optional<change::Value> parse_time(std::string_view text);
std::optional<change::Value> parse_time_with_zone(std::string_view text);
std::optional<change::Value> parse_timestamp(std::string_view text);
std::optional<change::Value> parse_timestamp_with_zone(std::string_view text);
std::optional<change::Value> parse_interval(std::string_view text);

}  // namespace cnx::postgres
