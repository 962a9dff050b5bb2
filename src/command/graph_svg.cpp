// Boxes in columns, in each of which relationships lead to the right where they can (layers of longest paths, then sweeps that
// bring a box near the middle of its neighbours; Sugiyama, Tagawa, Toda 1981, without its dummy boxes).
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "command/graph_drawing.hpp"
#include "command/table_text.hpp"

namespace cnx::command {
namespace {

using pipeline::ExplainedProperty;
using pipeline::GraphModel;

constexpr double kLine = 16, kPadding = 8, kCharacter = 7.3;  // Of a 12 px monospaced font.
constexpr double kBetweenBoxes = 40, kMargin = 30, kColumnGapMin = 130;
constexpr double kLoop = 60;  // How far a relationship that stays in its column bends out of it.
constexpr size_t kPropertiesMax = 12;
constexpr int kSweeps = 12;

struct Box {
  std::vector<std::string> lines;  // Below the label.
  double x = 0, y = 0, width = 0, height = 0;
  size_t layer = 0;
  double middle() const { return y + height / 2; }
};

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;  // XML has no other control characters.
    }
  }
  return out;
}

Box box_of(const GraphModel::Node& node) {
  Box box;
  size_t longest = length_of(node.label);
  for (const std::string& label : node.more_labels) box.lines.push_back(":" + label);
  for (const ExplainedProperty& property : node.properties) {
    if (box.lines.size() == kPropertiesMax) {
      box.lines.push_back(fmt::format("… {} more", node.properties.size() + node.more_labels.size() - kPropertiesMax));
      break;
    }
    box.lines.push_back((property.name == node.key_property ? "• " : "  ") + property.name + " " + property.form);
  }
  for (const std::string& line : box.lines) longest = std::max(longest, length_of(line));
  box.width = static_cast<double>(longest) * kCharacter + 2 * kPadding;
  box.height = static_cast<double>(box.lines.size() + 1) * kLine + 2 * kPadding;
  return box;
}

class Drawing {
 public:
  explicit Drawing(const GraphModel& model) : model_(model) {
    for (const GraphModel::Node& node : model.nodes) boxes_.push_back(box_of(node));
    forward_.resize(boxes_.size());
    layer();
    order();
    place();
  }

