// A simulation of somebody's Verilog as plain functions, for ffi.rs. It is compiled together with what Verilator made of the
// sources; ports.h is generated and lists every input, and again those that are not part of the bus.
//
// A handle comes from abench_verilog_new, is used by one thread at a time, and ends with abench_verilog_delete. Verilator
// reports an error of the design while it runs ($fatal, $finish, a loop that does not settle) by calling vl_fatal and
// its like. Here these throw, so that the program goes on and the error is reported by it.

#include <cstdio>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "V.h"
#include "verilated.h"

struct Stopped final : std::runtime_error {
    using std::runtime_error::runtime_error;
};

static std::string at(const char* file, int line) {
    return file && *file ? std::string{" ("} + file + ":" + std::to_string(line) + ")" : "";
}

void vl_finish(const char* file, int line, const char*) VL_MT_UNSAFE { throw Stopped{"it called $finish" + at(file, line)}; }

void vl_stop(const char* file, int line, const char*) VL_MT_UNSAFE { throw Stopped{"it called $stop" + at(file, line)}; }

void vl_fatal(const char* file, int line, const char*, const char* message) VL_MT_UNSAFE {
    throw Stopped{std::string{message ? message : "a fatal error"} + at(file, line)};
}

class Simulation {
    // A generated class that is made or destroyed looks for its context in the thread's.
    struct Current {
        explicit Current(VerilatedContext& context) { Verilated::threadContextp(&context); }
        ~Current() { Verilated::threadContextp(Verilated::defaultContextp()); }
    };
    struct Settings {
        explicit Settings(VerilatedContext& context) {
            // What no reset and no initial value sets is random, but the same each time.
            context.randReset(2);
            context.randSeed(1);
            context.fatalOnError(true);
        }
    };

    // In this order: what comes later is destroyed first.
    VerilatedContext context;
    Settings settings{context};
    Current current{context};
    V top{&context};

    void tick() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
    }

    void ask(bool asks, bool writes, uint32_t select, uint32_t address, uint32_t word) {
        top.wb_cyc_i = asks;
        top.wb_stb_i = asks;
        top.wb_we_i = writes;
        top.wb_sel_i = select;
        top.wb_adr_i = address;
        top.wb_dat_i = word;
        top.eval();
    }

    // The bus between two accesses, the same each time: often no clock, else a few. An access that always takes the same
    // number of clocks would hide a register that changes at every clock. While nothing is asked of the device, its bus is
    // not still: on a bus with other slaves STB and a write of theirs reach every slave, and CYC says whose it is; a master
    // may also keep CYC between two accesses.
    uint32_t idle() {
        const uint32_t drawn = next();
        const uint32_t clocks = drawn & 3 ? 0 : 1 + (drawn >> 2 & 3);
        for (uint32_t clock = 0; clock < clocks; ++clock) {
            const uint32_t how = next();
            top.wb_cyc_i = (how & 3) == 1;
            top.wb_stb_i = (how & 3) == 2;
            top.wb_we_i = how >> 2 & 1;
            top.wb_sel_i = 0xF;
            top.wb_adr_i = (how & 8 ? ENGINE : ADAPTER) + (how >> 2 & 0x3C);
            top.wb_dat_i = next();
            top.eval();
            tick();
        }
        return clocks;
    }

    uint32_t next() {
        noise = noise * 6364136223846793005 + 1442695040888963407;
        return static_cast<uint32_t>(noise >> 33);
    }

    static constexpr uint32_t ADAPTER = 0xF0020000;
    static constexpr uint32_t ENGINE = 0xF0021000;
    uint64_t noise = 1;
    bool wrote = false;

    template <class Work>
    bool guarded(Work work) {
        if (!stopped.empty()) return false;
        try {
            work();
            return true;
        } catch (const std::exception& error) {
            stopped = error.what();
            if (stopped.empty()) stopped = "an error without a message";
            return false;
        }
    }

