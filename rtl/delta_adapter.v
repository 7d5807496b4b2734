// The adapter: one accumulator, 256 contexts, one command at a time.
//
// A Wishbone slave of 32-bit words at byte offsets. Its registers, and what it does where the device's documents leave
// that open, are tabled in src/device/model/mod.rs; this file keeps to that table clock for clock.
//
// A command takes three clocks: the selected context is fetched from its memory, the command is carried out, and its
// response is shown. With ABENCH_PLANTS defined, faults can be planted in it while it is simulated.

module delta_adapter (
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
`ifdef ABENCH_PLANTS
    ,
    input  wire        plant_we,
    input  wire [ 5:0] plant_slot,
    input  wire [ 7:0] plant_kind,
    input  wire [31:0] plant_argument,
    output wire [31:0] plant_reached
`endif
);
    // What the STATUS command answers, before bit 0: version 2, one bank.
    localparam [31:0] IDENTITY = 32'h0002_0100;

    localparam [11:0] CMD = 12'h00;
    localparam [11:0] RS1 = 12'h04;
    localparam [11:0] RS2 = 12'h08;
    localparam [11:0] RD = 12'h0C;
    localparam [11:0] STATUS = 12'h10;

    localparam [2:0] DO_LOAD = 3'd0;
    localparam [2:0] DO_ACCUM = 3'd1;
    localparam [2:0] DO_READ = 3'd2;
    localparam [2:0] DO_SWAP = 3'd3;
    localparam [2:0] DO_LOAD_HI = 3'd4;
    localparam [2:0] DO_ACCUM_HI = 3'd5;
    localparam [2:0] DO_READ_HI = 3'd6;
    localparam [2:0] DO_STATUS = 3'd7;

    localparam [1:0] IDLE = 2'd0;
    localparam [1:0] FETCH = 2'd1;
    localparam [1:0] EXECUTE = 2'd2;
    localparam [1:0] RESPOND = 2'd3;

    reg [ 1:0] stage  /* verilator public_flat_rd */;
    reg [ 2:0] code  /* verilator public_flat_rd */;
    reg [31:0] rs1  /* verilator public_flat_rd */;
    reg [31:0] rs2  /* verilator public_flat_rd */;
    reg [31:0] response  /* verilator public_flat_rd */;
    reg [31:0] rd  /* verilator public_flat_rd */;
    reg        response_ok  /* verilator public_flat_rd */;
    reg [31:0] load_low  /* verilator public_flat_rd */;
    reg [31:0] delta_low  /* verilator public_flat_rd */;

    reg [ 7:0] selected  /* verilator public_flat_rd */;
    reg [63:0] accumulator  /* verilator public_flat_rd */;

    // The contexts' references. A reset makes all of them 0 at once: it forgets which were written.
    reg [63:0] references[0:255]  /* verilator public_flat_rd */;
    reg [255:0] written  /* verilator public_flat_rd */;
    reg [63:0] fetched;
    reg        fetched_written;

    wire [63:0] state = (fetched_written ? fetched : 64'd0) ^ accumulator;

    // An access is looked at in its first clock and acknowledged in its second. A busy adapter takes no word.
    wire begins = wb_cyc_i & wb_stb_i & ~wb_ack_o;
    wire whole;
    wire takes_word = begins & wb_we_i & whole & (stage == IDLE);
    wire busy = stage != IDLE;
    wire executes = stage == EXECUTE;

    wire [63:0] delta = {rs1, delta_low};

    // What a command does to the contexts and the accumulator.
    wire        stores = executes & (code == DO_LOAD_HI || code == DO_SWAP);
    wire [63:0] stored = code == DO_SWAP ? state : {rs2, load_low};
    wire [ 7:0] stored_at;
    wire [ 7:0] addressed = code == DO_SWAP ? rs1[7:0] : selected;
    wire        clears;
    wire [63:0] accumulated;
    wire [63:0] shown;
    wire [31:0] load_response;
    wire        is_zero;
`ifdef ABENCH_PLANTS
`include "delta_adapter_plants.vh"
`else
    assign stored_at     = addressed;
    assign clears        = 1'b1;
    assign accumulated   = accumulator ^ delta;
    assign shown         = state;
    assign whole         = wb_sel_i == 4'hF;
    assign load_response = state[31:0];
    assign is_zero       = accumulator == 64'd0;
`endif

    always @(posedge clk) begin
        if (stage == FETCH) fetched <= references[selected];
        if (stores) references[stored_at] <= stored;
    end

    always @(posedge clk) begin
        if (rst) begin
            stage           <= IDLE;
            code            <= 3'd0;
            rs1             <= 32'd0;
            rs2             <= 32'd0;
            response        <= 32'd0;
            rd              <= 32'd0;
            response_ok     <= 1'b0;
            load_low        <= 32'd0;
            delta_low       <= 32'd0;
            selected        <= 8'd0;
            accumulator     <= 64'd0;
            written         <= 256'd0;
            fetched_written <= 1'b0;
        end else
            case (stage)
                IDLE:
                if (takes_word)
                    case (wb_adr_i)
                        CMD: begin
                            code        <= wb_dat_i[2:0];
                            response_ok <= 1'b0;
                            stage       <= FETCH;
                        end
                        RS1:     rs1 <= wb_dat_i;
                        RS2:     rs2 <= wb_dat_i;
                        default: ;
                    endcase
                FETCH: begin
                    fetched_written <= written[selected];
                    stage           <= EXECUTE;
                end
                EXECUTE: begin
                    if (stores) begin
                        written[stored_at] <= 1'b1;
                        if (clears) accumulator <= 64'd0;
                    end
                    case (code)
                        DO_LOAD: begin
                            selected <= rs1[7:0];
                            load_low <= rs2;
                            response <= load_response;
                        end
                        DO_LOAD_HI: response <= state[63:32];
                        DO_ACCUM: begin
                            delta_low <= rs1;
                            response  <= state[31:0];
                        end
                        DO_ACCUM_HI: begin
                            accumulator <= accumulated;
                            response    <= state[63:32];
                        end
                        DO_READ:    response <= shown[31:0];
                        DO_READ_HI: response <= shown[63:32];
                        DO_SWAP: begin
                            selected <= rs1[7:0];
                            response <= state[31:0];
                        end
                        DO_STATUS:  response <= IDENTITY | {31'd0, is_zero};
                    endcase
                    stage <= RESPOND;
                end
                default: begin
                    rd          <= response;
                    response_ok <= 1'b1;
                    stage       <= IDLE;
                end
            endcase
    end

    always @(posedge clk) begin
        wb_ack_o <= begins & ~rst;
        wb_dat_o <= 32'd0;
        if (begins & ~wb_we_i)
            case (wb_adr_i)
                CMD:     wb_dat_o <= {29'd0, code};
                RS1:     wb_dat_o <= rs1;
                RS2:     wb_dat_o <= rs2;
                RD:      wb_dat_o <= rd;
                STATUS:  wb_dat_o <= {30'd0, response_ok, busy};
                default: wb_dat_o <= 32'd0;
            endcase
    end
endmodule
