// What the design prints with $display is talk: standard output is for reports and records.
#pragma once
#include <cstdarg>
#include <cstdio>
static inline int abench_print(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int written = std::vfprintf(stderr, format, arguments);
    va_end(arguments);
    return written;
}
#define VL_PRINTF abench_print
