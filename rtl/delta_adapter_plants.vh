// Faults of the adapter, planted while simulating. They sit where they would in hardware: before the accumulator, at
// the address that a context is written by, at the response of a READ.

`include "plants.vh"

localparam [7:0] STALE_READ = 8'd17;
localparam [7:0] EARLY_READ = 8'd18;
localparam [7:0] LOST_HIGH_WORD = 8'd19;
localparam [7:0] ACCUM_DROP = 8'd20;
localparam [7:0] ACCUM_REPEAT = 8'd21;
localparam [7:0] ACCUM_OPERATOR = 8'd22;
localparam [7:0] LOAD_KEEPS_ACCUMULATOR = 8'd23;
localparam [7:0] LOAD_WRONG_CONTEXT = 8'd24;
localparam [7:0] SWAP_WRONG_CONTEXT = 8'd25;
localparam [7:0] PIPELINE_HAZARD = 8'd26;
localparam [7:0] SWAP_KEEPS_BIT_7 = 8'd29;
localparam [7:0] LOAD_WRONG_RESPONSE = 8'd30;
localparam [7:0] ZERO_BIT_LOW_HALF = 8'd31;
localparam [7:0] SELECTS_IGNORED = 8'd32;

/* verilator tracing_off */

// Deltas that came so far, and what the last of them changed.
reg [63:0] accums;
reg [63:0] last_change;

// The accumulator before the last command, if that was an ACCUM: what the next one starts from where its result is not
// forwarded.
reg [63:0] not_forwarded;
reg        follows;

// What is planted in use in this clock, computed as the command's operands are fetched.
reg [ 7:0] to;
reg        keeps;
reg [63:0] sum;

assign stored_at   = planted ? to : addressed;
assign clears      = ~keeps;
assign accumulated = planted ? sum : accumulator ^ delta;

reg stale;
reg early;
reg load_high;
reg low_half;

assign load_response = load_high ? state[63:32] : state[31:0];
assign is_zero       = accumulator[31:0] == 32'd0 && (low_half || accumulator[63:32] == 32'd0);

reg selects_ignored;
initial selects_ignored = 1'b0;
always @(posedge clk) if (plant_we && plant_kind == SELECTS_IGNORED) selects_ignored <= 1'b1;

assign whole = wb_sel_i == 4'hF || selects_ignored;
wire part_of_word = begins && wb_we_i && wb_sel_i != 4'hF && wb_adr_i[1:0] == 2'd0 && stage == IDLE;

wire [63:0] older = stale ? state ^ last_change : state;
assign shown = early ? {rd, rd} : older;

always @(posedge clk) begin
    if (rst) begin
        accums      <= 64'd0;
        last_change <= 64'd0;
        follows     <= 1'b0;
        to          <= 8'd0;
        keeps       <= 1'b0;
        sum         <= 64'd0;
        stale       <= 1'b0;
        early       <= 1'b0;
        load_high   <= 1'b0;
        low_half    <= 1'b0;
    end else if (planted && stage == FETCH) begin
        to    <= (addressed | {code == DO_SWAP && selected[7] && has(SWAP_KEEPS_BIT_7), 7'd0}) + {7'd0, has(code == DO_SWAP ? SWAP_WRONG_CONTEXT : LOAD_WRONG_CONTEXT)};
        keeps <= code == DO_LOAD_HI && has(LOAD_KEEPS_ACCUMULATOR);
        sum   <= planted_sum(follows && has(PIPELINE_HAZARD) ? not_forwarded : accumulator, delta, accums + 64'd1);
        stale <= has(STALE_READ);
        early <= has(EARLY_READ);
        load_high <= has(LOAD_WRONG_RESPONSE);
        low_half  <= has(ZERO_BIT_LOW_HALF);
    end else if (planted && part_of_word) begin
        reached <= reached_by_part(reached);
    end else if (executes) begin
        reached <= reached_after(reached, accums + 64'd1);
        if (code == DO_ACCUM_HI) begin
            accums      <= accums + 64'd1;
            last_change <= accumulator ^ accumulated;
            not_forwarded <= accumulator;
            follows       <= 1'b1;
        end else if (code != DO_ACCUM) follows <= 1'b0;
        if (stores & clears) last_change <= 64'd0;
    end
end

// Whether what is planted in this slot comes up with this ACCUM.
function comes_up;
    input [5:0] number;
    input [63:0] accum;
    comes_up = accum % {32'd0, argument[number]} == 64'd0;
endfunction

// The accumulator after this delta.
function [63:0] planted_sum;
    input [63:0] earlier;
    input [63:0] sound;
    input [63:0] accum;
    reg [ 6:0] s;
    reg [63:0] change_taken;
    reg [ 6:0] times;
    reg [ 1:0] operator;
    begin
        change_taken = sound;
        times        = 7'd1;
        operator     = 2'd0;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            case (kind[s[5:0]])
                LOST_HIGH_WORD: change_taken[63:32] = 32'd0;
                ACCUM_DROP:     if (comes_up(s[5:0], accum)) times = 7'd0;
                ACCUM_REPEAT:   if (comes_up(s[5:0], accum)) times = times + 7'd1;
                ACCUM_OPERATOR: operator = argument[s[5:0]][1:0];
                default:        ;
            endcase
        planted_sum = earlier;
        for (s = 7'd0; s < times; s = s + 7'd1) planted_sum = combined(operator, planted_sum, change_taken);
    end
endfunction

// The slots' counts after a write of less than a word.
function [2047:0] reached_by_part;
    input [2047:0] earlier;
    reg [6:0] s;
    begin
        reached_by_part = earlier;
        for (s = 7'd0; s < plants; s = s + 7'd1)
            if (kind[s[5:0]] == SELECTS_IGNORED)
                reached_by_part[{s[5:0], 5'd0}+:32] = reached_by_part[{s[5:0], 5'd0}+:32] + 32'd1;
    end
endfunction

// The slots' counts after this command.
function [2047:0] reached_after;
    input [2047:0] earlier;
    input [63:0] accum;
    reg [6:0] s;
    reg       in_use;
    begin
        reached_after = earlier;
        for (s = 7'd0; s < plants; s = s + 7'd1) begin
            case (kind[s[5:0]])
                STALE_READ, EARLY_READ:         in_use = code == DO_READ || code == DO_READ_HI;
                LOST_HIGH_WORD, ACCUM_OPERATOR: in_use = code == DO_ACCUM_HI;
                PIPELINE_HAZARD:                in_use = code == DO_ACCUM_HI && follows;
                ACCUM_DROP, ACCUM_REPEAT:       in_use = code == DO_ACCUM_HI && comes_up(s[5:0], accum);
                LOAD_KEEPS_ACCUMULATOR, LOAD_WRONG_CONTEXT: in_use = code == DO_LOAD_HI;
                SWAP_WRONG_CONTEXT:             in_use = code == DO_SWAP;
                SWAP_KEEPS_BIT_7:               in_use = code == DO_SWAP && selected[7];
                LOAD_WRONG_RESPONSE:            in_use = code == DO_LOAD;
                ZERO_BIT_LOW_HALF:              in_use = code == DO_STATUS;
                default:                        in_use = 1'b0;
            endcase
            if (in_use) reached_after[{s[5:0], 5'd0}+:32] = reached_after[{s[5:0], 5'd0}+:32] + 32'd1;
        end
    end
endfunction
/* verilator tracing_on */
