//! Endpoints, looked at by hand: what arrives, what is forgotten, what is sent and when.

use super::*;
use crate::bus::uartbone::codec::Command;
use crate::device::model::{Model, PUBLISHED_BANKS, Plants};
use crate::domain::evidence::Evidence;
use crate::domain::seed::Seed;
use crate::emulator::disturbance::Disturbance;
use crate::emulator::held_back::MOST_HELD;
use crate::emulator::session::{Etherbone, UartBone};
use crate::emulator::soc::Soc;

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
fn a_half_question_is_forgotten_after_silence_and_not_before() {
    let (mut endpoint, mut client) = on_tcp(Box::new(UartBone::new(soc())), &[]);
    busy(&mut endpoint, 1);
    let whole = question(1);
    // A clock that is set is a silence that nobody has to wait for, or one that cannot come.
    let (now, hour) = (Instant::now(), Duration::from_secs(3600));
    let silent = now.checked_sub(2 * SILENCE).expect("the machine has run for longer");
    for (last, rest) in [(now + hour, &whole[3..]), (silent, &whole[..])] {
        client.write_all(&whole[..3]).expect("it is sent");
        busy(&mut endpoint, 1);
        assert_eq!(endpoint.due(), None);
        endpoint.last = last;
        client.write_all(rest).expect("it is sent");
        busy(&mut endpoint, 1);
        assert_eq!(endpoint.send_due(Instant::now()), Looked::Busy);
        let mut answer = [0; 4];
        client.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, IDENTITY);
    }
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
fn a_half_question_is_forgotten_after_a_tenth_of_a_second_as_the_soc_does_and_clients_leave_more() {
    let milliseconds = Duration::from_millis;
    assert!(!is_forgotten(milliseconds(100)) && is_forgotten(milliseconds(101)));
    assert!(is_forgotten(crate::bus::stream::SILENCE));
}

/// Answers whatever comes with the same bytes.
struct Same;

impl Session for Same {
    fn take(&mut self, _bytes: &[u8]) -> Result<Vec<Vec<u8>>, BusError> {
        Ok(vec![vec![0x55; 64]])
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
fn datagrams_with_answers_are_flipped_and_lost_as_those_with_questions_are() {
    let probe = Packet { probe: true, ..Packet::default() }.encode();
    let right = Packet { probe_reply: true, ..Packet::default() }.encode();
    let replies = |disturbance| {
        let link = DisturbedLink::new(&[disturbance], SEED, 0);
        let mut endpoint = UdpEndpoint::on(any_port(), soc(), link).expect("a port");
        let client = UdpSocket::bind(any_port()).expect("a port");
        client.set_nonblocking(true).expect("it is");
        let (mut questions, mut replies) = (0, Vec::new());
        while questions < 200 {
            client.send_to(&probe, endpoint.place()).expect("it is sent");
            busy(&mut endpoint, 1);
            questions += 1;
            // On the loopback what is sent is there.
            endpoint.send_due(Instant::now());
            let mut datagram = [0; 64];
            replies.extend(client.recv(&mut datagram).ok().map(|length| datagram[..length].to_vec()));
        }
        replies
    };
    assert_eq!(replies(Disturbance::Delay(0)), vec![right.clone(); 200]);
    // Of a question that comes through three bytes decide, of the reply twelve can be damaged.
    let flipped = replies(Disturbance::Flip(12));
    assert!(flipped.iter().any(|reply| *reply != right) && flipped.iter().all(|reply| reply.len() == 12));
    // A quarter comes through where half are lost each way.
    let left = replies(Disturbance::Lose(2)).len();
    assert!((25..75).contains(&left), "{left}");
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
