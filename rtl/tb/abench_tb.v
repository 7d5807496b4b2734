// Self-checking testbench: every run and every command that was observed in simulation of the reference RTL, through the
// Wishbone bus, and what the device's documents leave open as src/device/model/mod.rs decides it.
//
// Reads engine.csv and adapter.csv of the folder that +vectors=FOLDER names. Its last line begins with PASS or FAIL. With
// ABENCH_PLANTS defined, +plant=KIND and +argument=N plant a fault, which it has to find.

`timescale 1ns / 1ns

module abench_tb;
    localparam [31:0] ADAPTER = 32'hF002_0000;
    localparam [31:0] ENGINE = 32'hF002_1000;

    reg             clk = 1'b0;
    reg             rst = 1'b1;
    reg             asks = 1'b0;
    // What an access drives: a cycle without a strobe, or the reverse, is none.
    reg             cycle = 1'b1;
    reg             strobe = 1'b1;
    reg             writes = 1'b0;
    reg      [ 3:0] bytes = 4'hF;
    reg      [31:0] address = 32'd0;
    reg      [31:0] word = 32'd0;
    wire     [31:0] answer;
    wire            ack;

    reg             plants = 1'b0;
    reg      [ 7:0] kind = 8'd0;
    reg      [31:0] argument = 32'd0;

    integer         failures = 0;
    integer         runs = 0;
    integer         commands = 0;

    always #5 clk = ~clk;

    abench_top #(
        .N_BANKS(8)
    ) device (
        .clk     (clk),
        .rst     (rst),
        .wb_cyc_i(asks & cycle),
        .wb_stb_i(asks & strobe),
        .wb_we_i (writes),
        .wb_sel_i(bytes),
        .wb_adr_i(address),
        .wb_dat_i(word),
        .wb_dat_o(answer),
        .wb_ack_o(ack)
`ifdef ABENCH_PLANTS
        ,
        .plant_we      (plants),
        .plant_slot    (6'd0),
        .plant_kind    (kind),
        .plant_argument(argument),
        .plant_reached ()
`endif
    );

    // One access of two clocks, begun and ended at falling edges: acknowledged in the second, and only there.
    task access;
        input [31:0] at;
        begin
            address = at;
            asks    = 1'b1;
            @(negedge clk);
            if (ack !== 1'b1) fail("no acknowledgement in the second clock of an access at", at, {31'd0, ack}, 32'd1);
            last_answer = answer;
            @(negedge clk);
            if (ack !== 1'b0) fail("an acknowledgement after an access at", at, {31'd0, ack}, 32'd0);
            asks = 1'b0;
        end
    endtask

    reg [31:0] last_answer;

    task write;
        input [31:0] at;
        input [31:0] what;
        begin
            writes = 1'b1;
            word   = what;
            access(at);
            writes = 1'b0;
        end
    endtask

    task expect_word;
        input [31:0] at;
        input [31:0] right;
        begin
            access(at);
            if (last_answer !== right) fail("a wrong word at", at, last_answer, right);
        end
    endtask

    task fail;
        input [8*64-1:0] what;
        input [31:0] at;
        input [31:0] got;
        input [31:0] right;
        begin
            failures = failures + 1;
            if (failures <= 10) $display("%0t ns: %0s %h: got %h, expected %h", $time, what, at, got, right);
        end
    endtask

    // Clocks until the part whose status is at this address is idle, by looks of two clocks each, within a bound.
    task await_idle;
        input [31:0] status;
        input [31:0] most;
        reg [31:0] waited;
        begin
            waited = 32'd0;
            access(status);
            while (last_answer[0] && waited <= most) begin
                waited = waited + 32'd2;
                access(status);
            end
            if (last_answer[0]) fail("still busy by the status at", status, waited, most);
        end
    endtask

    task registers_after_reset;
        begin
            expect_word(ENGINE + 32'h00, 32'd0);
            expect_word(ENGINE + 32'h04, 32'd0);
            expect_word(ENGINE + 32'h08, 32'd1);
            expect_word(ENGINE + 32'h0C, 32'd1);
            expect_word(ENGINE + 32'h10, 32'd0);
            expect_word(ENGINE + 32'h14, 32'd0);
            expect_word(ENGINE + 32'h18, 32'd0);
            expect_word(ENGINE + 32'h1C, 32'd0);
            expect_word(ENGINE + 32'h20, 32'h0208_0000);
            expect_word(ADAPTER + 32'h0C, 32'd0);
            expect_word(ADAPTER + 32'h10, 32'd0);
        end
    endtask

    task decisions;
        begin
            // Unmapped, misaligned and read-only addresses, and writes of single bytes.
            write(32'h0000_0000, 32'hFFFF_FFFF);
            write(32'hF002_2000, 32'hFFFF_FFFF);
            write(ENGINE + 32'h05, 32'hFFFF_FFFF);
            write(ENGINE + 32'h14, 32'hFFFF_FFFF);
            write(ENGINE + 32'h24, 32'hFFFF_FFFF);
            write(ADAPTER + 32'h0C, 32'hFFFF_FFFF);
            expect_word(32'h0000_0000, 32'd0);
            expect_word(32'hF002_2000, 32'd0);
            expect_word(ENGINE + 32'h05, 32'd0);
            bytes = 4'h1;
            write(ENGINE + 32'h04, 32'hFFFF_FFFF);
            bytes = 4'hF;
            registers_after_reset;
            // A busy engine takes nothing and counts on: 100 deltas in 4 lanes are 25 clocks.
            write(ENGINE + 32'h04, 32'd100);
            write(ENGINE + 32'h08, 32'd4);
            write(ENGINE + 32'h00, 32'd1);
            write(ENGINE + 32'h04, 32'd7);
            write(ENGINE + 32'h00, 32'd2);
            expect_word(ENGINE + 32'h14, 32'd5);
            expect_word(ENGINE + 32'h18, 32'd0);
            expect_word(ENGINE + 32'h00, 32'd1);
            await_idle(ENGINE + 32'h20, 32'd40);
            expect_word(ENGINE + 32'h04, 32'd100);
            expect_word(ENGINE + 32'h14, 32'd25);
            expect_word(ENGINE + 32'h00, 32'd2);
            write(ENGINE + 32'h00, 32'd2);
            expect_word(ENGINE + 32'h14, 32'd0);
            expect_word(ENGINE + 32'h20, 32'h0208_0000);
            // A busy adapter takes nothing; its response comes when busy falls, and is not there before.
            write(ADAPTER + 32'h00, 32'd7);
            write(ADAPTER + 32'h04, 32'd9);
            expect_word(ADAPTER + 32'h10, 32'd2);
            expect_word(ADAPTER + 32'h0C, 32'h0002_0101);
            expect_word(ADAPTER + 32'h04, 32'd0);
            write(ADAPTER + 32'h00, 32'd2);
            expect_word(ADAPTER + 32'h0C, 32'h0002_0101);
            expect_word(ADAPTER + 32'h10, 32'd2);
            expect_word(ADAPTER + 32'h0C, 32'd0);
            reset;
        end
    endtask

    // Delta i of a run, and the XOR of the first so many.
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

    function [63:0] fold;
        input [63:0] seed;
        input [31:0] count;
        reg [31:0] index;
        begin
            fold = 64'd0;
            for (index = 32'd0; index < count; index = index + 32'd1) fold = fold ^ delta(seed ^ {32'd0, index});
        end
    endfunction

    localparam [63:0] SEED = 64'h0123_4567_89AB_CDEF;

    // A word of its own in every register, and nothing going on.
    task fill_registers;
        begin
            write(ENGINE + 32'h04, 32'd5);
            write(ENGINE + 32'h08, 32'd3);
            write(ENGINE + 32'h0C, SEED[31:0]);
            write(ENGINE + 32'h10, SEED[63:32]);
            write(ENGINE + 32'h00, 32'd1);
            await_idle(ENGINE + 32'h20, 32'd8);
            write(ENGINE + 32'h04, 32'hC0FF_EE11);
            write(ADAPTER + 32'h04, 32'h1357_9BDF);
            write(ADAPTER + 32'h08, 32'h2468_ACE0);
            write(ADAPTER + 32'h00, 32'd7);
            await_idle(ADAPTER + 32'h10, 32'd4);
        end
    endtask

    reg [63:0] folded;

    task filled_registers;
        begin
            folded = fold(SEED, 32'd5);
            expect_word(ENGINE + 32'h00, 32'd2);
            expect_word(ENGINE + 32'h04, 32'hC0FF_EE11);
            expect_word(ENGINE + 32'h08, 32'd3);
            expect_word(ENGINE + 32'h0C, SEED[31:0]);
            expect_word(ENGINE + 32'h10, SEED[63:32]);
            expect_word(ENGINE + 32'h14, 32'd2);
            expect_word(ENGINE + 32'h18, folded[31:0]);
            expect_word(ENGINE + 32'h1C, folded[63:32]);
            expect_word(ENGINE + 32'h20, 32'h0208_0002);
            expect_word(ADAPTER + 32'h00, 32'd7);
            expect_word(ADAPTER + 32'h04, 32'h1357_9BDF);
            expect_word(ADAPTER + 32'h08, 32'h2468_ACE0);
            expect_word(ADAPTER + 32'h0C, 32'h0002_0101);
            expect_word(ADAPTER + 32'h10, 32'd2);
        end
    endtask

    reg     [31:0] at;
    integer        few;
    integer        place;

    // Writes of fewer than four bytes are ignored, and reads of fewer give the whole word.
    task parts_of_words;
        begin
            fill_registers;
            for (few = 0; few < 15; few = few + 1) begin
                bytes = few[3:0];
                for (at = ENGINE; at <= ENGINE + 32'h20; at = at + 32'd4) write(at, 32'hFFFF_FFFF);
                for (at = ADAPTER; at <= ADAPTER + 32'h10; at = at + 32'd4) write(at, 32'hFFFF_FFFF);
                filled_registers;
                bytes = 4'hF;
            end
            reset;
        end
    endtask

    function is_register;
        input [31:0] where;
        is_register = where[1:0] == 2'd0 && ((where[31:12] == ENGINE[31:12] && where[11:0] <= 12'h20)
                                             || (where[31:12] == ADAPTER[31:12] && where[11:0] <= 12'h10));
    endfunction

    // One bit of its address away from a register there is another one, or nothing.
    task beside;
        input [31:0] where;
        begin
            for (place = 0; place < 32; place = place + 1)
                if (!is_register(where ^ (32'd1 << place))) begin
                    write(where ^ (32'd1 << place), 32'hFFFF_FFFF);
                    expect_word(where ^ (32'd1 << place), 32'd0);
                end
        end
    endtask

    // Neither CYC alone nor STB alone is an access, wherever.
    task half_accesses;
        begin
            fill_registers;
            for (place = 0; place < 2; place = place + 1) begin
                cycle  = place == 0;
                strobe = place == 1;
                for (few = 0; few < 3; few = few + 1) begin
                    address = few == 0 ? ENGINE + 32'h04 : few == 1 ? ADAPTER + 32'h04 : 32'd0;
                    word    = 32'hFFFF_FFFF;
                    writes  = 1'b1;
                    asks    = 1'b1;
                    repeat (4) begin
                        @(negedge clk);
                        if (ack !== 1'b0) fail("an acknowledgement of half an access at", address, {31'd0, ack}, 32'd0);
                    end
                    asks   = 1'b0;
                    writes = 1'b0;
                    @(negedge clk);
                end
                cycle  = 1'b1;
                strobe = 1'b1;
                filled_registers;
            end
            reset;
        end
    endtask

    task aliases;
        begin
            fill_registers;
            for (at = ENGINE; at <= ENGINE + 32'h20; at = at + 32'd4) beside(at);
            for (at = ADAPTER; at <= ADAPTER + 32'h10; at = at + 32'd4) beside(at);
            filled_registers;
            reset;
        end
    endtask

    // The end of the longest run, which nobody waits for: the index is put there while the run goes on. Lane 0 has the last
    // index, and those of lanes 2 to 6 have 33 bits: five of them, since the deltas of four would cancel each other.
    task last_indices;
        reg [31:0] clocks;
        begin
            write(ENGINE + 32'h04, 32'hFFFF_FFFF);
            write(ENGINE + 32'h08, 32'd7);
            write(ENGINE + 32'h0C, SEED[31:0]);
            write(ENGINE + 32'h10, SEED[63:32]);
            write(ENGINE + 32'h00, 32'd1);
            clocks             = device.engine.cycles;
            folded             = fold(SEED, 32'd7 * clocks);
            device.engine.next = 33'h0_FFFF_FFFE;
            await_idle(ENGINE + 32'h20, 32'd8);
            folded = folded ^ delta(SEED ^ 64'hFFFF_FFFE);
            expect_word(ENGINE + 32'h14, clocks + 32'd1);
            expect_word(ENGINE + 32'h18, folded[31:0]);
            expect_word(ENGINE + 32'h1C, folded[63:32]);
            reset;
        end
    endtask

    task reset;
        begin
            rst = 1'b1;
            @(negedge clk);
            rst = 1'b0;
        end
    endtask

    reg     [8*1024-1:0] folder;
    reg     [8*256-1:0] line;
    integer             file;
    integer             length;

    // Comments and the heading are lines with fewer fields than a row.
    task engine_runs;
        reg [31:0] count;
        reg [31:0] active;
        reg [63:0] seed;
        reg [31:0] cycles;
        reg [63:0] result;
        reg [31:0] readback;
        reg [31:0] status;
        begin
            $swrite(line, "%0s/engine.csv", folder);
            file = $fopen(line, "r");
            if (file == 0) fail("cannot open engine.csv", 32'd0, 32'd0, 32'd0);
            else begin
                length = $fgets(line, file);
                while (length > 0) begin
                    if ($sscanf(line, "%d,%d,0x%h,%d,0x%h,%d,0x%h", count, active, seed, cycles, result, readback,
                                status) == 7) begin
                        runs = runs + 1;
                        write(ENGINE + 32'h04, count);
                        write(ENGINE + 32'h08, active);
                        write(ENGINE + 32'h0C, seed[31:0]);
                        write(ENGINE + 32'h10, seed[63:32]);
                        write(ENGINE + 32'h00, 32'd1);
                        await_idle(ENGINE + 32'h20, count + 32'd4);
                        expect_word(ENGINE + 32'h14, cycles);
                        expect_word(ENGINE + 32'h18, result[31:0]);
                        expect_word(ENGINE + 32'h1C, result[63:32]);
                        expect_word(ENGINE + 32'h04, count);
                        expect_word(ENGINE + 32'h08, readback);
                        expect_word(ENGINE + 32'h0C, seed[31:0]);
                        expect_word(ENGINE + 32'h10, seed[63:32]);
                        expect_word(ENGINE + 32'h20, status);
                    end
                    length = $fgets(line, file);
                end
                $fclose(file);
            end
        end
    endtask

    task adapter_commands;
        reg [31:0] code;
        reg [31:0] rs1;
        reg [31:0] rs2;
        reg [31:0] rd;
        begin
            $swrite(line, "%0s/adapter.csv", folder);
            file = $fopen(line, "r");
            if (file == 0) fail("cannot open adapter.csv", 32'd0, 32'd0, 32'd0);
            else begin
                length = $fgets(line, file);
                while (length > 0) begin
                    if ($sscanf(line, "%d,0x%h,0x%h,0x%h", code, rs1, rs2, rd) == 4) begin
                        commands = commands + 1;
                        write(ADAPTER + 32'h04, rs1);
                        write(ADAPTER + 32'h08, rs2);
                        write(ADAPTER + 32'h00, code);
                        await_idle(ADAPTER + 32'h10, 32'd4);
                        expect_word(ADAPTER + 32'h10, 32'd2);
                        expect_word(ADAPTER + 32'h0C, rd);
                    end
                    length = $fgets(line, file);
                end
                $fclose(file);
            end
        end
    endtask

    initial begin
        if (!$value$plusargs("vectors=%s", folder)) folder = "tests/vectors";
        if ($value$plusargs("plant=%d", kind)) begin
            plants = 1'b1;
            if (!$value$plusargs("argument=%d", argument)) argument = 32'd0;
        end
        repeat (2) @(negedge clk);
        plants = 1'b0;
        rst    = 1'b0;
        registers_after_reset;
        decisions;
        parts_of_words;
        half_accesses;
        aliases;
        last_indices;
        engine_runs;
        adapter_commands;
        if (runs != 300) fail("not 300 engine runs but", 32'd0, runs, 32'd300);
        if (commands != 2000) fail("not 2000 adapter commands but", 32'd0, commands, 32'd2000);
        if (failures == 0) $display("PASS: %0d engine runs and %0d adapter commands as observed", runs, commands);
        else $display("FAIL: %0d words are wrong", failures);
        $finish;
    end
endmodule
