// The bench engine: generates COUNT deltas, accumulates them in N_BANKS banks, counts its clock cycles.
//
// A Wishbone slave of 32-bit words at byte offsets. Its registers, and what it does where the device's documents leave
// that open, are tabled in src/device/model/mod.rs; this file keeps to that table clock for clock.
//
// With ABENCH_PLANTS defined, faults can be planted in it while it is simulated. Without, which is how it is
// synthesised, no part of them is there.

module bench_engine #(
    parameter N_BANKS = 8  // 1 to 32
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        wb_cyc_i,
    input  wire        wb_stb_i,
    input  wire        wb_we_i,
    input  wire [ 3:0] wb_sel_i,
    input  wire [11:0] wb_adr_i,
    input  wire [31:0] wb_dat_i,
    output reg  [31:0] wb_dat_o,
    output reg         wb_ack_o
`ifdef ABENCH_SIMULATION
    ,
    input  wire [ 5:0] banks_fitted
`endif
`ifdef ABENCH_PLANTS
    ,
    input  wire        plant_we,
    input  wire [ 5:0] plant_slot,
    input  wire [ 7:0] plant_kind,
    input  wire [31:0] plant_argument,
    output wire [31:0] plant_reached
`endif
);
    localparam [7:0] VERSION = 8'd2;

    // The banks that the engine has. A simulation of N_BANKS banks stands for each smaller number, too.
`ifdef ABENCH_SIMULATION
    wire [7:0] banks_there = {2'd0, banks_fitted};
`else
    wire [7:0] banks_there = N_BANKS[7:0];
