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
    uint64_t seed;
    uint64_t next;
    uint64_t result;
    uint64_t accumulator;
    uint32_t count;
    uint32_t active;
    uint32_t cycles;
    uint32_t engine_busy;
    uint32_t engine_done;
    uint32_t stage;
    uint32_t code;
    uint32_t rs1;
    uint32_t rs2;
    uint32_t load_low;
    uint32_t delta_low;
    uint32_t selected;
    uint32_t response;
    uint32_t rd;
    uint32_t response_ok;
    uint32_t answer;
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

// A generated class, and how a device of it is made with so many banks or fewer.
struct Maker {
    uint32_t most_banks;
    Simulation* (*make)(uint32_t banks);
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

    static constexpr int most_banks = sizeof(decltype(Top::rootp->abench_top__DOT__engine__DOT__bank)) / sizeof(uint64_t);
    // 100 MHz, in units of the file: picoseconds.
    static constexpr uint64_t PERIOD = 10000;
    // When in a clock inputs change, the clock rises, what it changes is there, and the clock falls.
    static constexpr uint64_t INPUTS = 2500;
    static constexpr uint64_t RISE = 5000;
    static constexpr uint64_t OUTPUTS = 6000;
    static constexpr uint64_t FALL = 10000;

    void tick() {
        if (VL_UNLIKELY(waveform)) {
            drawn_tick();
        } else {
            top.clk = 1;
            top.eval();
            top.clk = 0;
            top.eval();
        }
        ++clock;
    }

    // In the file nothing but the clock changes when it rises: a reader who samples there sees what the registers took.
    void drawn_tick() {
        const uint64_t begin = PERIOD * clock;
        top.eval();
        waveform->dump(begin + INPUTS);
        top.clk = 1;
        // Verilator draws nothing unless something was computed since. Here the clock alone is to be drawn, before that.
        top.rootp->vlSymsp->__Vm_activity = true;
        waveform->dump(begin + RISE);
        top.eval();
        waveform->dump(begin + OUTPUTS);
        top.clk = 0;
        top.eval();
        waveform->dump(begin + FALL);
    }

    void reset() {
        top.rst = 1;
        tick();
        top.rst = 0;
        top.eval();
        clock = 0;
    }

public:
    // With so many banks, of those that the class has.
    explicit Of(uint32_t banks) {
        context.traceEverOn(true);
        top.banks_fitted = banks;
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
        std::memcpy(inside.banks, &root.abench_top__DOT__engine__DOT__bank, most_banks * sizeof(uint64_t));
        inside.seed = root.abench_top__DOT__engine__DOT__seed;
        inside.next = root.abench_top__DOT__engine__DOT__next;
        inside.result = root.abench_top__DOT__engine__DOT__result;
        inside.count = root.abench_top__DOT__engine__DOT__count;
        inside.active = root.abench_top__DOT__engine__DOT__active;
        inside.cycles = root.abench_top__DOT__engine__DOT__cycles;
        inside.engine_busy = root.abench_top__DOT__engine__DOT__busy;
        inside.engine_done = root.abench_top__DOT__engine__DOT__done;
        inside.accumulator = root.abench_top__DOT__adapter__DOT__accumulator;
        inside.stage = root.abench_top__DOT__adapter__DOT__stage;
        inside.code = root.abench_top__DOT__adapter__DOT__code;
        inside.rs1 = root.abench_top__DOT__adapter__DOT__rs1;
        inside.rs2 = root.abench_top__DOT__adapter__DOT__rs2;
        inside.load_low = root.abench_top__DOT__adapter__DOT__load_low;
        inside.delta_low = root.abench_top__DOT__adapter__DOT__delta_low;
        inside.selected = root.abench_top__DOT__adapter__DOT__selected;
        inside.response = root.abench_top__DOT__adapter__DOT__response;
        inside.rd = root.abench_top__DOT__adapter__DOT__rd;
        inside.answer = top.wb_dat_o;
        inside.response_ok = root.abench_top__DOT__adapter__DOT__response_ok;
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
        waveform->dump(PERIOD * clock);
    }

    const std::string& close_waveform() override {
        if (waveform) waveform->close();
        waveform.reset();
        return kept.text;
    }
};
