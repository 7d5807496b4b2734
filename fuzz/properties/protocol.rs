//! What an engine in a process may write: lines that are answers or none, and messages from any bytes. No panic; an answer
//! holds no more than its line; and a message that is sent arrives as it was sent.

use abench::engine::process::frame;
use abench::engine::process::protocol::{Answer, Effect, Misread};

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    bytes.split(|&byte| byte == b'\n').for_each(line);
    if let Ok(read) = frame::read(bytes) {
        assert!(read.body.len() <= bytes.len());
    }
}

fn line(line: &[u8]) {
    // Whatever request it answers, it answers that one alone.
    let answer = match Answer::read(line, 0) {
        Ok(answer) => answer,
        Err(Misread::NoAnswer(_)) => return,
        Err(Misread::OfAnother { answered, asked }) => {
            assert_ne!(answered, asked);
            Answer::read(line, answered).expect("it answers this request")
        }
    };
    let body = |effect: &Effect| match effect {
        Effect::Append(bytes) | Effect::Replace(bytes) => bytes.0.len(),
        Effect::Send(send) => send.body.0.len(),
        Effect::Sync(_) | Effect::Accept(_) | Effect::Refuse(_) => 0,
    };
    let document = answer.document.iter().map(|bytes| bytes.0.len());
    let held: usize = answer.effects.iter().map(body).chain(document).sum();
    let shown = answer.views.as_ref().map_or(0, Vec::len);
    assert!(held + shown + answer.effects.len() <= line.len(), "an answer holds more than its line");
    for effect in &answer.effects {
        let Effect::Send(send) = effect else { continue };
        let message = frame::write(send);
        let arrived = frame::read(&message).expect("a message arrives");
        assert_eq!((arrived.body, arrived.request, arrived.answer), (&send.body.0[..], send.request, send.answer));
    }
}
