//! Endpoints, looked at by hand: what arrives, what is forgotten, what is sent and when.

use super::*;
use crate::bus::etherbone::codec::Packet;
use crate::bus::uartbone::codec::Command;
use crate::device::model::{Model, PUBLISHED_BANKS, Plants};
use crate::domain::evidence::Evidence;
use crate::domain::seed::Seed;
use crate::emulator::disturbance::Disturbance;
use crate::emulator::held_back::MOST_HELD;
use crate::emulator::session::{Answer, Etherbone, Serial, UartBone};
use crate::emulator::soc::{SharedSoc, Soc};

const SEED: Seed = Seed::new(1);

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(20);

fn soc() -> SharedSoc {
    let model = Model::new(PUBLISHED_BANKS, &Plants::default());
    SharedSoc::of(Soc::new(Box::new(model), Evidence::Model, &[], SEED))
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn on_tcp(session: Box<dyn Session>, disturbances: &[Disturbance]) -> (StreamEndpoint, TcpStream) {
    let link = DisturbedLink::new(disturbances, SEED, 0);
    let endpoint = StreamEndpoint::on_tcp(any_port(), session, link).expect("a port");
    let client = TcpStream::connect(endpoint.place()).expect("it listens");
    client.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    (endpoint, client)
}

/// Looks until something was there to do, so often.
fn busy(endpoint: &mut dyn Endpoint, times: u32) {
    let (start, mut left) = (Instant::now(), times);
    while left > 0 {
        assert!(start.elapsed() < DEADLINE, "nothing comes");
        if endpoint.look().expect("a link") == Looked::Busy {
            left -= 1;
        }
    }
}

/// Asks for the engine's identity, so many times.
fn question(words: u8) -> Vec<u8> {
    Command::Read { address: 0xF002_1020, words, fixed: true }.encode()
}

const IDENTITY: [u8; 4] = [0x02, 0x08, 0, 0];

#[test]
fn a_half_question_of_the_serial_protocol_is_forgotten_after_silence_and_not_before() {
    let (mut endpoint, mut client) = on_tcp(Box::new(Serial::new(soc())), &[]);
    busy(&mut endpoint, 1);
    // A clock that is set is a silence that nobody has to wait for, or one that cannot come.
    let (now, hour) = (Instant::now(), Duration::from_secs(3600));
    let silent = now.checked_sub(2 * SILENCE).expect("the machine has run for longer");
    for (last, answered) in [(now + hour, 0), (silent, 8)] {
        client.write_all(b"A123").expect("it is sent");
        busy(&mut endpoint, 1);
        endpoint.last = last;
        // Within a delta these letters are bytes of it.
        client.write_all(b"RRRRR").expect("it is sent");
        busy(&mut endpoint, 1);
        endpoint.send_due(Instant::now());
        let mut answer = [0; 40];
        client.set_nonblocking(true).expect("it is");
        let got = client.read(&mut answer).unwrap_or(0);
        client.set_nonblocking(false).expect("it is");
        assert_eq!(got, 5 * answered);
    }
}

/// What UARTBone answers to bytes that come so late, in milliseconds, over a line with such a time for a byte: the bytes
/// of each answer, and when the last one was carried.
fn uartbone(byte_time: Duration, arrivals: &[(u64, &[u8])]) -> Vec<(Vec<u8>, Duration)> {
    let (mut session, start) = (UartBone::new(soc()), Instant::now());
    let mut answers = Vec::new();
    for &(at, bytes) in arrivals {
        let at = start + Duration::from_millis(at);
        answers.extend(session.take(Arrival { bytes, at, byte_time }).expect("a SoC"));
    }
    answers.into_iter().map(|answer| (answer.bytes, answer.at - start)).collect()
}

#[test]
fn a_uartbone_command_is_dropped_100_ms_after_its_first_byte_though_no_gap_is_as_long() {
    let whole = question(1);
    let answered = |at: [u64; 2]| {
        let parts = [(0, &whole[..2]), (at[0], &whole[2..4]), (at[1], &whole[4..])];
        uartbone(Duration::ZERO, &parts).into_iter().map(|(bytes, _)| bytes).collect::<Vec<_>>()
    };
    assert_eq!(answered([40, 99]), [IDENTITY.to_vec()]);
    assert!(answered([60, 120]).is_empty());
}

#[test]
fn over_a_slow_line_an_answer_takes_its_time_and_ends_with_the_time_of_its_command() {
    // 1000 baud: 10 ms a byte. The sixth byte of the question ends 50 ms after the first.
    let byte_time = crate::bus::stream::line_time(1, 1000);
    let answers = uartbone(byte_time, &[(0, &question(1))]);
    assert_eq!(answers, [(IDENTITY.to_vec(), 9 * byte_time)]);
    // Of two words the last byte that is begun within 100 ms is the fifth.
    let answers = uartbone(byte_time, &[(0, &question(2))]);
    assert_eq!(answers, [([IDENTITY, IDENTITY].concat()[..5].to_vec(), 10 * byte_time)]);
    // What comes while it answers is not heard.
    let answers = uartbone(byte_time, &[(0, &[question(1), question(1)].concat())]);
    assert_eq!(answers.len(), 1);
}

#[test]
fn a_packet_over_tcp_that_comes_in_two_halves_is_put_together_however_far_apart_they_come() {
    let (mut endpoint, mut client) = on_tcp(Box::new(Etherbone::new(soc())), &[]);
    busy(&mut endpoint, 1);
    let whole = Packet { reads: vec![0xF002_1020], ..Packet::default() }.encode();
    let (first, second) = whole.split_at(whole.len() / 2);
    client.write_all(first).expect("it is sent");
    busy(&mut endpoint, 1);
    endpoint.last = Instant::now().checked_sub(2 * SILENCE).expect("the machine has run for longer");
    client.write_all(second).expect("it is sent");
    busy(&mut endpoint, 1);
    assert_eq!(endpoint.send_due(Instant::now()), Looked::Busy);
    drop(endpoint);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("an answer");
    let (packet, _) = Packet::decode(&answer).expect("a packet");
    assert_eq!(packet.writes, [0x0208_0000]);
}

#[test]
fn a_half_question_is_forgotten_after_a_tenth_of_a_second_and_clients_leave_more() {
    let milliseconds = Duration::from_millis;
    assert!(!is_forgotten(milliseconds(100)) && is_forgotten(milliseconds(101)));
    assert!(is_forgotten(crate::bus::stream::SILENCE));
    assert!(crate::bus::stream::SILENCE > crate::bus::uartbone::codec::COMMAND_TIME);
}

#[test]
fn litex_server_greets_and_repeats_no_base_and_a_soc_does_neither() {
    let asked = Packet { reads: vec![0xF002_1020], return_base: 7, ..Packet::default() }.encode();
    for (session, base) in [(Etherbone::litex_server(soc()), 0), (Etherbone::new(soc()), 7)] {
        let (mut endpoint, mut client) = on_tcp(Box::new(session), &[]);
        busy(&mut endpoint, 1);
        let greeting = if base == 0 { format!("CommUART:{}", endpoint.place()) } else { String::new() };
        client.write_all(&asked).expect("it is sent");
        busy(&mut endpoint, 1);
        endpoint.send_due(Instant::now());
        drop(endpoint);
        let mut came = Vec::new();
        client.read_to_end(&mut came).expect("a reply");
        let reply = Packet { base, writes: vec![0x0208_0000], ..Packet::default() }.encode();
        assert_eq!(came, [greeting.as_bytes(), &reply].concat());
    }
}

#[test]
fn console_text_comes_between_the_answers_of_a_line_and_within_none() {
    let (mut endpoint, mut client) = on_tcp(Box::new(UartBone::new(soc())), &[Disturbance::Console(2)]);
    busy(&mut endpoint, 1);
    client.write_all(&[question(1), question(1), question(1)].concat()).expect("it is sent");
    while endpoint.held.len() < 3 {
        busy(&mut endpoint, 1);
    }
    endpoint.send_due(Instant::now());
    drop(endpoint);
    let mut came = Vec::new();
    client.read_to_end(&mut came).expect("answers");
    let text = &came[8..came.len() - 4];
    assert!(came.starts_with(&[IDENTITY, IDENTITY].concat()) && came.ends_with(&IDENTITY));
    assert!(text.ends_with(b"\r\n") && text.is_ascii(), "{text:?}");
}

/// Answers whatever comes with the same bytes.
struct Same;

impl Session for Same {
    fn take(&mut self, arrival: Arrival<'_>) -> Result<Vec<Answer>, BusError> {
        Ok(vec![Answer { bytes: vec![0x55; 64], at: arrival.at }])
    }

    fn forget(&mut self) {}
}

#[test]
fn bytes_of_answers_are_flipped_and_lost_as_those_of_questions_are() {
    let answered = |disturbance| {
        let (mut endpoint, mut client) = on_tcp(Box::new(Same), &[disturbance]);
        busy(&mut endpoint, 1);
        client.write_all(&[1]).expect("it is sent");
        busy(&mut endpoint, 1);
        assert_eq!(endpoint.send_due(Instant::now()), Looked::Busy);
        // The end of the link ends the answer.
        drop(endpoint);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("an answer");
        answer
    };
    assert_eq!(answered(Disturbance::Delay(0)), [0x55; 64]);
    let flipped = answered(Disturbance::Flip(1));
    assert!(flipped.len() == 64 && flipped.iter().all(|byte| (byte ^ 0x55).is_power_of_two()), "{flipped:x?}");
    let fewer = answered(Disturbance::Lose(2)).len();
    assert!((1..64).contains(&fewer), "{fewer}");
}

#[test]
fn an_answer_that_is_held_back_is_sent_at_its_time_and_in_its_turn_and_to_nobody_else() {
    let late = Disturbance::Delay(60_000);
    let (mut endpoint, mut client) = on_tcp(Box::new(UartBone::new(soc())), &[late, Disturbance::Disconnect(2)]);
    busy(&mut endpoint, 1);
    client.write_all(&[question(1), question(2), question(1)].concat()).expect("it is sent");
    while endpoint.held.len() < 3 {
        busy(&mut endpoint, 1);
    }
    let due = endpoint.due().expect("something is held back");
    assert!(due > Instant::now() + Duration::from_secs(30));
    assert_eq!(endpoint.send_due(due - Duration::from_millis(1)), Looked::Quiet);
    assert_eq!(endpoint.send_due(due + DEADLINE), Looked::Gone);
    drop(endpoint);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("both answers, and the end");
    assert_eq!(answer, [IDENTITY; 3].concat());

    let (mut endpoint, mut client) = on_tcp(Box::new(UartBone::new(soc())), &[late]);
    busy(&mut endpoint, 1);
    client.write_all(&question(1)).expect("it is sent");
    busy(&mut endpoint, 1);
    drop(client);
    busy(&mut endpoint, 1);
    assert_eq!(endpoint.due(), None, "whoever comes next is not given it");
}

#[test]
fn no_more_answers_are_held_back_than_there_is_room_for() {
    let (mut endpoint, mut client) = on_tcp(Box::new(Same), &[Disturbance::Delay(60_000)]);
    busy(&mut endpoint, 1);
    while endpoint.watched().is_some() {
        client.write_all(&[1]).expect("it is sent");
        busy(&mut endpoint, 1);
    }
    assert_eq!(endpoint.held.len(), MOST_HELD);
}
