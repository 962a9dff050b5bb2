// Strong types for ids, positions and counts: explicit in, .value() out, compared only with their own kind.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace cnx {

template <typename Tag, typename T>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}
  constexpr const T& value() const { return value_; }
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

}  // namespace cnx

template <typename Tag, typename T>
struct std::hash<cnx::Strong<Tag, T>> {
  std::size_t operator()(const cnx::Strong<Tag, T>& strong) const {
    return std::hash<T>{}(strong.value());
  }
};
