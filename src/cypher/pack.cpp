#include "cypher/pack.hpp"

namespace cnx::cypher {
namespace {

struct PackValue {
  bolt::Packer& packer;

  void operator()(change::Null) const { packer.null(); }
  void operator()(bool value) const { packer.boolean(value); }
  void operator()(int64_t value) const { packer.integer(value); }
  void operator()(double value) const { packer.real(value); }
  void operator()(const std::string& value) const { packer.string(value); }
  void operator()(const Bytes& value) const { packer.bytes(value); }
  void operator()(const change::Date& value) const { packer.date({.days = value.days}); }
  void operator()(const change::LocalTime& value) const {
    packer.local_time({.nanoseconds = value.nanoseconds});
  }
  void operator()(const change::ZonedTime& value) const {
    packer.time({.nanoseconds = value.nanoseconds, .offset_seconds = value.offset_seconds});
  }
  void operator()(const change::LocalDateTime& value) const {
    packer.local_date_time({.seconds = value.seconds, .nanoseconds = value.nanoseconds});
  }
  void operator()(const change::ZonedDateTime& value) const {
    packer.date_time(
        {.seconds = value.seconds, .nanoseconds = value.nanoseconds, .offset_seconds = 0});
  }
  void operator()(const change::Interval& value) const {
    packer.duration({.months = value.months,
                     .days = value.days,
                     .seconds = value.seconds,
                     .nanoseconds = value.nanoseconds});
  }
  void operator()(const change::Point& value) const {
    packer.point(bolt::Point2D{.srid = value.srid, .x = value.x, .y = value.y});
  }
  void operator()(const change::List& value) const {
    packer.list_header(value.items.size());
    for (const change::Value& item : value.items) pack(packer, item);
  }
  // Inside a list this cannot be: the codec makes the whole list unfit.
  void operator()(const change::Unfit&) const { packer.null(); }
  // They stand beside it, under names of their own; that it is there at all says that the row tells of them.
  void operator()(const change::Fields&) const { packer.null(); }
};

}  // namespace

bool is_unfit(const mapping::Property& property) {
  return std::holds_alternative<change::Unfit>(property.value);
}

bool writes_companion(const mapping::Property& property, Companions companions) {
  return is_unfit(property) || (companions == Companions::always && property.name->may_be_unfit);
}

void pack_companion(bolt::Packer& packer, const mapping::Property& property) {
  if (is_unfit(property)) {
    packer.string(std::get<change::Unfit>(property.value).text);
  } else {
    packer.null();
  }
}

void pack(bolt::Packer& packer, const change::Value& value) {
  std::visit(PackValue{packer}, static_cast<const change::Value::variant&>(value));
}

void pack(bolt::Packer& packer, const mapping::Key& key) {
  if (const auto* number = std::get_if<int64_t>(&key)) {
    packer.integer(*number);
  } else {
    packer.string(std::get<std::string>(key));
  }
}

size_t entry_count(const mapping::Properties& properties, Companions companions) {
  size_t count = properties.size();
  for (const mapping::Property& property : properties) {
    if (writes_companion(property, companions)) ++count;
    if (const auto* fields = std::get_if<change::Fields>(&property.value)) count += fields->items.size();
  }
  return count;
}

void pack_entries(bolt::Packer& packer, const mapping::Properties& properties,
                  Companions companions) {
  for (const mapping::Property& property : properties) {
    packer.string(property.name->name);
    pack(packer, property.value);
    if (const auto* fields = std::get_if<change::Fields>(&property.value)) {
      for (const change::Field& field : fields->items) {
        packer.string(property.name->field_prefix + field.name);
        pack(packer, field.value);
      }
    }
    if (!writes_companion(property, companions)) continue;
    packer.string(property.name->companion);
    pack_companion(packer, property);
  }
}

void pack_map(bolt::Packer& packer, const mapping::Properties& properties, Companions companions) {
  packer.map_header(entry_count(properties, companions));
  pack_entries(packer, properties, companions);
}

}  // namespace cnx::cypher
