#include "postgres/text_temporal.hpp"

#include <string>

namespace cnx::postgres {
namespace {

using namespace change;

constexpr int64_t kSecondsOfDay = 86'400;
constexpr int64_t kNanosecondsOfSecond = 1'000'000'000;
constexpr int64_t kSecondsOfHour = 3'600;

// Takes from the front; a failed take leaves what it was.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // Between `least` and `most` digits, and no digit behind them. `most` is small enough for an
  // int64.
  std::optional<int64_t> number(size_t least, size_t most) {
    size_t digits = 0;
    int64_t value = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
      if (digits == most) return std::nullopt;
      value = value * 10 + (rest_[digits] - '0');
      ++digits;
    }
    if (digits < least) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }
  // ":" and two digits below sixty.
  std::optional<int64_t> colon_sixty() {
    if (!take(':')) return std::nullopt;
    auto value = number(2, 2);
    if (!value || *value >= 60) return std::nullopt;
    return value;
  }
  // What may stand behind the seconds: "." and one to six digits, as nanoseconds; 0 where there is
  // no point.
  std::optional<int64_t> fraction() {
    if (!take('.')) return 0;
    constexpr size_t kMicrosecondDigits = 6;
    size_t before = rest_.size();
    auto value = number(1, kMicrosecondDigits);
    if (!value) return std::nullopt;
    int64_t nanoseconds = *value * 1'000;
    for (size_t digits = before - rest_.size(); digits < kMicrosecondDigits; ++digits) {
      nanoseconds *= 10;
    }
    return nanoseconds;
  }

 private:
  std::string_view rest_;
};

struct CivilDate {
  int64_t year = 0;  // As written: the era comes at the end of the text.
  int64_t month = 0;
  int64_t day = 0;
};

std::optional<CivilDate> take_date(Scanner& in) {
  constexpr size_t kYearDigitsMax = 7;  // PostgreSQL's last date is in the year 5874897.
  auto year = in.number(4, kYearDigitsMax);
  if (!year || *year == 0 || !in.take('-')) return std::nullopt;
  auto month = in.number(2, 2);
  if (!month || !in.take('-')) return std::nullopt;
  auto day = in.number(2, 2);
  if (!day) return std::nullopt;
  return CivilDate{*year, *month, *day};
}

