// Faults of the bench engine, planted while simulating. They sit where they would in hardware: between a lane and its
// bank, between the banks and the merged result, at the end of the index range, at the cycle counter.

`include "plants.vh"

localparam [7:0] DEAD_BANK = 8'd1;
localparam [7:0] STUCK_BANK = 8'd2;
localparam [7:0] SWAP_BANKS = 8'd3;
localparam [7:0] DROP = 8'd4;
localparam [7:0] DUPLICATE = 8'd5;
localparam [7:0] REORDER = 8'd6;
localparam [7:0] TORN = 8'd7;
localparam [7:0] MISADDRESS = 8'd8;
localparam [7:0] BANK_OPERATOR = 8'd9;
localparam [7:0] SHORT_COUNT = 8'd10;
localparam [7:0] LONG_COUNT = 8'd11;
localparam [7:0] PARTIAL_CYCLE_DROPPED = 8'd12;
localparam [7:0] INDEX_WRAPS = 8'd13;
localparam [7:0] EARLY_DONE = 8'd14;
localparam [7:0] EXTRA_CYCLE = 8'd15;
localparam [7:0] FLIP_BIT = 8'd16;
localparam [7:0] START_KEEPS_BANKS = 8'd27;
localparam [7:0] DONE_STAYS = 8'd28;
localparam [7:0] ACTIVE_NOT_CLAMPED = 8'd33;
localparam [7:0] STUCK_SEED_BIT = 8'd34;
localparam [7:0] SEED_NOT_RESET = 8'd35;
localparam [7:0] SHORT_LANE = 8'd36;
localparam [7:0] CYCLES_WRAP = 8'd37;
localparam [7:0] COUNT_WRAPS = 8'd38;
localparam [7:0] SELECTS_IGNORED = 8'd39;

/* verilator tracing_off */

// The end of the range, taken when a run starts.
reg [32:0] planted_end;

assign last = planted ? planted_end : {1'b0, count};

// Faults of the registers, known once they are planted: what SEED holds of what was written, and what other registers
// take.
reg [63:0] seed_held;
reg        seed_reset;
reg        seed_low_written;
reg        selects_ignored;
reg        not_clamped;
reg [31:0] count_held;

initial begin
    seed_held       = 64'hFFFF_FFFF_FFFF_FFFF;
    seed_reset      = 1'b1;
    selects_ignored = 1'b0;
    not_clamped     = 1'b0;
    count_held      = 32'hFFFF_FFFF;
end

always @(posedge clk)
    if (plant_we)
        case (plant_kind)
            ACTIVE_NOT_CLAMPED: not_clamped <= 1'b1;
            STUCK_SEED_BIT:     seed_held[plant_argument[5:0]] <= 1'b0;
            SEED_NOT_RESET:     seed_reset <= 1'b0;
            COUNT_WRAPS:        count_held <= count_held & ~(32'hFFFF_FFFF << plant_argument[4:0]);
            SELECTS_IGNORED:    selects_ignored <= 1'b1;
            default:            ;
        endcase

always @(posedge clk)
    if (rst) seed_low_written <= 1'b0;
    else if (takes_word && wb_adr_i == SEED_LO) seed_low_written <= 1'b1;

assign whole       = wb_sel_i == 4'hF || selects_ignored;
assign count_taken = wb_dat_i & count_held;
assign seed_in_use = {seed[63:32], seed_reset || seed_low_written ? seed[31:0] : 32'd0} & seed_held;

wire beyond = wb_dat_i > {24'd0, banks_there};
assign active_taken = not_clamped & beyond ? (wb_dat_i[5:0] == 6'd0 ? 6'd1 : wb_dat_i[5:0]) : clamped;

assign cycles_after = planted ? wrapped(cycles + 32'd1) : cycles + 32'd1;

function [31:0] wrapped;
    input [31:0] sound;
    reg [6:0] s;
    begin
        wrapped = sound;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            if (kind[s[5:0]] == CYCLES_WRAP) wrapped = wrapped & ~(32'hFFFF_FFFF << argument[s[5:0]][4:0]);
    end
endfunction

// Where done is raised too soon: the banks merged before the last clock.
reg        early;
reg [63:0] early_result;

always @(posedge clk) begin
    if (rst | clears) begin
        planted_end  <= end_after({1'b0, count});
        early        <= 1'b0;
        early_result <= 64'd0;
    end else if (planted & accumulates & next + {27'd0, active} >= last & has(EARLY_DONE)) begin
        early        <= 1'b1;
        early_result <= merged_seen(1'b0);
    end
end

// Whether this write is a START alone, which leaves something as it is: CTRL clear never does.
function stays;
    input [7:0] wanted;
    stays = starts && !wb_dat_i[1] && has(wanted);
endfunction

function [32:0] end_after;
    input [32:0] sound;
    reg [6:0] s;
    begin
        end_after = sound;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            case (kind[s[5:0]])
                SHORT_COUNT: if (end_after != 33'd0) end_after = end_after - 33'd1;
                LONG_COUNT:  end_after = end_after + 33'd1;
                default:     ;
            endcase
    end
endfunction

// A bank as its faults let it be seen when the banks are merged.
function [63:0] seen;
    input [63:0] sound;
    input [31:0] which;
    reg [6:0] s;
    begin
        seen = sound;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            if (argument[s[5:0]] == which)
                case (kind[s[5:0]])
                    DEAD_BANK:  seen = 64'd0;
                    STUCK_BANK: seen = 64'hFFFF_FFFF_FFFF_FFFF;
                    default:    ;
                endcase
    end
endfunction

// The merged banks; at the end of a run with the bits inverted that are planted so.
function [63:0] merged_seen;
    input at_end;
    reg     [6:0] s;
    integer       which;
    begin
        merged_seen = 64'd0;
        for (which = 0; which < N_BANKS; which = which + 1)
            if (which < {24'd0, banks_there}) merged_seen = merged_seen ^ seen(bank[which], which);
        if (at_end & early) merged_seen = early_result;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            if (at_end && kind[s[5:0]] == FLIP_BIT) merged_seen = merged_seen ^ (64'd1 << argument[s[5:0]][5:0]);
    end
endfunction

// Whether this bank accumulates nothing.
function dead;
    input [31:0] which;
    reg [6:0] s;
    begin
        dead = 1'b0;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            if (kind[s[5:0]] == DEAD_BANK && argument[s[5:0]] == which) dead = 1'b1;
    end
endfunction

// Whether this clock is a last one that not all active lanes take part in, and is left out.
function dropped;
    input [32:0] first;
    dropped = first + {27'd0, active} > last && has(PARTIAL_CYCLE_DROPPED);
endfunction

// What becomes of an index on its way from a lane to a bank: {slots that touch it, operator, low half alone, how often,
// bank, index in its place}.
function [138:0] taken;
    input [32:0] index;
    input [5:0] from_lane;
    reg [ 6:0] s;
    reg [32:0] at;
    reg [63:0] touched;
    reg [ 1:0] by;
    reg        torn;
    reg [ 6:0] times;
    reg [31:0] to;
    reg [32:0] from;
    reg        here;
    begin
        touched = 64'd0;
        by      = 2'd0;
        torn    = 1'b0;
        times   = 7'd1;
        to      = {26'd0, from_lane};
        from    = index;
        for (s = 7'd0; s < plants; s = s + 7'd1) begin
            at   = {1'b0, argument[s[5:0]]};
            here = index == at;
            case (kind[s[5:0]])
                DROP:       if (here) times = 7'd0;
                DUPLICATE:  if (here) times = times + 7'd1;
                TORN:       if (here) torn = 1'b1;
                MISADDRESS: if (here) to = (to + 32'd1) % {24'd0, banks_there};
                SHORT_LANE: begin
                    here = at[31:0] == {26'd0, from_lane} && index > 33'd255;
                    if (here) times = 7'd0;
                end
                REORDER:
                if (here) begin
                    // The neighbour is there to exchange places with only if the run takes both.
                    here = index + 33'd1 < last;
                    if (here) from = index + 33'd1;
                end else begin
                    here = index == at + 33'd1;
                    if (here) from = index - 33'd1;
                end
                INDEX_WRAPS: begin
                    here = index >> at[4:0] != 33'd0;
                    if (here) from = index & ~(33'h1_FFFF_FFFF << at[4:0]);
                end
                SWAP_BANKS: begin
                    here = to == {24'd0, at[7:0]} || to == {24'd0, at[15:8]};
                    if (here) to = {24'd0, to == {24'd0, at[7:0]} ? at[15:8] : at[7:0]};
                end
                BANK_OPERATOR: begin
                    here = 1'b1;
                    by   = at[1:0];
                end
                default:    here = 1'b0;
            endcase
            touched[s[5:0]] = here;
        end
        taken = {touched, by, torn, times, to, from};
    end
endfunction

// The banks side by side, and what they become in this clock: lane after lane, since wrong operators do not commute.
wire [64*N_BANKS-1:0] banks;
genvar k;
generate
    for (k = 0; k < N_BANKS; k = k + 1) begin : side_by_side
        assign banks[64*k+:64] = bank[k];
    end
endgenerate

wire [64*N_BANKS-1:0] banks_after = planted ? after(banks, next, accumulates, finishes) : {64 * N_BANKS{1'b0}};

function [64*N_BANKS-1:0] after;
    input [64*N_BANKS-1:0] earlier;
    input [32:0] first;
    input taking;
    input ending;
    reg [  5:0] n;
    reg [  6:0] t;
    reg [ 31:0] which;
    reg [138:0] way;
    reg [ 63:0] arriving;
    begin
        after = earlier;
        if (taking && !dropped(first))
            for (n = 6'd0; n < active; n = n + 6'd1)
                if (first + {27'd0, n} < last) begin
                    way      = taken(first + {27'd0, n}, n);
                    arriving = delta(seed_in_use ^ {31'd0, way[32:0]});
                    if (way[72]) arriving[63:32] = 32'd0;
                    which = way[64:33];
                    if (dead(which) || which >= {24'd0, banks_there}) way[71:65] = 7'd0;
                    if (way[138:75] == 64'd0) begin
                        if (way[65]) after[64*which+:64] = after[64*which+:64] ^ arriving;
                    end else
                        for (t = 7'd0; t < way[71:65]; t = t + 7'd1)
                            after[64*which+:64] = combined(way[74:73], after[64*which+:64], arriving);
                end
        // What is seen of a bank at the end stays in it, so that a waveform shows which one it was.
        if (ending)
            for (which = 32'd0; which < {24'd0, banks_there}; which = which + 32'd1)
                after[64*which+:64] = seen(earlier[64*which+:64], which);
    end
endfunction

always @(posedge clk)
    if (planted & busy) reached <= reached_after(reached);
    else if (planted & begins) reached <= reached_by_access(starts ? reached_after(reached) : reached);

// How often each slot's fault was in use, this access to an idle engine included.
function [2047:0] reached_by_access;
    input [2047:0] earlier;
    reg [ 6:0] s;
    reg [ 5:0] at;
    reg        here;
    begin
        reached_by_access = earlier;
        for (s = 7'd0; s < plants; s = s + 7'd1) begin
            at = argument[s[5:0]][5:0];
            case (kind[s[5:0]])
                SELECTS_IGNORED:    here = wb_we_i && wb_sel_i != 4'hF && wb_adr_i[1:0] == 2'd0;
                ACTIVE_NOT_CLAMPED: here = takes_word && wb_adr_i == ACTIVE && beyond;
                COUNT_WRAPS:        here = takes_word && wb_adr_i == COUNT && wb_dat_i >> at[4:0] != 32'd0;
                STUCK_SEED_BIT:     here = starts || !wb_we_i && wb_adr_i == (at[5] ? SEED_HI : SEED_LO);
                SEED_NOT_RESET:
                here = (starts || !wb_we_i && wb_adr_i == SEED_LO) && !seed_low_written;
                default:            here = 1'b0;
            endcase
            reached_by_access[{s[5:0], 5'd0}+:32] = reached_by_access[{s[5:0], 5'd0}+:32] + {31'd0, here};
        end
    end
endfunction

// How often each slot's fault was in use, this clock included.
function [2047:0] reached_after;
    input [2047:0] earlier;
    reg [  5:0] n;
    reg [  6:0] s;
    reg [138:0] way;
    reg [ 31:0] at;
    reg [ 31:0] counted;
    reg         here;
    begin
        reached_after = earlier;
        for (s = 7'd0; s < plants; s = s + 7'd1) begin
            case (kind[s[5:0]])
                START_KEEPS_BANKS: here = stays(START_KEEPS_BANKS);
                DONE_STAYS:        here = done && stays(DONE_STAYS);
                default:           here = 1'b0;
            endcase
            reached_after[{s[5:0], 5'd0}+:32] = reached_after[{s[5:0], 5'd0}+:32] + {31'd0, here};
        end
        counted       = cycles + 32'd1;
        if (accumulates || finishes && has(EXTRA_CYCLE))
            for (s = 7'd0; s < plants; s = s + 7'd1)
                if (kind[s[5:0]] == CYCLES_WRAP && counted >> argument[s[5:0]][4:0] != 32'd0) begin
                    counted = counted & ~(32'hFFFF_FFFF << argument[s[5:0]][4:0]);
                    reached_after[{s[5:0], 5'd0}+:32] = reached_after[{s[5:0], 5'd0}+:32] + 32'd1;
                end
        if (accumulates && !dropped(next))
            for (n = 6'd0; n < active; n = n + 6'd1)
                if (next + {27'd0, n} < last) begin
                    way = taken(next + {27'd0, n}, n);
                    for (s = 7'd0; s < plants; s = s + 7'd1)
                        reached_after[{s[5:0], 5'd0}+:32] = reached_after[{s[5:0], 5'd0}+:32]
                            + {31'd0, way[8'd75+{1'b0, s}]};
                end
        if (finishes)
            for (s = 7'd0; s < plants; s = s + 7'd1) begin
                at = argument[s[5:0]];
                case (kind[s[5:0]])
                    DEAD_BANK:               here = at < {26'd0, active} && at < count;
                    STUCK_BANK:              here = at < {24'd0, banks_there};
                    PARTIAL_CYCLE_DROPPED:   here = count % {26'd0, active} != 32'd0;
                    SHORT_COUNT, EARLY_DONE: here = count != 32'd0;
                    LONG_COUNT, EXTRA_CYCLE, FLIP_BIT: here = 1'b1;
                    default:                 here = 1'b0;
                endcase
                reached_after[{s[5:0], 5'd0}+:32] = reached_after[{s[5:0], 5'd0}+:32] + {31'd0, here};
            end
    end
endfunction
/* verilator tracing_on */
