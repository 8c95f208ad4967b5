//! Thread `replies`: answers the kill service, because an answer may block and a stop must not.
//!
//! On Fast DDS a reply waits up to 100 ms for a client whose reply reader does not match. Five such
//! clients would delay the next kill by half a second if the gate thread answered itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use r2r::std_srvs::srv::Trigger;

use super::rcl::{AlreadyBound, RequestId, Responder, WakeSet, Waker};
use crate::telemetry::slots::{Slots, ThreadName};

/// Answers that may wait. Beyond, an answer is dropped and counted: the kill itself was served.
const CAPACITY: usize = 256;

/// One answer to a kill.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// Which request.
    pub id: RequestId,
    /// `seq` of the kill.
    pub seq: u64,
}

/// Where the gate thread leaves answers.
#[derive(Clone, Debug)]
pub struct ReplySender {
    queue: Sender<Reply>,
    waker: Waker,
}

impl ReplySender {
    /// Leaves an answer; never blocks. Returns false when there is no place for it.
    #[must_use]
    pub fn send(&self, reply: Reply) -> bool {
        let sent = self.queue.try_send(reply).is_ok();
        self.waker.wake();
        sent
    }
}

/// The thread.
#[derive(Debug)]
pub struct Replies {
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// The thread could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No thread to be had.
    #[error("thread `replies` cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A programming error: the wake set is the thread's own.
    #[error(transparent)]
    Bound(#[from] AlreadyBound),
    /// A programming error: the wake set has one bit.
    #[error("the wake set has no bit")]
    NoBit,
}

impl Replies {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        responder: Responder<Trigger::Service>,
        slots: Arc<Slots>,
        failed: impl Fn(i32) + Send + 'static,
    ) -> Result<(ReplySender, Self), StartError> {
        let wake = WakeSet::new(1);
        let waker = wake.waker(0).ok_or(StartError::NoBit)?;
        let (queue, receiver) = bounded(CAPACITY);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let set = wake.clone();
        let thread = std::thread::Builder::new().name("replies".to_owned()).spawn(move || {
            slots.threads.at(ThreadName::Replies).enter();
            run(&responder, &receiver, &set, &stopped, &failed);
        })?;
        wake.bind(thread.thread().clone())?;
        waker.wake();
        let sender = ReplySender { queue, waker: waker.clone() };
        Ok((sender, Self { stop, waker, thread: Some(thread) }))
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `run`, so answers left before are still sent.
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // An Err is a panic of the thread, which the panic hook has already told.
            thread.join().ok();
        }
    }
}

fn run(
    responder: &Responder<Trigger::Service>,
    receiver: &Receiver<Reply>,
    wake: &WakeSet,
    stop: &AtomicBool,
    failed: &dyn Fn(i32),
) {
    loop {
        let last = stop.load(Ordering::Acquire);
        let _bits = wake.take_bits(0);
        // Polled, never waited for in `recv`: crossbeam's `try_send` takes a lock when somebody
        // sleeps there.
        while let Ok(Reply { id, seq }) = receiver.try_recv() {
            let message = format!(
                "killed, seq {seq}: nothing is forwarded, every lane that has a safe command sends it. \
                 Not persisted in this version: a restart comes up disarmed. To go on: reset, then arm"
            );
            if let Err(error) = responder.reply(&id, true, &message) {
                failed(error.code);
            }
        }
        if last {
            return;
        }
        std::thread::park();
    }
}
