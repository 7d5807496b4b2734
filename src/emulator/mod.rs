//! The device, served to other programs as a SoC: over UARTBone, Etherbone and the serial protocol.
//!
//! Knows: `bus`, `device` and `domain`; how to be the far end of each link. Must not: judge anything, or know who asks.
//! Everything happens in one thread, one question after the other, as on the bus of a SoC; an answer that is late on
//! purpose is put by until its time has come, and holds nobody else up.

pub mod disturbance;
pub mod endpoint;
mod held_back;
mod session;
pub mod soc;
pub mod udp;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::bus::stream::line_time;
use crate::bus::{Bus, BusError};
use crate::device::model::{Model, PUBLISHED_BANKS, Plants};
use crate::domain::evidence::Evidence;
use crate::domain::fault::{Activity, Fault, MOST_BANKS};
use crate::domain::seed::Seed;

use disturbance::{Disturbance, DisturbedLink};
use endpoint::{Endpoint, Looked, StreamEndpoint};
use session::Session;
use soc::{SharedSoc, Soc};
use udp::{ReplyTo, UdpEndpoint};

/// Makes a device with so many banks and these faults in it.
type Open = fn(u32, &Plants) -> Result<Box<dyn Bus>, BusError>;

/// A device that can be served: what it is called, and how it is made.
#[derive(Debug)]
pub struct Servable {
    /// Its name, as `--device` takes it; a number of banks may follow it and a colon.
    pub name: &'static str,
    /// How its answers are got.
    pub evidence: Evidence,
    /// How many faults can be planted in it at once.
    room: usize,
    open: Open,
}

/// All devices that can be served. A new one is one line.
pub const SERVABLE: &[Servable] = &[
    Servable {
        name: "model",
        evidence: Evidence::Model,
        room: usize::MAX,
        open: |banks, plants| Ok(Box::new(Model::new(banks, plants))),
    },
    #[cfg(feature = "rtl")]
    Servable {
        name: "rtl",
        evidence: Evidence::RtlSimulation,
        room: crate::device::rtl::MOST_PLANTED,
        open: |banks, plants| Ok(Box::new(crate::device::rtl::Rtl::new(banks, plants)?)),
    },
];

/// A device to serve, with its number of banks.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    servable: &'static Servable,
    banks: u32,
}

/// Why a text names no device to serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a device that can be served; allowed are {names}, and BANKS from 1 to {MOST_BANKS}", names = names())]
pub struct ServedError(String);

fn names() -> String {
    SERVABLE.iter().map(|servable| format!("{0} and {0}:BANKS", servable.name)).collect::<Vec<_>>().join(", ")
}

impl Served {
    /// Banks of its engine.
    pub fn banks(&self) -> u32 {
        self.banks
    }

    /// How many faults can be planted in it at once.
    pub fn room(&self) -> usize {
        self.servable.room
    }
}

impl FromStr for Served {
    type Err = ServedError;

    fn from_str(text: &str) -> Result<Self, ServedError> {
        let (name, banks) = match text.split_once(':') {
            Some((name, banks)) => (name, banks.parse().ok().filter(|banks| (1..=MOST_BANKS).contains(banks))),
            None => (text, Some(PUBLISHED_BANKS)),
        };
        let servable = SERVABLE.iter().find(|servable| servable.name == name);
        let refused = || ServedError(text.to_owned());
        Ok(Served { servable: servable.ok_or_else(refused)?, banks: banks.ok_or_else(refused)? })
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.servable.name, self.banks)
    }
}

/// How clients reach the emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSpec {
    /// UARTBone on a pty.
    UartBonePty,
    /// UARTBone on this TCP port; 0 for any.
    UartBoneTcp(u16),
    /// Etherbone on this TCP port, as a SoC speaks it.
    EtherboneTcp(u16),
    /// Etherbone on this TCP port, as the bridge litex_server speaks it: with its greeting.
    LitexServer(u16),
    /// Etherbone on this UDP port.
    EtherboneUdp(u16),
    /// The serial protocol on a pty.
    SerialPty,
}

