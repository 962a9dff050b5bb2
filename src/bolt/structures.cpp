#include "bolt/structures.hpp"

#include <string>

namespace bolt {
namespace {

using cnx::Result;

// Takes the fields of one structure in order. The first that does not fit makes all of it
// malformed, told once at the end, so that a structure reads like its definition.
class Fields {
 public:
  explicit Fields(List fields) : fields_(std::move(fields)) {}

  template <typename T>
  T take() {
    if (at_ >= fields_.size()) {
      fits_ = false;
      return T{};
    }
    const T* value = fields_[at_++].get_if<T>();
    if (value == nullptr) {
      fits_ = false;
      return T{};
    }
    return *value;
  }
  template <typename T>
  std::vector<T> take_all() {
    std::vector<T> values;
    if (at_ >= fields_.size()) {
      fits_ = false;
      return values;
    }
    const List* list = fields_[at_++].get_if<List>();
    fits_ = fits_ && list != nullptr;
    for (const Value& item : list == nullptr ? List{} : *list) {
      const T* value = item.get_if<T>();
      if (value == nullptr) {
        fits_ = false;
        return values;
      }
      values.push_back(*value);
    }
    return values;
  }
  void require(bool holds) { fits_ = fits_ && holds; }
  // All fields were there, of the right types, and none is left over.
  bool fit() const { return fits_ && at_ == fields_.size(); }

 private:
  List fields_;
  size_t at_ = 0;
  bool fits_ = true;
};

Node node(Fields& fields, bool element_ids) {
  Node node;
  node.id = fields.take<int64_t>();
  node.labels = fields.take_all<std::string>();
  node.properties = fields.take<Map>();
  node.element_id = element_ids ? fields.take<std::string>() : std::to_string(node.id);
  return node;
}

Relationship relationship(Fields& fields, bool element_ids) {
  Relationship value;
  value.id = fields.take<int64_t>();
  value.start_id = fields.take<int64_t>();
  value.end_id = fields.take<int64_t>();
  value.type = fields.take<std::string>();
  value.properties = fields.take<Map>();
  value.element_id = element_ids ? fields.take<std::string>() : std::to_string(value.id);
  value.start_element_id =
      element_ids ? fields.take<std::string>() : std::to_string(value.start_id);
  value.end_element_id = element_ids ? fields.take<std::string>() : std::to_string(value.end_id);
  return value;
}

UnboundRelationship unbound_relationship(Fields& fields, bool element_ids) {
  UnboundRelationship value;
  value.id = fields.take<int64_t>();
  value.type = fields.take<std::string>();
  value.properties = fields.take<Map>();
  value.element_id = element_ids ? fields.take<std::string>() : std::to_string(value.id);
  return value;
}

// Whoever walks a path may trust its indices.
bool walkable(const Path& path) {
  if (path.nodes.empty() || path.indices.size() % 2 != 0) return false;
  auto relationships = static_cast<int64_t>(path.relationships.size());
  auto nodes = static_cast<int64_t>(path.nodes.size());
  for (size_t i = 0; i < path.indices.size(); i += 2) {
    int64_t relationship_index = path.indices[i];
    int64_t node_index = path.indices[i + 1];
    if (relationship_index == 0 || relationship_index > relationships ||
        relationship_index < -relationships)
      return false;
    if (node_index < 0 || node_index >= nodes) return false;
  }
  return true;
}

Path path(Fields& fields) {
  Path value;
  value.nodes = fields.take_all<Node>();
  value.relationships = fields.take_all<UnboundRelationship>();
  value.indices = fields.take_all<int64_t>();
  fields.require(walkable(value));
  return value;
}

size_t element_bytes(Vector::Element element) {
  switch (element) {
    case Vector::Element::int8:
      return 1;
    case Vector::Element::int16:
      return 2;
    case Vector::Element::int32:
      return 4;
    case Vector::Element::int64:
      return 8;
    case Vector::Element::float32:
      return 4;
    case Vector::Element::float64:
      return 8;
  }
  return 0;
}

Vector vector(Fields& fields) {
  Vector value;
  auto marker = fields.take<cnx::Bytes>();
  value.elements = fields.take<cnx::Bytes>();
  fields.require(marker.size() == 1);
  if (marker.size() == 1) value.element = static_cast<Vector::Element>(marker[0]);
  size_t width = element_bytes(value.element);
  fields.require(width != 0 && value.elements.size() % width == 0);
  return value;
}

UnsupportedType unsupported_type(Fields& fields) {
  UnsupportedType value;
  value.name = fields.take<std::string>();
  value.minimum_major = fields.take<int64_t>();
  value.minimum_minor = fields.take<int64_t>();
  value.details = fields.take<Map>();
  return value;
}

DateTime legacy_date_time(Fields& fields) {
  DateTime value{fields.take<int64_t>(), fields.take<int64_t>(), fields.take<int64_t>()};
  // Counts on the wall clock. Unsigned, so that the far ends wrap instead of being undefined.
  value.seconds = static_cast<int64_t>(static_cast<uint64_t>(value.seconds) -
                                       static_cast<uint64_t>(value.offset_seconds));
  return value;
}

// Nullopt: this version has no such tag.
std::optional<Value> by_tag(uint8_t tag, Fields& fields, Dialect dialect) {
  Features facts = features(dialect.version);
  using Integer = int64_t;
  switch (tag) {
    case 'N':
      return node(fields, facts.element_ids);
    case 'R':
      return relationship(fields, facts.element_ids);
    case 'r':
      return unbound_relationship(fields, facts.element_ids);
    case 'P':
      return path(fields);
    case 'D':
      return Date{fields.take<Integer>()};
    case 't':
      return LocalTime{fields.take<Integer>()};
    case 'T':
      return Time{fields.take<Integer>(), fields.take<Integer>()};
    case 'd':
      return LocalDateTime{fields.take<Integer>(), fields.take<Integer>()};
    case 'E':
      return Duration{fields.take<Integer>(), fields.take<Integer>(), fields.take<Integer>(),
                      fields.take<Integer>()};
    case 'X':
      return Point2D{fields.take<Integer>(), fields.take<double>(), fields.take<double>()};
    case 'Y':
      return Point3D{fields.take<Integer>(), fields.take<double>(), fields.take<double>(),
                     fields.take<double>()};
    default:
      break;
  }
  if (dialect.utc) {
    if (tag == 'I')
      return DateTime{fields.take<Integer>(), fields.take<Integer>(), fields.take<Integer>()};
    if (tag == 'i')
      return DateTimeZoneId{fields.take<Integer>(), fields.take<Integer>(),
                            fields.take<std::string>(), false};
  } else {
    if (tag == 'F') return legacy_date_time(fields);
    if (tag == 'f')
      return DateTimeZoneId{fields.take<Integer>(), fields.take<Integer>(),
                            fields.take<std::string>(), true};
  }
  if (facts.vectors && tag == 'V') return vector(fields);
  if (facts.vectors && tag == '?') return unsupported_type(fields);
  return std::nullopt;
}

}  // namespace

Result<Value> interpret(Structure structure, Dialect dialect) {
  Fields fields(std::move(structure.fields));
  std::optional<Value> value = by_tag(structure.tag, fields, dialect);
  if (!value || !fields.fit()) {
    return cnx::fail(cnx::ErrorKind::malformed,
                     std::string("PackStream: ") + (value ? "wrong fields in" : "unknown") +
                         " structure with tag " + std::to_string(structure.tag));
  }
  return *std::move(value);
}

}  // namespace bolt
