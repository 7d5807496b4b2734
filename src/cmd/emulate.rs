//! `abench emulate LINK...`: the device, served to other programs.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use crate::cmd::names::WithNames;
use crate::cmd::{Failure, distinct, unwritable};
use crate::console::progress::StopRequest;
use crate::console::{Console, Stream, When};
use crate::domain::fault::{Activity, Fault, Site};
use crate::domain::seed::Seed;
use crate::domain::verdict::exit;
use crate::emulator::disturbance::{Disturbance, contradiction};
use crate::emulator::udp::ReplyTo;
use crate::emulator::{Emulator, EmulatorError, End, LinkSpec, Served, Setting};
use crate::fault::catalogue::why_never;

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A device behind a terminal, and who may use it
  abench emulate uartbone:pty
  # As litex_server serves a board
  abench emulate litex-server
  # A device with a fault, over TCP
  abench emulate etherbone:tcp:1234 --plant flip-bit:3
  # A line that loses bytes
  abench emulate uartbone:tcp --disturb lose:100";

/// Arguments of `emulate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EmulateArgs {
    /// How clients reach it: uartbone:pty, uartbone:tcp, etherbone:tcp, etherbone:udp, litex-server (etherbone:tcp with the
    /// handshake of that bridge, which LiteX's own clients wait for) or serial:pty; :PORT may follow tcp, udp and
    /// litex-server
    #[arg(required = true, value_name = "LINK")]
    pub links: Vec<LinkSpec>,
    /// The device: model, or rtl in a build with that feature; :BANKS may follow. rtl is slower than a board: clients
    /// refuse runs of more than some 40 million clocks as not done in time (8 million with a planted fault)
    #[arg(long, value_name = "DEVICE", default_value = "model")]
    pub device: Served,
    /// Plant a fault in the device; may be given again for another one (see `abench list faults`). Faults without effect
    /// on this device are rejected. At its end the emulator tells what each fault did
    #[arg(long, value_name = "FAULT", hide_possible_values = true,
          value_parser = WithNames::of_faults(Fault::from_str))]
    pub plant: Vec<Fault>,
    /// Disturb the links or the registers; may be given again for another kind (see `abench list disturbances`)
    #[arg(long, value_name = "DISTURBANCE")]
    pub disturb: Vec<Disturbance>,
    /// Seed of what is left to chance, hexadecimal
    #[arg(long, value_name = "SEED", default_value = "1")]
    pub seed: Seed,
    /// Address that ports are bound to; any other than a loopback lets others in, who need no password. Refused where no
    /// link has a port [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Bits per second of UARTBone's line: each byte takes its time on it, either way, and what is not done 100 ms after a
    /// command's first byte is dropped. Refused where no link is UARTBone's [default: bytes take no time]
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(50..))]
    pub baud: Option<u32>,
    /// Over etherbone:udp, reply to the port that a question came from. Refused without such a link [default: to the port
    /// that the emulator listens on, as LiteEth does; a client must be at another address and bind that port]
    #[arg(long)]
    pub reply_to_source: bool,
    /// End after so many seconds without a question, 1 to 86400
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub idle: u32,
}