impl LinkSpec {
    /// Whether clients reach the bench engine over it: the serial protocol knows of none.
    pub fn reaches_engine(self) -> bool {
        self != LinkSpec::SerialPty
    }

    /// Whether clients reach it at a port.
    pub fn has_port(self) -> bool {
        !matches!(self, LinkSpec::UartBonePty | LinkSpec::SerialPty)
    }
}

impl fmt::Display for LinkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkSpec::UartBonePty => f.write_str("uartbone:pty"),
            LinkSpec::SerialPty => f.write_str("serial:pty"),
            LinkSpec::UartBoneTcp(port) => write!(f, "uartbone:tcp:{port}"),
            LinkSpec::EtherboneTcp(port) => write!(f, "etherbone:tcp:{port}"),
            LinkSpec::LitexServer(port) => write!(f, "litex-server:{port}"),
            LinkSpec::EtherboneUdp(port) => write!(f, "etherbone:udp:{port}"),
        }
    }
}

/// The forms that a link's text may take.
pub const LINK_FORMS: &str =
    "uartbone:pty, uartbone:tcp[:PORT], etherbone:tcp[:PORT], etherbone:udp[:PORT], litex-server[:PORT] and serial:pty";

/// Why a text is not a link to serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a link that can be served; allowed are {LINK_FORMS}, PORT from 1 to 65535")]
pub struct LinkError(String);

impl FromStr for LinkSpec {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let refused = || LinkError(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        let port = match parts.get(if parts[0] == "litex-server" { 1 } else { 2 }) {
            None => Some(0),
            Some(port) => port.parse().ok().filter(|port| *port > 0),
        };
        match (&parts[..], port) {
            (["uartbone", "pty"], _) => Ok(LinkSpec::UartBonePty),
            (["serial", "pty"], _) => Ok(LinkSpec::SerialPty),
            (["uartbone", "tcp"] | ["uartbone", "tcp", _], Some(port)) => Ok(LinkSpec::UartBoneTcp(port)),
            (["etherbone", "tcp"] | ["etherbone", "tcp", _], Some(port)) => Ok(LinkSpec::EtherboneTcp(port)),
            (["etherbone", "udp"] | ["etherbone", "udp", _], Some(port)) => Ok(LinkSpec::EtherboneUdp(port)),
            (["litex-server"] | ["litex-server", _], Some(port)) => Ok(LinkSpec::LitexServer(port)),
            _ => Err(refused()),
        }
    }
}

/// What to serve, where, and how wrongly.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The device.
    pub device: Served,
    /// What is planted in it.
    pub faults: Vec<Fault>,
    /// What is disturbed between it and its clients.
    pub disturbances: Vec<Disturbance>,
    /// What chance is drawn from.
    pub seed: Seed,
    /// How clients reach it.
    pub links: Vec<LinkSpec>,
    /// The address that ports are bound to.
    pub bind: IpAddr,
    /// Bits per second of UARTBone's line; `None` if bytes take no time on it.
    pub baud: Option<u32>,
    /// Where replies over UDP go.
    pub reply_to: ReplyTo,
    /// After how long without a question it ends.
    pub idle: Duration,
}

/// Why an emulator cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// A link cannot be opened.
    #[error("cannot serve {link} on {bind}: {error}")]
    Endpoint {
        /// Which.
        link: String,
        /// The address.
        bind: IpAddr,
        /// Why.
        error: io::Error,
    },
    /// The device, or a link, failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The links cannot be watched.
    #[error("cannot wait for clients: {0}")]
    Poll(rustix::io::Errno),
}

/// Why an emulator came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody asked anything for the idle time.
    Idle,
    /// Somebody asked it to stop.
    Stopped,
    /// All of its links are closed.
    Gone,
}

/// How often an emulator that nobody asks looks at the clock.
const TICK: Duration = Duration::from_millis(50);

