// Model of the ECP5 block RAM as Yosys uses it (Lattice FPGA-TN-02204): port A writes, port B reads, or both ports as one of
// 36 bits. Yosys has a black box alone. A word of 18 bits is two of 9, of which narrower words use 8.
module DP16KD #(
    parameter DATA_WIDTH_A = 18,
    parameter DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter [319:0] INITVAL_00 = 320'd0,
    parameter [319:0] INITVAL_01 = 320'd0,
    parameter [319:0] INITVAL_02 = 320'd0,
    parameter [319:0] INITVAL_03 = 320'd0,
    parameter [319:0] INITVAL_04 = 320'd0,
    parameter [319:0] INITVAL_05 = 320'd0,
    parameter [319:0] INITVAL_06 = 320'd0,
    parameter [319:0] INITVAL_07 = 320'd0,
    parameter [319:0] INITVAL_08 = 320'd0,
    parameter [319:0] INITVAL_09 = 320'd0,
    parameter [319:0] INITVAL_0A = 320'd0,
    parameter [319:0] INITVAL_0B = 320'd0,
    parameter [319:0] INITVAL_0C = 320'd0,
    parameter [319:0] INITVAL_0D = 320'd0,
    parameter [319:0] INITVAL_0E = 320'd0,
    parameter [319:0] INITVAL_0F = 320'd0,
    parameter [319:0] INITVAL_10 = 320'd0,
    parameter [319:0] INITVAL_11 = 320'd0,
    parameter [319:0] INITVAL_12 = 320'd0,
    parameter [319:0] INITVAL_13 = 320'd0,
    parameter [319:0] INITVAL_14 = 320'd0,
    parameter [319:0] INITVAL_15 = 320'd0,
    parameter [319:0] INITVAL_16 = 320'd0,
    parameter [319:0] INITVAL_17 = 320'd0,
    parameter [319:0] INITVAL_18 = 320'd0,
    parameter [319:0] INITVAL_19 = 320'd0,
    parameter [319:0] INITVAL_1A = 320'd0,
    parameter [319:0] INITVAL_1B = 320'd0,
    parameter [319:0] INITVAL_1C = 320'd0,
    parameter [319:0] INITVAL_1D = 320'd0,
    parameter [319:0] INITVAL_1E = 320'd0,
    parameter [319:0] INITVAL_1F = 320'd0,
    parameter [319:0] INITVAL_20 = 320'd0,
    parameter [319:0] INITVAL_21 = 320'd0,
    parameter [319:0] INITVAL_22 = 320'd0,
    parameter [319:0] INITVAL_23 = 320'd0,
    parameter [319:0] INITVAL_24 = 320'd0,
    parameter [319:0] INITVAL_25 = 320'd0,
    parameter [319:0] INITVAL_26 = 320'd0,
    parameter [319:0] INITVAL_27 = 320'd0,
    parameter [319:0] INITVAL_28 = 320'd0,
    parameter [319:0] INITVAL_29 = 320'd0,
    parameter [319:0] INITVAL_2A = 320'd0,
    parameter [319:0] INITVAL_2B = 320'd0,
    parameter [319:0] INITVAL_2C = 320'd0,
    parameter [319:0] INITVAL_2D = 320'd0,
    parameter [319:0] INITVAL_2E = 320'd0,
    parameter [319:0] INITVAL_2F = 320'd0,
    parameter [319:0] INITVAL_30 = 320'd0,
    parameter [319:0] INITVAL_31 = 320'd0,
    parameter [319:0] INITVAL_32 = 320'd0,
    parameter [319:0] INITVAL_33 = 320'd0,
    parameter [319:0] INITVAL_34 = 320'd0,
    parameter [319:0] INITVAL_35 = 320'd0,
    parameter [319:0] INITVAL_36 = 320'd0,
    parameter [319:0] INITVAL_37 = 320'd0,
    parameter [319:0] INITVAL_38 = 320'd0,
    parameter [319:0] INITVAL_39 = 320'd0,
    parameter [319:0] INITVAL_3A = 320'd0,
    parameter [319:0] INITVAL_3B = 320'd0,
    parameter [319:0] INITVAL_3C = 320'd0,
    parameter [319:0] INITVAL_3D = 320'd0,
    parameter [319:0] INITVAL_3E = 320'd0,
    parameter [319:0] INITVAL_3F = 320'd0,
    parameter GSR = "ENABLED"
) (
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
    input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
    input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
    input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
    output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
);
    reg [17:0] words[0:1023];
    task row(input [5:0] number, input [319:0] value);
        integer i;
        for (i = 0; i < 16; i = i + 1) words[{number, i[3:0]}] = value[20*i+:18];
    endtask
    initial begin
        row(6'd0, INITVAL_00);
        row(6'd1, INITVAL_01);
        row(6'd2, INITVAL_02);
        row(6'd3, INITVAL_03);
        row(6'd4, INITVAL_04);
        row(6'd5, INITVAL_05);
        row(6'd6, INITVAL_06);
        row(6'd7, INITVAL_07);
        row(6'd8, INITVAL_08);
        row(6'd9, INITVAL_09);
        row(6'd10, INITVAL_0A);
        row(6'd11, INITVAL_0B);
        row(6'd12, INITVAL_0C);
        row(6'd13, INITVAL_0D);
        row(6'd14, INITVAL_0E);
        row(6'd15, INITVAL_0F);
        row(6'd16, INITVAL_10);
        row(6'd17, INITVAL_11);
        row(6'd18, INITVAL_12);
        row(6'd19, INITVAL_13);
        row(6'd20, INITVAL_14);
        row(6'd21, INITVAL_15);
        row(6'd22, INITVAL_16);
        row(6'd23, INITVAL_17);
        row(6'd24, INITVAL_18);
        row(6'd25, INITVAL_19);
        row(6'd26, INITVAL_1A);
        row(6'd27, INITVAL_1B);
        row(6'd28, INITVAL_1C);
        row(6'd29, INITVAL_1D);
        row(6'd30, INITVAL_1E);
        row(6'd31, INITVAL_1F);
        row(6'd32, INITVAL_20);
        row(6'd33, INITVAL_21);
        row(6'd34, INITVAL_22);
        row(6'd35, INITVAL_23);
        row(6'd36, INITVAL_24);
        row(6'd37, INITVAL_25);
        row(6'd38, INITVAL_26);
        row(6'd39, INITVAL_27);
        row(6'd40, INITVAL_28);
        row(6'd41, INITVAL_29);
        row(6'd42, INITVAL_2A);
        row(6'd43, INITVAL_2B);
        row(6'd44, INITVAL_2C);
        row(6'd45, INITVAL_2D);
        row(6'd46, INITVAL_2E);
        row(6'd47, INITVAL_2F);
        row(6'd48, INITVAL_30);
        row(6'd49, INITVAL_31);
        row(6'd50, INITVAL_32);
        row(6'd51, INITVAL_33);
        row(6'd52, INITVAL_34);
        row(6'd53, INITVAL_35);
        row(6'd54, INITVAL_36);
        row(6'd55, INITVAL_37);
        row(6'd56, INITVAL_38);
        row(6'd57, INITVAL_39);
        row(6'd58, INITVAL_3A);
        row(6'd59, INITVAL_3B);
        row(6'd60, INITVAL_3C);
        row(6'd61, INITVAL_3D);
        row(6'd62, INITVAL_3E);
        row(6'd63, INITVAL_3F);
    end

    wire [13:0] write = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [35:0] d = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    integer i;
    always @(posedge CLKA)
        if (CEA && WEA)
            case (DATA_WIDTH_A)
                36: for (i = 0; i < 4; i = i + 1) if (write[i]) words[{write[13:5], i[1]}][9*i[0]+:9] <= d[9*i+:9];
                18: for (i = 0; i < 2; i = i + 1) if (write[i]) words[write[13:4]][9*i+:9] <= d[9*i+:9];
                9: words[write[13:4]][9*write[3]+:9] <= d[8:0];
                4: words[write[13:4]][9*write[3]+4*write[2]+:4] <= d[3:0];
                2: words[write[13:4]][9*write[3]+2*write[2:1]+:2] <= d[1:0];
                1: words[write[13:4]][9*write[3]+write[2:0]] <= d[0];
                default: $fatal(1, "no such width");
            endcase

    wire [13:0] read = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    reg [35:0] q, late;
    always @(posedge CLKB) begin
        if (CEB)
            case (DATA_WIDTH_B)
                36: q <= {words[{read[13:5], 1'b1}], words[{read[13:5], 1'b0}]};
                18: q[35:18] <= words[read[13:4]];
                9: q[35:18] <= {9'd0, words[read[13:4]][9*read[3]+:9]};
                4: q[35:18] <= {14'd0, words[read[13:4]][9*read[3]+4*read[2]+:4]};
                2: q[35:18] <= {16'd0, words[read[13:4]][9*read[3]+2*read[2:1]+:2]};
                1: q[35:18] <= {17'd0, words[read[13:4]][9*read[3]+read[2:0]]};
                default: $fatal(1, "no such width");
            endcase
        if (REGMODE_A == "OUTREG" && OCEA) late[17:0] <= q[17:0];
        if (REGMODE_B == "OUTREG" && OCEB) late[35:18] <= q[35:18];
    end
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = REGMODE_A == "OUTREG" ? late[17:0] : q[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = REGMODE_B == "OUTREG" ? late[35:18] : q[35:18];
endmodule
