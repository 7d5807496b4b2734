// The simulations as plain functions, for ffi.rs. A handle comes from abench_rtl_new, is used by one thread at a time, and
// ends with abench_rtl_delete.

#include <iterator>

#include "models.h"

// The smallest simulation that has so many banks, or null if none has.
static Simulation* smallest(const Maker* maker, const Maker* end, uint32_t banks) {
    while (maker != end && maker->most_banks < banks) ++maker;
    return maker == end ? nullptr : maker->make(banks);
}

extern "C" {

// A device after reset, or null if there is none with so many banks.
Simulation* abench_rtl_new(uint32_t banks, bool takes_plants) {
    if (banks == 0) return nullptr;
    return takes_plants ? smallest(std::begin(PLANTED), std::end(PLANTED), banks)
                        : smallest(std::begin(SOUND), std::end(SOUND), banks);
}

void abench_rtl_delete(Simulation* simulation) { delete simulation; }

void abench_rtl_drive(Simulation* simulation, bool asks, bool writes, uint32_t address, uint32_t word, uint32_t bytes) {
    simulation->drive(asks, writes, address, word, bytes);
}

uint32_t abench_rtl_word(const Simulation* simulation) { return simulation->word(); }

void abench_rtl_advance(Simulation* simulation, uint64_t clocks) { simulation->advance(clocks); }

void abench_rtl_plant(Simulation* simulation, uint32_t slot, uint32_t kind, uint32_t argument) {
    simulation->plant(slot, kind, argument);
}

uint32_t abench_rtl_reached(Simulation* simulation, uint32_t slot) { return simulation->reached(slot); }

void abench_rtl_inside(const Simulation* simulation, Inside* inside) { simulation->inside(*inside); }

uint64_t abench_rtl_reference(const Simulation* simulation, uint32_t context) { return simulation->reference(context & 255); }

void abench_rtl_open_waveform(Simulation* simulation) { simulation->open_waveform(); }

// The text stays where it is until the next waveform is opened or the simulation ends.
const char* abench_rtl_close_waveform(Simulation* simulation, size_t* length) {
    const std::string& text = simulation->close_waveform();
    *length = text.size();
    return text.data();
}

// A text that lives as long as the program.
const char* abench_rtl_simulator() {
    static const std::string name = std::string{Verilated::productName()} + " " + Verilated::productVersion();
    return name.c_str();
}
}
