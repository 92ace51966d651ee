#pragma once

#include <utility>

// Leaves the function with the error, where there is one.
#define GW_TRY(expression)                                                  \
  do {                                                                      \
    auto gw_outcome = (expression);                                         \
    if (!gw_outcome) return std::unexpected(std::move(gw_outcome.error())); \
  } while (false)

// Declares `name` as the value, or leaves the function with the error.
#define GW_TRY_LET(name, expression)                                              \
  auto name##_outcome = (expression);                                             \
  if (!name##_outcome) return std::unexpected(std::move(name##_outcome.error())); \
  auto& name = *name##_outcome