/// Serves the device and gives the exit code.
pub fn run(args: &EmulateArgs) -> Result<u8, Failure> {
    let stop = StopRequest::listen();
    possible(args)?;
    let mut emulator = Emulator::open(&Setting {
        device: args.device,
        faults: distinct(&args.plant)?,
        disturbances: args.disturb.clone(),
        seed: args.seed,
        links: args.links.clone(),
        bind: args.bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        baud: args.baud,
        reply_to: if args.reply_to_source { ReplyTo::Source } else { ReplyTo::OwnPort },
        idle: Duration::from_secs(args.idle.into()),
    })?;
    let console = Console::new(When::Auto);
    let listening: String = emulator.backends().iter().map(|backend| format!("listening {backend}\n")).collect();
    console.write(Stream::Output, &listening).map_err(unwritable)?;
    let end = emulator.serve(|| stop.is_set(), |notice| console.say(&format!("abench: {notice}")))?;
    console.say(&match end {
        End::Idle => format!("abench: nobody asked anything for {} s, so the emulator ends", args.idle),
        End::Gone => "abench: all links are closed, so the emulator ends".to_owned(),
        End::Stopped => "abench: the emulator was stopped".to_owned(),
    });
    for (fault, Activity { reached, changed }) in emulator.planted() {
        console.say(&match reached {
            0 => format!("abench: {fault} did nothing: the part that it is in was never in use"),
            _ => format!(
                "abench: {fault} was in use {reached} times; {changed} words were read that a sound device has not"
            ),
        });
    }
    Ok(if end == End::Stopped { exit::INTERRUPTED } else { exit::HOLDS })
}

/// Refuses what can do nothing, and what cannot be done together.
fn possible(args: &EmulateArgs) -> Result<(), Failure> {
    let (planted, room) = (args.plant.len(), args.device.room());
    if planted > room {
        return Err(Failure::usage(anyhow!("{} has room for {room} planted faults, not {planted}", args.device)));
    }
    for &fault in &args.plant {
        if let Some(never) = why_never(fault, args.device.banks()) {
            return Err(Failure::usage(anyhow!("--plant {fault} can do nothing in {}: {never}", args.device)));
        }
    }
    if let Some(address) = args.bind.filter(|_| !args.links.iter().any(|link| link.has_port())) {
        return Err(Failure::usage(anyhow!(
            "--bind {address} can do nothing here: a pty has no address; it is for uartbone:tcp, etherbone:tcp, \
             etherbone:udp and litex-server"
        )));
    }
    let is_served = |kind: &str| args.links.iter().any(|link| link.to_string().starts_with(kind));
    let rate = args.baud.map(|baud| (format!("--baud {baud}"), "uartbone"));
    let source = args.reply_to_source.then(|| ("--reply-to-source".to_owned(), "etherbone:udp"));
    let disturbed = args.disturb.iter().filter_map(|d| Some((format!("--disturb {d}"), d.needs()?)));
    if let Some((idle, kind)) = rate.into_iter().chain(source).chain(disturbed).find(|(_, kind)| !is_served(kind)) {
        return Err(Failure::usage(anyhow!("{idle} can do nothing here: it is about {kind}, which is not served")));
    }
    if !args.links.iter().any(|link| link.reaches_engine()) {
        let fault =
            args.plant.iter().find(|fault| fault.site() == Site::Engine).map(|fault| format!("--plant {fault}"));
        let disturbance = args.disturb.iter().find(|d| d.is_of_engine()).map(|d| format!("--disturb {d}"));
        if let Some(idle) = fault.or(disturbance) {
            return Err(Failure::usage(anyhow!(
                "{idle} can do nothing here: it is about the bench engine, which the serial protocol does not reach"
            )));
        }
        if let Some(fault) = args.plant.iter().find(|fault| **fault == Fault::SwapWrongContext) {
            return Err(Failure::usage(anyhow!(
                "--plant {fault} can do nothing here: it is about SWAP, which the serial protocol does not know"
            )));
        }
    }
    match contradiction(&args.disturb) {
        Some((one, other, why)) if one == other => {
            Err(Failure::usage(anyhow!("--disturb {one} is given twice; {why}")))
        }
        Some((one, other, why)) => {
            Err(Failure::usage(anyhow!("--disturb {one} and --disturb {other} exclude each other: {why}")))
        }
        None => Ok(()),
    }
}

impl From<EmulatorError> for Failure {
    fn from(error: EmulatorError) -> Self {
        let exit = if matches!(error, EmulatorError::Endpoint { .. }) { exit::USAGE } else { exit::UNAVAILABLE };
        Failure { exit, error: error.into() }
    }
}
