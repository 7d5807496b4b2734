// Slots for the faults that are planted while simulating, in the order in which they are planted: included by each
// module that has some. A slot holds a kind and what the kind needs to know, and counts how often the fault was in use.

/* verilator tracing_off */
reg  [   6:0] plants;  // slots in use
reg  [   7:0] kind    [0:63];
reg  [  31:0] argument[0:63];
reg  [2047:0] reached;  // 32 bits for each slot
integer       slot;

initial begin
    plants  = 7'd0;
    reached = 2048'd0;
    for (slot = 0; slot < 64; slot = slot + 1) begin
        kind[slot]     = 8'd0;
        argument[slot] = 32'd0;
    end
end

wire planted = plants != 7'd0;

assign plant_reached = reached[{plant_slot, 5'd0}+:32];

always @(posedge clk)
    if (plant_we) begin
        plants               <= {1'b0, plant_slot} + 7'd1;
        kind[plant_slot]     <= plant_kind;
        argument[plant_slot] <= plant_argument;
    end

// Whether a fault of this kind is planted.
function has;
    input [7:0] wanted;
    reg [6:0] s;
    begin
        has = 1'b0;
        for (s = 7'd0; s < plants; s = s + 7'd1) if (kind[s[5:0]] == wanted) has = 1'b1;
    end
endfunction

// An accumulator after a delta, by a wrong operator or, where it is 0, by XOR.
function [63:0] combined;
    input [1:0] by;
    input [63:0] held;
    input [63:0] arriving;
    case (by)
        2'd1:    combined = held | arriving;
        2'd2:    combined = held + arriving;
        2'd3:    combined = arriving;
        default: combined = held ^ arriving;
    endcase
endfunction
/* verilator tracing_on */