/// A device that is being served.
pub struct Emulator {
    soc: SharedSoc,
    endpoints: Vec<Box<dyn Endpoint>>,
    backends: Vec<String>,
    plants: Plants,
    idle: Duration,
}

impl Emulator {
    /// Opens every link; clients that come from now on are served once [`Emulator::serve`] is called.
    pub fn open(setting: &Setting) -> Result<Self, EmulatorError> {
        let Served { servable, banks } = setting.device;
        let plants = Plants::new(&setting.faults);
        let bus = (servable.open)(banks, &plants)?;
        let soc = SharedSoc::of(Soc::new(bus, servable.evidence, &setting.disturbances, setting.seed));
        let (mut endpoints, mut backends) = (Vec::new(), Vec::new());
        for (number, &link) in setting.links.iter().enumerate() {
            let disturbed = DisturbedLink::new(&setting.disturbances, setting.seed, number as u64);
            let endpoint = open_endpoint(link, setting, &soc, disturbed).map_err(|error| EmulatorError::Endpoint {
                link: link.to_string(),
                bind: setting.bind,
                error,
            })?;
            let name = match link {
                LinkSpec::UartBonePty | LinkSpec::UartBoneTcp(_) => "uartbone",
                LinkSpec::EtherboneTcp(_) | LinkSpec::LitexServer(_) => "etherbone:tcp",
                LinkSpec::EtherboneUdp(_) => "etherbone:udp",
                LinkSpec::SerialPty => "serial",
            };
            backends.push(format!("{name}:{}", endpoint.place()));
            endpoints.push(endpoint);
        }
        Ok(Emulator { soc, endpoints, backends, plants, idle: setting.idle })
    }

    /// How clients reach it, as `--backend` takes it, in the order of the links.
    pub fn backends(&self) -> &[String] {
        &self.backends
    }

    /// What is planted in the device, and what it has done so far.
    pub fn planted(&self) -> Vec<(Fault, Activity)> {
        self.plants.activity()
    }

    /// Serves until nobody has asked anything for the idle time, or all links are closed, or it is asked to stop. `say` is told
    /// what its user should know meanwhile.
    pub fn serve(&mut self, stop_requested: impl Fn() -> bool, say: impl Fn(&str)) -> Result<End, EmulatorError> {
        let mut last = Instant::now();
        while !stop_requested() {
            let pace = self.soc.keep_pace();
            let ready = self.ready(pace.unwrap_or(TICK))?;
            let (now, mut gone) = (Instant::now(), Vec::new());
            for (place, endpoint) in self.endpoints.iter_mut().enumerate() {
                let mut looked = endpoint.send_due(now);
                if looked != Looked::Gone && ready[place] {
                    looked = looked.max(endpoint.look()?);
                    // What is not late at all is sent at once.
                    looked = looked.max(endpoint.send_due(Instant::now()));
                }
                if let Some(notice) = endpoint.notice() {
                    say(&notice);
                }
                match looked {
                    // What is held back for a client is something to do.
                    Looked::Quiet if endpoint.due().is_none() => {}
                    Looked::Quiet | Looked::Busy => last = Instant::now(),
                    Looked::Gone => gone.push(place),
                }
            }
            for place in gone.into_iter().rev() {
                self.endpoints.remove(place);
            }
            if self.endpoints.is_empty() {
                return Ok(End::Gone);
            }
            if last.elapsed() >= self.idle {
                return Ok(End::Idle);
            }
        }
        Ok(End::Stopped)
    }

    /// Which endpoints have something to take, once one has, or an answer is due, or so long has passed.
    fn ready(&self, tick: Duration) -> Result<Vec<bool>, EmulatorError> {
        let due = self.endpoints.iter().filter_map(|endpoint| endpoint.due()).min();
        let left = due.map_or(tick, |due| due.saturating_duration_since(Instant::now()).min(tick));
        let watched: Vec<(usize, BorrowedFd<'_>)> =
            self.endpoints.iter().enumerate().filter_map(|(place, e)| Some((place, e.watched()?))).collect();
        let mut polled: Vec<PollFd<'_>> =
            watched.iter().map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(EmulatorError::Poll(error)),
        }
        let mut ready = vec![false; self.endpoints.len()];
        for ((place, _), fd) in watched.iter().zip(&polled) {
            ready[*place] = !fd.revents().is_empty();
        }
        Ok(ready)
    }
}

