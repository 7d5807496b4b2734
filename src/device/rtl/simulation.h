// One simulated device, whichever of the generated classes it is of: banks differ, and whether faults can be planted.

#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "verilated.h"
#include "verilated_vcd_c.h"

// What is inside at this moment, for a comparison clock by clock. `ffi.rs` has the same layout.
struct Inside {
    uint64_t banks[32];
    uint64_t result;
    uint64_t accumulator;
    uint32_t cycles;
    uint32_t rd;
    uint32_t context;
    uint32_t engine_busy;
    uint32_t engine_done;
    uint32_t adapter_busy;
};

class Simulation {
public:
    virtual ~Simulation() = default;
    // Whether an access is asked for, and which, of these bytes; it stands until it is changed.
    virtual void drive(bool asks, bool writes, uint32_t address, uint32_t word, uint32_t bytes) = 0;
    // The word that is answered now.
    virtual uint32_t word() const = 0;
    virtual void advance(uint64_t clocks) = 0;
    // Takes effect with a reset, which is given with it.
    virtual void plant(uint32_t slot, uint32_t kind, uint32_t argument) = 0;
    virtual uint32_t reached(uint32_t slot) = 0;
    virtual void inside(Inside& inside) const = 0;
    virtual uint64_t reference(uint32_t context) const = 0;
    virtual void open_waveform() = 0;
    virtual const std::string& close_waveform() = 0;
};

// A waveform that is kept in memory: what is written, and where, is not decided here.
class Kept final : public VerilatedVcdFile {
public:
    std::string text;
    bool open(const std::string&) override { return true; }
    void close() override {}
    ssize_t write(const char* from, ssize_t length) override {
        text.append(from, static_cast<size_t>(length));
        return length;
    }
};

template <class Top, bool takes_plants>
class Of final : public Simulation {
    // A generated class that is destroyed looks for its context in the thread's. It has to be the right one then, and one
    // that is still there afterwards.
    struct Current {
        explicit Current(VerilatedContext& context) { Verilated::threadContextp(&context); }
        ~Current() { Verilated::threadContextp(Verilated::defaultContextp()); }
    };

    // In this order: what comes later is destroyed first.
    VerilatedContext context;
    Current current{context};
    Top top{&context};
    Kept kept;
    std::unique_ptr<VerilatedVcdC> waveform;
    uint64_t clock = 0;

    static constexpr int banks = sizeof(decltype(Top::rootp->abench_top__DOT__engine__DOT__bank)) / sizeof(uint64_t);
    // 100 MHz, in units of the file: picoseconds.
    static constexpr uint64_t HALF_PERIOD = 5000;

    void half(bool high, uint64_t time) {
        top.clk = high;
        top.eval();
        if (VL_UNLIKELY(waveform)) waveform->dump(time);
    }

    void tick() {
        half(true, 2 * HALF_PERIOD * clock + HALF_PERIOD);
        half(false, 2 * HALF_PERIOD * (clock + 1));
        ++clock;
    }

    void reset() {
        top.rst = 1;
        tick();
        top.rst = 0;
        top.eval();
        clock = 0;
    }

public:
    Of() {
        context.traceEverOn(true);
        drive(false, false, 0, 0, 15);
        top.clk = 0;
        top.eval();
        reset();
    }

    ~Of() override {
        Verilated::threadContextp(&context);
        top.final();
    }

    void drive(bool asks, bool writes, uint32_t address, uint32_t word, uint32_t bytes) override {
        top.wb_cyc_i = asks;
        top.wb_stb_i = asks;
        top.wb_we_i = writes;
        top.wb_adr_i = address;
        top.wb_dat_i = word;
        top.wb_sel_i = bytes;
    }

    uint32_t word() const override { return top.wb_dat_o; }

    void advance(uint64_t clocks) override {
        for (; clocks > 0; --clocks) tick();
    }

    void plant(uint32_t slot, uint32_t kind, uint32_t argument) override {
        if constexpr (takes_plants) {
            top.plant_slot = slot;
            top.plant_kind = kind;
            top.plant_argument = argument;
            top.plant_we = 1;
            reset();
            top.plant_we = 0;
        }
    }

    uint32_t reached(uint32_t slot) override {
        if constexpr (takes_plants) {
            top.plant_slot = slot;
            top.eval();
            return top.plant_reached;
        }
        return 0;
    }

    void inside(Inside& inside) const override {
        const auto& root = *top.rootp;
        std::memset(&inside, 0, sizeof inside);
        std::memcpy(inside.banks, &root.abench_top__DOT__engine__DOT__bank, banks * sizeof(uint64_t));
        inside.result = root.abench_top__DOT__engine__DOT__result;
        inside.cycles = root.abench_top__DOT__engine__DOT__cycles;
        inside.engine_busy = root.abench_top__DOT__engine__DOT__busy;
        inside.engine_done = root.abench_top__DOT__engine__DOT__done;
        inside.accumulator = root.abench_top__DOT__adapter__DOT__accumulator;
        inside.rd = root.abench_top__DOT__adapter__DOT__rd;
        inside.context = root.abench_top__DOT__adapter__DOT__context;
        inside.adapter_busy = root.abench_top__DOT__adapter__DOT__stage != 0;
    }

    uint64_t reference(uint32_t context) const override {
        const auto& root = *top.rootp;
        const bool written = root.abench_top__DOT__adapter__DOT__written[context / 32] >> context % 32 & 1;
        return written ? root.abench_top__DOT__adapter__DOT__references[context] : 0;
    }

    void open_waveform() override {
        kept.text.clear();
        waveform = std::make_unique<VerilatedVcdC>(&kept);
        top.trace(waveform.get(), 99);
        waveform->open("");
        waveform->dump(2 * HALF_PERIOD * clock);
    }

    const std::string& close_waveform() override {
        if (waveform) waveform->close();
        waveform.reset();
        return kept.text;
    }
};
