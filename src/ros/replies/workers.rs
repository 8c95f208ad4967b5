//! The threads that send answers, each one at a time.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use r2r::std_srvs::srv::Trigger;

use crate::ros::rcl::{RequestId, Responder, Waker};

/// An answer to send.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: RequestId,
    pub(super) success: bool,
    pub(super) message: String,
}

/// What became of a worker's answer.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) worker: usize,
    /// rcl's code, where it could not be sent.
    pub(super) failed: Option<i32>,
}

/// One thread, and the way to it; both `None` once it is to end.
#[derive(Debug)]
struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// The threads; they end when this is dropped, after the answer in hand.
#[derive(Debug)]
pub(super) struct Workers {
    threads: Vec<Worker>,
    outcomes: Receiver<Outcome>,
}

impl Workers {
    /// Starts `count` threads. Each wakes `waker` when it is done.
    ///
    /// # Errors
    /// No thread to be had.
    pub(super) fn start(
        count: usize,
        responder: Responder<Trigger::Service>,
        waker: &Waker,
    ) -> std::io::Result<Self> {
        let responder = Arc::new(responder);
        // Bounded by the workers: each has one answer at most.
        let (told, outcomes) = bounded(count);
        let mut workers = Self { threads: Vec::with_capacity(count), outcomes };
        for worker in 0..count {
            let (jobs, received) = bounded::<Job>(1);
            let (responder, told, waker) = (responder.clone(), told.clone(), waker.clone());
            let thread = std::thread::Builder::new().name(format!("reply-{worker}"));
            let thread = thread.spawn(move || {
                while let Ok(job) = received.recv() {
                    let sent = responder.reply(&job.id, job.success, &job.message);
                    let failed = sent.err().map(|error| error.code);
                    // Refused only once nobody waits for it any more.
                    told.send(Outcome { worker, failed }).ok();
                    waker.wake();
                }
            })?;
            workers.threads.push(Worker { jobs: Some(jobs), thread: Some(thread) });
        }
        Ok(workers)
    }

    /// Gives an answer to a worker that has none.
    pub(super) fn send(&self, worker: usize, job: Job) {
        if let Some(Worker { jobs: Some(jobs), .. }) = self.threads.get(worker) {
            // Refused only by a thread that is gone, which ends the process.
            jobs.send(job).ok();
        }
    }

    /// The next thing a worker told; `None`: nothing now.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.threads {
            worker.jobs = None;
        }
        for worker in &mut self.threads {
            if let Some(thread) = worker.thread.take() {
                // An Err is a panic of the thread, which the panic hook has already told.
                thread.join().ok();
            }
        }
    }
}