fn open_endpoint(
    link: LinkSpec,
    setting: &Setting,
    soc: &SharedSoc,
    disturbed: DisturbedLink,
) -> io::Result<Box<dyn Endpoint>> {
    let at = |port: u16| SocketAddr::new(setting.bind, port);
    let byte_time = setting.baud.map_or(Duration::ZERO, |baud| line_time(1, baud));
    let soc = soc.clone();
    let on_pty = |session: Box<dyn Session>| StreamEndpoint::on_pty(session, disturbed.clone());
    let on_tcp = |port: u16, session: Box<dyn Session>| StreamEndpoint::on_tcp(at(port), session, disturbed.clone());
    Ok(match link {
        LinkSpec::UartBonePty => Box::new(on_pty(Box::new(session::UartBone::new(soc)))?.paced(byte_time)),
        LinkSpec::UartBoneTcp(port) => Box::new(on_tcp(port, Box::new(session::UartBone::new(soc)))?.paced(byte_time)),
        LinkSpec::EtherboneTcp(port) => Box::new(on_tcp(port, Box::new(session::Etherbone::new(soc)))?),
        LinkSpec::LitexServer(port) => Box::new(on_tcp(port, Box::new(session::Etherbone::litex_server(soc)))?),
        LinkSpec::EtherboneUdp(port) => Box::new(UdpEndpoint::on(at(port), soc, setting.reply_to, disturbed)?),
        LinkSpec::SerialPty => Box::new(on_pty(Box::new(session::Serial::new(soc)))?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::uartbone::codec::Command;
    use crate::device::registers::engine;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::sync::mpsc;

    /// A sound model over UARTBone on a TCP port.
    fn on_tcp() -> Setting {
        Setting {
            device: "model".parse().expect("a device"),
            faults: Vec::new(),
            disturbances: Vec::new(),
            seed: Seed::new(1),
            links: vec![LinkSpec::UartBoneTcp(0)],
            bind: Ipv4Addr::LOCALHOST.into(),
            baud: None,
            reply_to: ReplyTo::OwnPort,
            idle: Duration::from_secs(60),
        }
    }

    #[test]
    fn links_and_devices_are_told_by_their_texts() {
        assert_eq!("uartbone:tcp".parse(), Ok(LinkSpec::UartBoneTcp(0)));
        for (text, port) in [("litex-server", 0), ("litex-server:1234", 1234)] {
            assert_eq!(text.parse(), Ok(LinkSpec::LitexServer(port)));
        }
        assert_eq!("etherbone:udp:1234".parse(), Ok(LinkSpec::EtherboneUdp(1234)));
        for text in [
            "",
            "uartbone",
            "uartbone:pty:1",
            "etherbone:pty",
            "serial:tcp",
            "uartbone:tcp:0",
            "uartbone:tcp:1:2",
            "litex-server:0",
            "litex-server:1:2",
        ] {
            let error = text.parse::<LinkSpec>().expect_err(text);
            assert!(error.to_string().contains("serial:pty"), "{error}");
        }
        assert_eq!("model:4".parse().map(|served: Served| served.to_string()), Ok("model:4".to_owned()));
        for text in ["", "rtl:0", "model:33", "model:", "scalar"] {
            let error = text.parse::<Served>().expect_err(text);
            assert!(error.to_string().contains("model and model:BANKS"), "{error}");
        }
    }

    #[test]
    fn an_engine_that_runs_is_simulated_while_nobody_asks() {
        let plants = Plants::default();
        let bus = Box::new(Model::new(PUBLISHED_BANKS, &plants));
        let soc = SharedSoc::of(Soc::new(bus, Evidence::Model, &[], Seed::new(1)));
        let disturbed = DisturbedLink::new(&[], Seed::new(1), 0);
        let link = LinkSpec::UartBoneTcp(0);
        let endpoint = open_endpoint(link, &on_tcp(), &soc, disturbed).expect("a port");
        let (mut asked, backends, idle) = (soc.clone(), Vec::new(), Duration::from_secs(2));
        let mut emulator = Emulator { soc, endpoints: vec![endpoint], backends, plants, idle };
        let write = |soc: &mut SharedSoc, offset, word| soc.write(engine::BASE + offset, word).expect("it is written");
        // 0.1 ms at 100 MHz.
        for (offset, word) in [(engine::COUNT, 10_000), (engine::ACTIVE, 1), (engine::CTRL, engine::START)] {
            write(&mut asked, offset, word);
        }
        let simulated = || asked.simulated() >= Duration::from_micros(100);
        assert_eq!(emulator.serve(simulated, |_| ()).expect("it serves"), End::Stopped);
    }

    #[test]
    fn an_emulator_does_not_end_while_it_owes_an_answer() {
        let setting =
            Setting { disturbances: vec![Disturbance::Delay(1000)], idle: Duration::from_millis(300), ..on_tcp() };
        let mut emulator = Emulator::open(&setting).expect("a port");
        let place = emulator.backends()[0].strip_prefix("uartbone:").expect("a link").to_owned();
        let mut client = TcpStream::connect(place).expect("it listens");
        client.write_all(&Command::Read { address: 0xF002_1020, words: 1, fixed: false }.encode()).expect("it is sent");
        assert_eq!(emulator.serve(|| false, |_| ()).expect("it serves"), End::Idle);
        drop(emulator);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("the answer, and the end");
        assert_eq!(answer, [2, 8, 0, 0]);
    }

    #[test]
    fn an_answer_that_is_late_on_one_link_holds_no_other_link_up() {
        let (sender, receiver) = mpsc::channel();
        let (ended, end) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            let bus = Box::new(Model::new(PUBLISHED_BANKS, &Plants::default()));
            let seed = Seed::new(1);
            let soc = SharedSoc::of(Soc::new(bus, Evidence::Model, &[], seed));
            let links = [vec![Disturbance::Delay(60_000)], Vec::new()];
            let endpoints: Vec<Box<dyn Endpoint>> = links
                .iter()
                .map(|disturbances| {
                    let disturbed = DisturbedLink::new(disturbances, seed, 0);
                    open_endpoint(LinkSpec::UartBoneTcp(0), &on_tcp(), &soc, disturbed).expect("a port")
                })
                .collect();
            let places: Vec<String> = endpoints.iter().map(|endpoint| endpoint.place()).collect();
            sender.send(places).expect("it is wanted");
            let (backends, plants) = (Vec::new(), Plants::default());
            let mut emulator = Emulator { soc, endpoints, backends, plants, idle: Duration::from_secs(3600) };
            let over = || end.try_recv() != Err(mpsc::TryRecvError::Empty);
            emulator.serve(over, |_| ()).expect("it serves")
        });
        let places = receiver.recv().expect("it listens");
        let connect = |place: &String| {
            let client = TcpStream::connect(place).expect("it listens");
            client.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
            client
        };
        let question = Command::Read { address: 0xF002_1020, words: 1, fixed: false }.encode();
        let (mut late, mut prompt) = (connect(&places[0]), connect(&places[1]));
        late.write_all(&question).expect("it is sent");
        for _ in 0..3 {
            prompt.write_all(&question).expect("it is sent");
            let mut answer = [0; 4];
            prompt.read_exact(&mut answer).expect("it is answered in time");
            assert_eq!(answer, [2, 8, 0, 0]);
        }
        late.set_nonblocking(true).expect("it is");
        assert!(late.read(&mut [0; 4]).is_err(), "and the other one is still held back");
        drop(ended);
    }
}
