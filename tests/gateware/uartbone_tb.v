// Feeds bytes to LiteX's UARTBone and tells what it does on its bus and what it answers. Every register reads as its byte
// address XOR 0xA5A50000.
//
// +stimulus=FILE: a line for each byte: the clock cycles before it, and the byte, hexadecimal.
`timescale 1ns / 1ns
module uartbone_tb;
    reg clk = 0;
    always #5 clk = !clk;

    reg rst = 1;
    reg valid = 0;
    reg [7:0] data = 0;
    wire ready, answer_valid, cyc, stb, we;
    wire [7:0] answer;
    wire [29:0] adr;
    wire [31:0] dat_w;
    reg ack = 0;

    uartbone bridge (
        .sys_clk(clk), .sys_rst(rst),
        .valid(valid), .payload_data(data), .ready(ready), .first(1'b0), .last(1'b0),
        .valid_1(answer_valid), .payload_data_1(answer), .ready_1(1'b1), .first_1(1'b0), .last_1(),
        .wishbone_ack(ack), .wishbone_adr(adr), .wishbone_cyc(cyc), .wishbone_stb(stb), .wishbone_we(we),
        .wishbone_dat_w(dat_w), .wishbone_dat_r({adr, 2'b00} ^ 32'hA5A50000), .wishbone_err(1'b0),
        .wishbone_bte(2'b00), .wishbone_cti(3'b000), .wishbone_sel()
    );

    // A slave that acknowledges in the clock after it was asked.
    always @(posedge clk) begin
        ack <= cyc && stb && !ack;
        if (cyc && stb && we && ack) $display("write %08x %08x", {adr, 2'b00}, dat_w);
        if (answer_valid) $display("answer %02x", answer);
    end

    reg [8*256-1:0] path;
    integer file, gap, byte_in, fields;
    initial begin
        if (!$value$plusargs("stimulus=%s", path)) $finish;
        file = $fopen(path, "r");
        repeat (4) @(negedge clk);
        rst = 0;
        fields = $fscanf(file, "%d %h", gap, byte_in);
        while (fields == 2) begin
            repeat (gap) @(negedge clk);
            valid = 1;
            data = byte_in;
            // Taken at the next rising edge at which it is ready.
            while (!ready) @(negedge clk);
            @(negedge clk);
            valid = 0;
            fields = $fscanf(file, "%d %h", gap, byte_in);
        end
        // Longer than any answer and than the time of a command.
        repeat (30000) @(negedge clk);
        $display("end");
        $finish;
    end
endmodule
