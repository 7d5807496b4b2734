// The device as the SoC sees it: both slaves at their bases on one Wishbone bus of 32-bit words at byte addresses.
//
// What answers at no register gives 0 and takes nothing, but is acknowledged like everything else, so that no access
// hangs the bus.

module abench_top #(
    parameter N_BANKS = 8  // banks of the bench engine, 1 to 32
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        wb_cyc_i,
    input  wire        wb_stb_i,
    input  wire        wb_we_i,
    input  wire [ 3:0] wb_sel_i,
    input  wire [31:0] wb_adr_i,
    input  wire [31:0] wb_dat_i,
    output wire [31:0] wb_dat_o,
    output wire        wb_ack_o
`ifdef ABENCH_SIMULATION
    ,
    input  wire [ 5:0] banks_fitted  // banks in use, N_BANKS or fewer
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
    localparam [19:0] ADAPTER = 20'hF0020;
    localparam [19:0] ENGINE = 20'hF0021;

    wire        to_adapter = wb_adr_i[31:12] == ADAPTER;
    wire        to_engine = wb_adr_i[31:12] == ENGINE;

    wire [31:0] adapter_dat;
    wire [31:0] engine_dat;
    wire        adapter_ack;
    wire        engine_ack;
    reg         nobody_ack;

    // A slave that is not asked gives 0.
    assign wb_dat_o = adapter_dat | engine_dat;
    assign wb_ack_o = adapter_ack | engine_ack | nobody_ack;

    always @(posedge clk) nobody_ack <= wb_cyc_i & wb_stb_i & ~to_adapter & ~to_engine & ~nobody_ack & ~rst;

`ifdef ABENCH_PLANTS
    wire [31:0] adapter_reached;
    wire [31:0] engine_reached;
    // A fault is in one of the two, and the other never counts it.
    assign plant_reached = adapter_reached | engine_reached;
`endif

    delta_adapter adapter (
        .clk     (clk),
        .rst     (rst),
        .wb_cyc_i(wb_cyc_i),
        .wb_stb_i(wb_stb_i & to_adapter),
        .wb_we_i (wb_we_i),
        .wb_sel_i(wb_sel_i),
        .wb_adr_i(wb_adr_i[11:0]),
        .wb_dat_i(wb_dat_i),
        .wb_dat_o(adapter_dat),
        .wb_ack_o(adapter_ack)
`ifdef ABENCH_PLANTS
        ,
        .plant_we      (plant_we),
        .plant_slot    (plant_slot),
        .plant_kind    (plant_kind),
        .plant_argument(plant_argument),
        .plant_reached (adapter_reached)
`endif
    );

    bench_engine #(
        .N_BANKS(N_BANKS)
    ) engine (
        .clk     (clk),
        .rst     (rst),
        .wb_cyc_i(wb_cyc_i),
        .wb_stb_i(wb_stb_i & to_engine),
        .wb_we_i (wb_we_i),
        .wb_sel_i(wb_sel_i),
        .wb_adr_i(wb_adr_i[11:0]),
        .wb_dat_i(wb_dat_i),
        .wb_dat_o(engine_dat),
        .wb_ack_o(engine_ack)
`ifdef ABENCH_SIMULATION
        ,
        .banks_fitted(banks_fitted)
`endif
`ifdef ABENCH_PLANTS
        ,
        .plant_we      (plant_we),
        .plant_slot    (plant_slot),
        .plant_kind    (plant_kind),
        .plant_argument(plant_argument),
        .plant_reached (engine_reached)
`endif
    );
endmodule
