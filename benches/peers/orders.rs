//! What a peer is told on its standard input.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

/// Lines that wait; nobody sends that many at once.
const WAITING: usize = 64;

/// The lines of standard input, and whether it has ended.
pub(crate) struct Orders {
    lines: Receiver<String>,
    ended: Arc<AtomicBool>,
}

impl Orders {
    pub(crate) fn new() -> Self {
        let (sender, lines) = sync_channel(WAITING);
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
            // Relaxed: a flag that is looked at again and again.
            end.store(true, Ordering::Relaxed);
        });
        Self { lines, ended }
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The next line, if there is one.
    pub(crate) fn next(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }
}