int64_t days_of_month(int64_t year, int64_t month) {
  constexpr int64_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

// Days since 1970-01-01 in the proleptic Gregorian calendar; the era is taken from the end of the
// text.
std::optional<int64_t> finish_date(Scanner& in, CivilDate date) {
  if (in.take(" BC")) date.year = 1 - date.year;
  if (!in.empty()) return std::nullopt;
  if (date.month < 1 || date.month > 12) return std::nullopt;
  if (date.day < 1 || date.day > days_of_month(date.year, date.month)) return std::nullopt;
  // Years of 400 have equal lengths, and a year that begins in March ends with its leap day.
  constexpr int64_t kDaysOfEra = 146'097;
  constexpr int64_t kDaysFromEraTo1970 = 719'468;
  int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysOfEra + day_of_era - kDaysFromEraTo1970;
}

struct TimeOfDay {
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  bool beyond_the_day() const { return seconds >= kSecondsOfDay; }
};

// Up to 24:00:00, which PostgreSQL keeps apart from 00:00:00.
std::optional<TimeOfDay> take_time(Scanner& in) {
  auto hours = in.number(2, 2);
  if (!hours || *hours > 24) return std::nullopt;
  auto minutes = in.colon_sixty();
  if (!minutes) return std::nullopt;
  auto seconds = in.colon_sixty();
  if (!seconds) return std::nullopt;
  auto nanoseconds = in.fraction();
  if (!nanoseconds) return std::nullopt;
  TimeOfDay time{*hours * kSecondsOfHour + *minutes * 60 + *seconds, *nanoseconds};
  if (time.seconds > kSecondsOfDay || (time.beyond_the_day() && time.nanoseconds > 0)) {
    return std::nullopt;
  }
  return time;
}

// Seconds east of UTC.
std::optional<int64_t> take_zone(Scanner& in) {
  bool west = in.take('-');
  if (!west && !in.take('+')) return std::nullopt;
  auto hours = in.number(2, 2);
  if (!hours || *hours > 15) return std::nullopt;  // PostgreSQL's limit is 15:59:59.
  int64_t offset = *hours * kSecondsOfHour;
  Scanner before = in;
  if (auto minutes = in.colon_sixty()) {
    offset += *minutes * 60;
    before = in;
    if (auto seconds = in.colon_sixty()) {
      offset += *seconds;
    } else {
      in = before;
    }
  } else {
    in = before;
  }
  return west ? -offset : offset;
}

bool infinite(std::string_view text) {
  return text == "infinity" || text == "-infinity";
}

Unfit unfit(std::string_view text) {
  return Unfit{std::string(text)};
}

struct Instant {
  int64_t seconds = 0;
  int32_t nanoseconds = 0;
};

std::optional<Instant> take_timestamp(Scanner& in, bool with_zone) {
  auto date = take_date(in);
  if (!date || !in.take(' ')) return std::nullopt;
  auto time = take_time(in);
  if (!time || time->beyond_the_day()) return std::nullopt;
  std::optional<int64_t> offset = 0;
  if (with_zone) offset = take_zone(in);
  if (!offset) return std::nullopt;
  auto days = finish_date(in, *date);
  if (!days) return std::nullopt;
  return Instant{*days * kSecondsOfDay + time->seconds - *offset,
                 static_cast<int32_t>(time->nanoseconds)};
}

// "n unit" or "n units" where the interval has that part; 0 where it has not. `first` tells whether
// a space comes before.
struct IntervalScanner {
  Scanner in;
  bool first = true;

  int64_t part(std::string_view unit) {
    Scanner before = in;
    constexpr size_t kDigitsMax = 10;
    if (!first && !in.take(' ')) return 0;
    bool negative = in.take('-');
    if (!negative) in.take('+');
    auto number = in.number(1, kDigitsMax);
    if (!number || !in.take(' ') || !in.take(unit)) {
      in = before;
      return 0;
    }
    in.take('s');
    first = false;
    return negative ? -*number : *number;
  }

  // The hours, minutes and seconds, where the text goes on; all of them have one sign.
  std::optional<Instant> clock() {
    if (in.empty()) return first ? std::nullopt : std::optional<Instant>(Instant{});
    constexpr size_t kHourDigitsMax = 10;  // 2,562,047,788 hours fill the microseconds of an int64.
    if (!first && !in.take(' ')) return std::nullopt;
    bool negative = in.take('-');
    if (!negative) in.take('+');
    auto hours = in.number(2, kHourDigitsMax);
    if (!hours) return std::nullopt;
    auto minutes = in.colon_sixty();
    if (!minutes) return std::nullopt;
    auto seconds = in.colon_sixty();
    if (!seconds) return std::nullopt;
    auto nanoseconds = in.fraction();
    if (!nanoseconds || !in.empty()) return std::nullopt;
    int64_t total = *hours * kSecondsOfHour + *minutes * 60 + *seconds;
    if (!negative) return Instant{total, static_cast<int32_t>(*nanoseconds)};
    if (*nanoseconds == 0) return Instant{-total, 0};
    return Instant{-total - 1, static_cast<int32_t>(kNanosecondsOfSecond - *nanoseconds)};
  }
};

}  // namespace

std::optional<Value> parse_date(std::string_view text) {
  if (infinite(text)) return unfit(text);
  Scanner in(text);
  auto date = take_date(in);
  if (!date) return std::nullopt;
  auto days = finish_date(in, *date);
  if (!days) return std::nullopt;
  return Date{*days};
}

std::optional<Value> parse_time(std::string_view text) {
  Scanner in(text);
  auto time = take_time(in);
  if (!time || !in.empty()) return std::nullopt;
  if (time->beyond_the_day()) return unfit(text);
  return LocalTime{time->seconds * kNanosecondsOfSecond + time->nanoseconds};
}

std::optional<Value> parse_time_with_zone(std::string_view text) {
  Scanner in(text);
  auto time = take_time(in);
  if (!time) return std::nullopt;
  auto offset = take_zone(in);
  if (!offset || !in.empty()) return std::nullopt;
  if (time->beyond_the_day()) return unfit(text);
  return ZonedTime{time->seconds * kNanosecondsOfSecond + time->nanoseconds,
                   static_cast<int32_t>(*offset)};
}

std::optional<Value> parse_timestamp(std::string_view text) {
  if (infinite(text)) return unfit(text);
  Scanner in(text);
  auto instant = take_timestamp(in, false);
  if (!instant) return std::nullopt;
  return LocalDateTime{instant->seconds, instant->nanoseconds};
}

std::optional<Value> parse_timestamp_with_zone(std::string_view text) {
  if (infinite(text)) return unfit(text);
  Scanner in(text);
  auto instant = take_timestamp(in, true);
  if (!instant) return std::nullopt;
  return ZonedDateTime{instant->seconds, instant->nanoseconds};
}

std::optional<Value> parse_interval(std::string_view text) {
  if (infinite(text)) return unfit(text);
  IntervalScanner in{Scanner(text)};
  constexpr int64_t kMonthsOfYear = 12;
  Interval interval;
  interval.months = in.part("year") * kMonthsOfYear;
  interval.months += in.part("mon");
  interval.days = in.part("day");
  auto clock = in.clock();
  if (!clock) return std::nullopt;
  interval.seconds = clock->seconds;
  interval.nanoseconds = clock->nanoseconds;
  return interval;
}

}  // namespace cnx::postgres