`endif

    localparam [11:0] CTRL = 12'h00;
    localparam [11:0] COUNT = 12'h04;
    localparam [11:0] ACTIVE = 12'h08;
    localparam [11:0] SEED_LO = 12'h0C;
    localparam [11:0] SEED_HI = 12'h10;
    localparam [11:0] CYCLES = 12'h14;
    localparam [11:0] RESULT_LO = 12'h18;
    localparam [11:0] RESULT_HI = 12'h1C;
    localparam [11:0] STATUS = 12'h20;

    reg [31:0] count  /* verilator public_flat_rd */;
    reg [ 5:0] active  /* verilator public_flat_rd */;
    reg [63:0] seed  /* verilator public_flat_rd */;
    reg [31:0] cycles  /* verilator public_flat_rd */;
    reg [63:0] result  /* verilator public_flat_rd */;
    reg        busy  /* verilator public_flat_rd */;
    reg        done  /* verilator public_flat_rd */;

    // The index that lane 0 takes next, and the banks. COUNT and a clock's worth of lanes together need 33 bits.
    reg [32:0] next  /* verilator public_flat_rd */;
    reg [63:0] bank  [0:N_BANKS-1]  /* verilator public_flat_rd */;

    // An access is looked at in its first clock and acknowledged in its second. A busy engine takes no word.
    wire begins = wb_cyc_i & wb_stb_i & ~wb_ack_o;
    wire whole;
    wire takes_word = begins & wb_we_i & whole & ~busy;
    wire commanded = takes_word & (wb_adr_i == CTRL);
    wire clears = commanded & (wb_dat_i[1:0] != 2'b00);
    wire starts = commanded & wb_dat_i[0];

    // What the registers take and give: as it is written, within the banks that there are, and as it is held.
    wire [31:0] count_taken;
    wire [ 5:0] active_taken;
    wire [63:0] seed_in_use;
    wire [31:0] cycles_after;

    wire [ 5:0] clamped = wb_dat_i == 32'd0 ? 6'd1 : wb_dat_i > {24'd0, banks_there} ? banks_there[5:0] : wb_dat_i[5:0];

    wire [32:0] last;  // one beyond the last index: COUNT
    wire        runs_out = next >= last;
    wire        accumulates = busy & ~runs_out;
    wire        finishes = busy & runs_out;

    // Delta i of a run is f(SEED ^ i), which is one step of xorshift64.
    function [63:0] delta;
        input [63:0] from;
        reg [63:0] x;
        begin
            x = from;
            x = x ^ (x << 13);
            x = x ^ (x >> 7);
            x = x ^ (x << 17);
            delta = x;
        end
    endfunction

    reg     [63:0] merged;
    integer        number;

    always @* begin
        merged = 64'd0;
        for (number = 0; number < N_BANKS; number = number + 1) merged = merged ^ bank[number];
    end

`ifdef ABENCH_PLANTS
`include "bench_engine_plants.vh"
`else
    assign whole        = wb_sel_i == 4'hF;
    assign count_taken  = wb_dat_i;
    assign active_taken = clamped;
    assign seed_in_use  = seed;
    assign cycles_after = cycles + 32'd1;
    assign last         = {1'b0, count};
`endif

    integer lane;

    always @(posedge clk) begin
`ifdef ABENCH_PLANTS
        if (rst | clears & ~stays(START_KEEPS_BANKS)) begin
`else
        if (rst | clears) begin
`endif
            for (lane = 0; lane < N_BANKS; lane = lane + 1) bank[lane] <= 64'd0;
        end
`ifdef ABENCH_PLANTS
        else if (planted) begin
            for (lane = 0; lane < N_BANKS; lane = lane + 1) bank[lane] <= banks_after[64*lane+:64];
        end
`endif
        else if (accumulates) begin
            for (lane = 0; lane < N_BANKS; lane = lane + 1)
                if (lane[5:0] < active && next + {27'd0, lane[5:0]} < last)
                    bank[lane] <= bank[lane] ^ delta(seed_in_use ^ {31'd0, next + {27'd0, lane[5:0]}});
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            count  <= 32'd0;
            active <= 6'd1;
            seed   <= 64'd1;
            cycles <= 32'd0;
            result <= 64'd0;
            busy   <= 1'b0;
            done   <= 1'b0;
            next   <= 33'd0;
        end else if (accumulates) begin
            cycles <= cycles_after;
            next   <= next + {27'd0, active};
        end else if (finishes) begin
            busy <= 1'b0;
            done <= 1'b1;
`ifdef ABENCH_PLANTS
            if (has(EXTRA_CYCLE)) cycles <= cycles_after;
            result <= !planted ? merged : merged_seen(1'b1);
`else
            result <= merged;
`endif
        end else if (takes_word) begin
            if (clears) begin
                cycles <= 32'd0;
                result <= 64'd0;
                busy   <= starts;
`ifdef ABENCH_PLANTS
                done   <= done & stays(DONE_STAYS);
`else
                done   <= 1'b0;
`endif
                next   <= 33'd0;
            end
            case (wb_adr_i)
                COUNT:   count <= count_taken;
                ACTIVE:  active <= active_taken;
                SEED_LO: seed[31:0] <= wb_dat_i;
                SEED_HI: seed[63:32] <= wb_dat_i;
                default: ;
            endcase
        end
    end

    always @(posedge clk) begin
        wb_ack_o <= begins & ~rst;
        wb_dat_o <= 32'd0;
        if (begins & ~wb_we_i)
            case (wb_adr_i)
                CTRL:      wb_dat_o <= {30'd0, done, busy};
                COUNT:     wb_dat_o <= count;
                ACTIVE:    wb_dat_o <= {26'd0, active};
                SEED_LO:   wb_dat_o <= seed_in_use[31:0];
                SEED_HI:   wb_dat_o <= seed_in_use[63:32];
                CYCLES:    wb_dat_o <= cycles;
                RESULT_LO: wb_dat_o <= result[31:0];
                RESULT_HI: wb_dat_o <= result[63:32];
                STATUS:    wb_dat_o <= {VERSION, banks_there, 14'd0, done, busy};
                default:   wb_dat_o <= 32'd0;
            endcase
    end
endmodule