public:
    std::string stopped;

    // What is not set in the design is random, its inputs are not.
    Simulation() {
#define EVERY_INPUT(port) std::memset(&top.port, 0, sizeof top.port);
#define EXTRA_INPUT(port)
#include "ports.h"
#undef EXTRA_INPUT
#undef EVERY_INPUT
    }

    // Resets are often synchronous, and longer than one clock.
    bool reset() {
        return guarded([&] {
            // The edge at which rst rises is one that the design sees: it has been looked at with rst low.
            top.clk = 0;
            top.rst = 0;
            ask(false, false, 0, 0, 0);
            top.rst = 1;
            top.eval();
            for (int clock = 0; clock < 4; ++clock) tick();
            top.rst = 0;
            top.eval();
        });
    }

    bool set(const char* name, uint64_t value) {
#define EVERY_INPUT(port)
#define EXTRA_INPUT(port) \
    if (std::strcmp(name, #port) == 0) { \
        top.port = value; \
        return true; \
    }
#include "ports.h"
#undef EXTRA_INPUT
#undef EVERY_INPUT
        return false;
    }

    bool plant(uint32_t slot, uint32_t kind, uint32_t argument) {
#ifdef TAKES_PLANTS
        top.plant_slot = slot;
        top.plant_kind = kind;
        top.plant_argument = argument;
        top.plant_we = 1;
        const bool done = reset();
        top.plant_we = 0;
        return done;
#else
        return false;
#endif
    }

    uint32_t reached(uint32_t slot) {
        uint32_t count = 0;
#ifdef TAKES_PLANTS
        guarded([&] {
            top.plant_slot = slot;
            top.eval();
            count = top.plant_reached;
        });
#endif
        return count;
    }

    // One Wishbone access: asked for until it is acknowledged. Gives its clocks and those since the access before, 0 if none of
    // so many clocks brought an acknowledgement, and -1 if the simulation stopped. A read right after a write follows at
    // once: it shows what a device is still doing.
    int64_t access(bool writes, uint32_t select, uint32_t address, uint32_t* word, uint32_t limit) {
        int64_t clocks = 0;
        const bool done = guarded([&] {
            const uint32_t before = wrote && !writes ? 0 : idle();
            wrote = writes;
            ask(true, writes, select, address, writes ? *word : next());
            for (uint32_t clock = 1; clock <= limit && clocks == 0; ++clock) {
                const bool acknowledged = top.wb_ack_o;
                if (acknowledged) {
                    *word = top.wb_dat_o;
                    clocks = before + clock;
                }
                tick();
            }
            ask(false, false, 0, 0, 0);
        });
        return done ? clocks : -1;
    }

    bool advance(uint64_t clocks) {
        return guarded([&] {
            for (; clocks > 0; --clocks) tick();
        });
    }
};

extern "C" {

// A device that was not reset yet.
Simulation* abench_verilog_new() {
    try {
        return new Simulation;
    } catch (...) {
        return nullptr;
    }
}

void abench_verilog_delete(Simulation* simulation) { delete simulation; }

bool abench_verilog_set(Simulation* simulation, const char* name, uint64_t value) { return simulation->set(name, value); }

bool abench_verilog_reset(Simulation* simulation) { return simulation->reset(); }

bool abench_verilog_plant(Simulation* simulation, uint32_t slot, uint32_t kind, uint32_t argument) {
    return simulation->plant(slot, kind, argument);
}

uint32_t abench_verilog_reached(Simulation* simulation, uint32_t slot) { return simulation->reached(slot); }

int64_t abench_verilog_access(Simulation* simulation, bool writes, uint32_t select, uint32_t address, uint32_t* word,
                              uint32_t limit) {
    return simulation->access(writes, select, address, word, limit);
}

bool abench_verilog_advance(Simulation* simulation, uint64_t clocks) { return simulation->advance(clocks); }

// Why it stopped; empty if it did not. The text stays until the simulation ends.
const char* abench_verilog_stopped(const Simulation* simulation) { return simulation->stopped.c_str(); }

// The simulator's name and version: a text that lives as long as the program.
const char* abench_verilog_simulator() {
    static const std::string name = std::string{Verilated::productName()} + " " + Verilated::productVersion();
    return name.c_str();
}
}