  std::string text() const {
    std::string body;
    for (const GraphModel::Relationship& relationship : model_.relationships) body += arrow(relationship);
    for (size_t i = 0; i < boxes_.size(); ++i) body += box(i);
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "font-family=\"monospace\" font-size=\"12\">\n<title>{2}</title>\n"
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">"
        "<path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{3}</svg>\n",
        width_, height_, escaped(model_.name), body);
  }

 private:
  // The longest way to a box without one that leads back.
  void layer() {
    std::vector<int> seen(boxes_.size(), 0);
    std::vector<size_t> finished;
    for (size_t i = 0; i < boxes_.size(); ++i) visit(i, seen, finished);
    for (auto at = finished.rbegin(); at != finished.rend(); ++at) {
      for (size_t next : forward_[*at]) boxes_[next].layer = std::max(boxes_[next].layer, boxes_[*at].layer + 1);
    }
    size_t layers = 1;
    for (const Box& box : boxes_) layers = std::max(layers, box.layer + 1);
    columns_.resize(layers);
    for (size_t i = 0; i < boxes_.size(); ++i) columns_[boxes_[i].layer].push_back(i);
  }

  // Depth is at most the number of labels, which a mapping bounds.
  void visit(size_t node, std::vector<int>& seen, std::vector<size_t>& finished) {
    if (seen[node] != 0) return;
    seen[node] = 1;
    for (const GraphModel::Relationship& relationship : model_.relationships) {
      if (relationship.start != node || seen[relationship.end] == 1) continue;
      forward_[node].push_back(relationship.end);
      visit(relationship.end, seen, finished);
    }
    seen[node] = 2;
    finished.push_back(node);
  }

  void order() {
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      stack();
      for (auto& column : columns_) {
        std::vector<double> wish(boxes_.size());
        for (size_t node : column) wish[node] = middle_of_neighbours(node);
        std::stable_sort(column.begin(), column.end(), [&](size_t a, size_t b) { return wish[a] < wish[b]; });
      }
    }
    stack();
  }

  double middle_of_neighbours(size_t node) const {
    double sum = 0;
    int count = 0;
    for (const GraphModel::Relationship& relationship : model_.relationships) {
      if (relationship.start == relationship.end) continue;
      if (relationship.start != node && relationship.end != node) continue;
      sum += boxes_[relationship.start == node ? relationship.end : relationship.start].middle();
      ++count;
    }
    return count == 0 ? boxes_[node].middle() : sum / count;
  }

  // One below the other, each column about the same middle.
  void stack() {
    for (const auto& column : columns_) {
      double height = -kBetweenBoxes;
      for (size_t node : column) height += boxes_[node].height + kBetweenBoxes;
      double y = -height / 2;
      for (size_t node : column) {
        boxes_[node].y = y;
        y += boxes_[node].height + kBetweenBoxes;
      }
    }
  }

  void place() {
    size_t longest = 0;
    for (const GraphModel::Relationship& r : model_.relationships) longest = std::max(longest, length_of(r.type));
    const double gap = std::max(kColumnGapMin, static_cast<double>(longest) * kCharacter + 50);
    double x = kMargin, top = 0;
    for (const Box& box : boxes_) top = std::min(top, box.y);
    for (const auto& column : columns_) {
      double widest = 0;
      for (size_t node : column) widest = std::max(widest, boxes_[node].width);
      for (size_t node : column) boxes_[node].x = x + (widest - boxes_[node].width) / 2;
      x += widest + gap;
    }
    width_ = x - gap + kLoop + kMargin;
    for (Box& box : boxes_) {
      box.y += kMargin + kLine - top;
      height_ = std::max(height_, box.y + box.height + kMargin + kLine);
    }
  }

  // Where the relationship touches a box: its ends are spread over the side that they share.
  double port(const GraphModel::Relationship& relationship, size_t node, bool right) const {
    std::vector<std::pair<double, const GraphModel::Relationship*>> there;
    for (const GraphModel::Relationship& other : model_.relationships) {
      for (const bool at_start : {true, false}) {
        const size_t here = at_start ? other.start : other.end;
        const size_t far = at_start ? other.end : other.start;
        if (here != node || is_right(here, far) != right || (here == far && !at_start)) continue;
        there.emplace_back(boxes_[far].middle(), &other);
      }
    }
    std::stable_sort(there.begin(), there.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto at = std::find_if(there.begin(), there.end(), [&](const auto& each) { return each.second == &relationship; });
    const double share = static_cast<double>(at - there.begin() + 1) / static_cast<double>(there.size() + 1);
    return boxes_[node].y + share * boxes_[node].height;
  }

  // To the right goes what leads to a later column, and what stays in its own.
  bool is_right(size_t here, size_t far) const { return boxes_[far].layer >= boxes_[here].layer; }

  std::string arrow(const GraphModel::Relationship& relationship) const {
    const Box& start = boxes_[relationship.start];
    const Box& end = boxes_[relationship.end];
    const bool start_right = is_right(relationship.start, relationship.end);
    const bool end_right = is_right(relationship.end, relationship.start);
    const double x1 = start_right ? start.x + start.width : start.x;
    const double x2 = end_right ? end.x + end.width : end.x;
    const double y1 = port(relationship, relationship.start, start_right);
    const double y2 = relationship.start == relationship.end ? y1 + kLine : port(relationship, relationship.end, end_right);
    const double bend = std::max(kLoop, std::abs(x2 - x1) / 2);
    const double c1 = x1 + (start_right ? bend : -bend), c2 = x2 + (end_right ? bend : -bend);
    const double label_x = (x1 + 3 * c1 + 3 * c2 + x2) / 8, label_y = (y1 + y2) / 2;
    // First a white halo: not every program knows `paint-order`.
    return fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}C{2:.1f} {1:.1f} {3:.1f} {4:.1f} {5:.1f} {4:.1f}\" fill=\"none\" stroke=\"#777\" "
        "marker-end=\"url(#head)\"/>\n<text x=\"{6:.1f}\" y=\"{7:.1f}\" text-anchor=\"middle\" font-size=\"10\" "
        "stroke=\"#fff\" stroke-width=\"3\" aria-hidden=\"true\">{8}</text>\n<text x=\"{6:.1f}\" y=\"{7:.1f}\" "
        "text-anchor=\"middle\" font-size=\"10\" fill=\"#333\">{8}</text>\n",
        x1, y1, c1, c2, y2, x2, label_x, label_y + 3, escaped(relationship.type));
  }

  std::string box(size_t number) const {
    const Box& box = boxes_[number];
    std::string text = fmt::format(
        "<rect x=\"{0:.1f}\" y=\"{1:.1f}\" width=\"{2:.1f}\" height=\"{3:.1f}\" rx=\"6\" fill=\"#f6f8fa\" stroke=\"#456\"/>\n"
        "<text x=\"{4:.1f}\" y=\"{5:.1f}\" font-weight=\"bold\">{6}</text>\n",
        box.x, box.y, box.width, box.height, box.x + kPadding, box.y + kPadding + 12, escaped(model_.nodes[number].label));
    double y = box.y + kPadding + 12;
    for (const std::string& line : box.lines) {
      y += kLine;
      text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" xml:space=\"preserve\">{}</text>\n", box.x + kPadding, y, escaped(line));
    }
    return text;
  }

  const GraphModel& model_;
  std::vector<Box> boxes_;
  std::vector<std::vector<size_t>> forward_;  // What leads to a later column.
  std::vector<std::vector<size_t>> columns_;
  double width_ = 0, height_ = 0;
};

}  // namespace

std::string svg_of(const GraphModel& model) { return Drawing(model).text(); }

}  // namespace cnx::command
