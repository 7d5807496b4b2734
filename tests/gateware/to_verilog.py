"""Writes gateware of LiteX 2024.12 and LiteEth 2024.12 (PyPI) as Verilog, for the tests that compare the emulator with it.

usage: to_verilog.py uartbone CLOCK_HZ OUTPUT
       to_verilog.py etherbone BUFFER_DEPTH OUTPUT
"""

import sys

from litex.gen import LiteXModule
from litex.gen.fhdl.verilog import convert
from litex.soc.cores.uart import Stream2Wishbone
from litex.soc.interconnect import stream
from migen import ClockDomain


class UartBone(LiteXModule):
    """A UARTBone between two streams of bytes and a Wishbone bus."""

    def __init__(self, clock_hz):
        self.cd_sys = ClockDomain()
        self.bridge = Stream2Wishbone(clk_freq=clock_hz)
        self.ios = self.bridge.sink.flatten() + self.bridge.source.flatten() + self.bridge.wishbone.flatten()


class Etherbone(LiteXModule):
    """LiteEth's Etherbone between two streams of UDP payload, 32 bits wide, and a Wishbone bus."""

    UDP_PORT = 1234

    class Udp:
        def __init__(self):
            self.crossbar = self
            self.dw = 32

        def get_port(self, udp_port, dw, cd):
            from liteeth.common import eth_udp_user_description

            self.sink = stream.Endpoint(eth_udp_user_description(dw))
            self.source = stream.Endpoint(eth_udp_user_description(dw))
            return self

    def __init__(self, depth):
        from liteeth.frontend.etherbone import LiteEthEtherbone

        self.cd_sys = ClockDomain()
        port = self.Udp()
        self.bridge = LiteEthEtherbone(port, self.UDP_PORT, buffer_depth=depth)
        self.ios = port.sink.flatten() + port.source.flatten() + self.bridge.wishbone.bus.flatten()


def main():
    kind, number, output = sys.argv[1:]
    gateware = {"uartbone": UartBone, "etherbone": Etherbone}[kind](int(number))
    ios = set(gateware.ios) | {gateware.cd_sys.clk, gateware.cd_sys.rst}
    convert(gateware, ios=ios, name=kind).write(output)


main()
