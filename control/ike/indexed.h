// SPDX-License-Identifier: Apache-2.0
// A vector that keeps its order and can be looked up: its index is made at the first question after
// a change, so that who fills it pays nothing and ten thousand entries are not walked for each
// peer.
//
// Threading: as a vector without locks; asking counts as a change.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace adit::ike {

/// `Index` is made from a const std::vector<T>& and knows entries by their position.
template <class T, class Index> class Indexed {
  public:
    using value_type = T;

    Indexed() = default;

    Indexed(std::initializer_list<T> items) : items_(items) {}

    Indexed(std::vector<T> items) : items_(std::move(items)) {} // NOLINT(*-explicit-*): is one

    // A copy is taken to be changed.
    Indexed(const Indexed& other) : items_(other.items_) {}

    Indexed& operator=(const Indexed& other) { return *this = Indexed{other}; }

    Indexed(Indexed&&) noexcept = default;
    Indexed& operator=(Indexed&&) noexcept = default;
    ~Indexed() = default;

    [[nodiscard]] std::size_t size() const { return items_.size(); }

    [[nodiscard]] bool empty() const { return items_.empty(); }

    [[nodiscard]] auto begin() const { return items_.begin(); }

    [[nodiscard]] auto end() const { return items_.end(); }

    [[nodiscard]] const T& front() const { return items_.front(); }

    [[nodiscard]] const T& operator[](std::size_t position) const { return items_[position]; }

    [[nodiscard]] const T& at(std::size_t position) const { return items_.at(position); }

    [[nodiscard]] const Index& index() const {
        if (index_ == nullptr)
            index_ = std::make_unique<const Index>(items_);
        return *index_;
    }

    // What may change an entry: references end with the next question.

    void push_back(T item) { changed().push_back(std::move(item)); }

    void clear() { changed().clear(); }

    [[nodiscard]] auto begin() { return changed().begin(); }

    [[nodiscard]] auto end() { return changed().end(); }

    [[nodiscard]] T& front() { return changed().front(); }

    [[nodiscard]] T& back() { return changed().back(); }

    [[nodiscard]] T& operator[](std::size_t position) { return changed()[position]; }

  private:
    std::vector<T>& changed() {
        index_.reset();
        return items_;
    }

    std::vector<T> items_;
    mutable std::unique_ptr<const Index> index_;
};

} // namespace adit::ike
