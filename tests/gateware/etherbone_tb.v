// Feeds datagrams to LiteEth's Etherbone and tells what it does on its bus and what it answers. Every register reads as its
// byte address XOR 0xA5A50000.
//
// +stimulus=FILE: for each datagram its number of 32-bit words, and the words, hexadecimal, with the first byte highest.
// A datagram that is not taken within 2000 clocks is given up, and what is left of it; a stall is told.
`timescale 1ns / 1ns
module etherbone_tb;
    localparam PATIENCE = 2000;

    reg clk = 0;
    always #5 clk = !clk;

    reg rst = 1;
    reg valid = 0, last = 0;
    reg [31:0] data = 0;
    reg [15:0] length = 0;
    wire ready, out_valid, out_last, cyc, stb, we;
    wire [15:0] out_port;
    wire [31:0] out_data;
    wire [29:0] adr;
    wire [31:0] dat_w;
    reg ack = 0;

    etherbone bridge (
        .sys_clk(clk), .sys_rst(rst),
        .source_valid(valid), .source_last(last), .source_first(1'b0), .source_ready(ready),
        .source_payload_data({data[7:0], data[15:8], data[23:16], data[31:24]}),
        .source_payload_last_be(last ? 4'b1000 : 4'b0000), .source_payload_error(4'b0000),
        .source_param_src_port(16'd40000), .source_param_dst_port(16'd1234),
        .source_param_ip_address(32'h0A000002), .source_param_length(length),
        .sink_valid(out_valid), .sink_last(out_last), .sink_first(), .sink_ready(1'b1),
        .sink_payload_data(out_data), .sink_payload_last_be(), .sink_payload_error(),
        .sink_param_src_port(), .sink_param_dst_port(out_port), .sink_param_ip_address(), .sink_param_length(),
        .bus_ack(ack), .bus_adr(adr), .bus_cyc(cyc), .bus_stb(stb), .bus_we(we), .bus_dat_w(dat_w),
        .bus_dat_r({adr, 2'b00} ^ 32'hA5A50000), .bus_err(1'b0), .bus_bte(2'b00), .bus_cti(3'b000), .bus_sel()
    );

    integer out_words = 0;
    always @(posedge clk) begin
        ack <= cyc && stb && !ack;
        if (cyc && stb && we && ack) $display("write %08x %08x", {adr, 2'b00}, dat_w);
        if (out_valid) begin
            out_words <= out_words + 1;
            if (out_words < 2000)
                $display("%s %08x port %0d", out_last ? "last" : "answer",
                         {out_data[7:0], out_data[15:8], out_data[23:16], out_data[31:24]}, out_port);
            if (out_words == 2000) $display("endless");
        end
    end

    reg [8*256-1:0] path;
    integer file, word, words, place, waited, fields;
    initial begin
        if (!$value$plusargs("stimulus=%s", path)) $finish;
        file = $fopen(path, "r");
        repeat (4) @(negedge clk);
        rst = 0;
        fields = $fscanf(file, "%d", words);
        while (fields == 1) begin
            $display("datagram");
            waited = 0;
            for (place = 0; place < words; place = place + 1) begin
                fields = $fscanf(file, "%h", word);
                data = word;
                valid = 1;
                length = 4 * words;
                last = place == words - 1;
                while (!ready && waited < PATIENCE) begin
                    waited = waited + 1;
                    @(negedge clk);
                end
                if (waited < PATIENCE) @(negedge clk);
            end
            valid = 0;
            if (waited == PATIENCE) $display("stall");
            repeat (6000) @(negedge clk);
            fields = $fscanf(file, "%d", words);
        end
        $display("end");
        $finish;
    end
endmodule
