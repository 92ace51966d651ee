#pragma once

// What comes over the wire is held against the same limits as what is recorded.
#include "base/limits.h"
