//! What one test logs: each runs on a thread of its own, with everything it starts.

use std::{cell::RefCell, io::Write, sync::Once};

use tracing_subscriber::{filter::dynamic_filter_fn, fmt, prelude::*};

thread_local! {
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps all that this thread logs from now on, at any level, by whichever library.
pub fn capture() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let captures = dynamic_filter_fn(|_, _| LINES.with_borrow(Option::is_some));
        let lines = fmt::layer().with_ansi(false).with_writer(|| Lines).with_filter(captures);
        tracing_subscriber::registry().with(lines).init();
    });
    LINES.set(Some(Vec::new()));
}

/// What was kept; the rest is not.
pub fn captured() -> String {
    String::from_utf8(LINES.take().expect("capture() comes first")).unwrap()
}
