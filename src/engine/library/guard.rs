//! Calls into a library that may panic. A panic is a finding about the library: it becomes an error, and nothing of it
//! reaches the terminal.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Where the panic of a guarded call on this thread happened; nothing where no call is guarded.
    static GUARDED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls it. A panic in it becomes a sentence that says what panicked, and where.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_guarded = GUARDED.with_borrow_mut(|guarded| guarded.as_mut().map(|at| *at = place(info)).is_some());
            if !is_guarded {
                before(info);
            }
        }));
    });
    let outer = GUARDED.replace(Some(String::new()));
    let done = panic::catch_unwind(AssertUnwindSafe(call));
    let at = GUARDED.replace(outer).unwrap_or_default();
    done.map_err(|panic| format!("it panicked: {} ({at})", message(panic.as_ref())))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// The file and the line, without the folder in which this machine keeps the sources of libraries.
fn place(info: &PanicHookInfo<'_>) -> String {
    let Some(location) = info.location() else { return "at an unknown place".to_owned() };
    let parts: Vec<&str> = location.file().split(['/', '\\']).collect();
    let source = parts.iter().rposition(|&part| part == "src").unwrap_or(parts.len() - 1);
    format!("{}:{}", parts[source.saturating_sub(1)..].join("/"), location.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_sentence_with_its_place_and_calls_go_on() {
        let said: Result<i32, String> = guarded(|| panic!("{} too many", 3));
        let line = line!() - 1;
        assert_eq!(said, Err(format!("it panicked: 3 too many (src/engine/library/guard.rs:{line})")));
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
