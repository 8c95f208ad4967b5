//! Services against real clients.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use interlock::ros::rcl::{Node, RequestId, Requests, Responder, WakeSet, serve};
use r2r::QosProfile;
use r2r::std_srvs::srv::{SetBool, Trigger};

use crate::support::{isolated, wait_for, wait_for_some};
use crate::{context, node};

/// rcl's code for a client that cannot receive its reply.
const TIMEOUT: i32 = 2;

fn gate() -> Arc<Node> {
    node(&context(&[]).expect("a context"), "gate")
}

/// A second ROS node in this process, on r2r's own context, as in the product.
struct Peer(r2r::Node);

type Answer = LocalBoxFuture<'static, r2r::Result<Trigger::Response>>;

impl Peer {
    fn new() -> Self {
        let context = r2r::Context::create().expect("r2r's context");
        Self(r2r::Node::create(context, "peer", "").expect("r2r's node"))
    }

    /// A client that knows the service.
    fn client(&mut self, name: &str) -> r2r::Client<Trigger::Service> {
        let client = self.0.create_client(name, QosProfile::services_default()).expect("a client");
        let mut available = Box::pin(r2r::Node::is_available(&client).expect("a question"));
        wait_for("the client to find the service", || {
            self.spin();
            (&mut available).now_or_never().is_some()
        });
        client
    }

    /// A client whose reply reader never matches a service's reply writer.
    fn hostile_client(&mut self, name: &str) -> r2r::Client<Trigger::Service> {
        let qos = QosProfile::services_default().transient_local();
        self.0.create_client(name, qos).expect("a client")
    }

    fn answer(&mut self, mut answer: Answer) -> Trigger::Response {
        wait_for_some("the answer", || {
            self.spin();
            (&mut answer).now_or_never()
        })
        .expect("an answer")
    }

    fn spin(&mut self) {
        self.0.spin_once(Duration::from_millis(1));
    }
}

fn ask(client: &r2r::Client<Trigger::Service>) -> Answer {
    client.request(&Trigger::Request {}).expect("a request").boxed_local()
}

/// What the `replies` thread does; ends when the sender is gone, and returns
/// the codes of failed answers.
fn answer_all(
    responder: Responder<Trigger::Service>,
    ids: mpsc::Receiver<RequestId>,
) -> thread::JoinHandle<Vec<i32>> {
    thread::spawn(move || {
        ids.into_iter()
            .filter_map(|id| responder.reply(&id, true, "killed\0by test").err())
            .map(|error| error.code)
            .collect()
    })
}

fn take_soon(requests: &mut Requests<Trigger::Service>) -> RequestId {
    wait_for_some("a request", || requests.take().expect("a working take"))
}

#[test]
fn a_request_wakes_and_is_answered_from_another_thread() {
    isolated("service::a_request_wakes_and_is_answered_from_another_thread", || {
        let (mut requests, responder) =
            serve::<Trigger::Service>(&gate(), "/kill").expect("a service");
        let mut peer = Peer::new();
        let client = peer.client("/kill");
        let set = WakeSet::new(1);
        set.bind(thread::current()).expect("the first thread");
        requests.on_new_request(set.waker(0).expect("a bit")).expect("a callback");
        assert_eq!(set.take_bits(0), 1, "set once at registration");
        assert_eq!(requests.take().map(|id| id.is_some()), Ok(false));

        let (ids, received) = mpsc::channel();
        let replies = answer_all(responder, received);
        let answer = ask(&client);
        while set.take_bits(0) == 0 {
            thread::park();
        }
        let id = requests.take().expect("a take").expect("the request is there");
        ids.send(id).expect("the replies thread lives");
        let answer = peer.answer(answer);
        assert!(answer.success);
        assert_eq!(answer.message, "killed\u{FFFD}by test");
        let again = requests.on_new_request(set.waker(0).expect("a bit"));
        assert!(again.is_err(), "one waker a service");
        drop(ids);
        assert_eq!(replies.join().expect("no panic"), [0_i32; 0], "no failed answer");
    });
}

#[test]
fn a_client_that_cannot_be_answered_delays_no_take() {
    isolated("service::a_client_that_cannot_be_answered_delays_no_take", || {
        const HOSTILE: usize = 8;
        let (mut requests, responder) =
            serve::<Trigger::Service>(&gate(), "/kill").expect("a service");
        let mut peer = Peer::new();
        let honest = peer.client("/kill");
        let hostile = peer.hostile_client("/kill");
        let mut kept = Vec::new();
        // Requests of a client that is not matched yet are lost: ask until one
        // arrives, then the rest arrive too.
        let first = wait_for_some("the hostile client to match", || {
            kept.push(ask(&hostile));
            peer.spin();
            requests.take().expect("a take")
        });
        let mut taken = vec![first];
        kept.extend((0..HOSTILE).map(|_| ask(&hostile)));
        while taken.len() < HOSTILE {
            taken.push(take_soon(&mut requests));
        }
        // The replies thread now has work that blocks; meanwhile takes go on.
        let (ids, received) = mpsc::channel();
        let replies = answer_all(responder, received);
        for id in taken {
            ids.send(id).expect("the replies thread lives");
        }
        let answer = ask(&honest);
        wait_for("the honest request", || {
            let taken = requests.take().expect("a working take");
            taken.is_some_and(|id| {
                ids.send(id).expect("the replies thread lives");
                id.client() != first.client()
            })
        });
        assert!(peer.answer(answer).success, "the honest client is answered");
        drop(ids);
        let failed = replies.join().expect("no panic");
        assert!(failed.len() >= HOSTILE, "failed answers are reported: {failed:?}");
        assert!(failed.iter().all(|code| *code == TIMEOUT), "{failed:?}");
    });
}

#[test]
fn a_client_that_cannot_be_answered_delays_no_other_answer() {
    isolated("service::a_client_that_cannot_be_answered_delays_no_other_answer", || {
        let (mut requests, responder) =
            serve::<Trigger::Service>(&gate(), "/kill").expect("a service");
        let responder = Arc::new(responder);
        let mut peer = Peer::new();
        let honest = peer.client("/kill");
        let hostile = peer.hostile_client("/kill");
        let mut kept = Vec::new();
        let first = wait_for_some("the hostile client to match", || {
            kept.push(ask(&hostile));
            peer.spin();
            requests.take().expect("a take")
        });
        // Two threads are in the middle of an answer that cannot be delivered, until the end.
        let answered = Arc::new(AtomicBool::new(false));
        let undelivered = Arc::new(AtomicUsize::new(0));
        let blocked = [(); 2].map(|()| {
            let (responder, answered) = (responder.clone(), answered.clone());
            let undelivered = undelivered.clone();
            thread::spawn(move || {
                while !answered.load(Ordering::Relaxed) {
                    let failed = responder.reply(&first, true, "").err().map(|e| e.code);
                    assert_eq!(failed, Some(TIMEOUT));
                    undelivered.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        // Several of theirs pass while the honest client asks and is answered.
        let mut asked = 0;
        while asked < 20 || undelivered.load(Ordering::Relaxed) < 4 {
            let answer = ask(&honest);
            wait_for("the honest request", || {
                requests.take().expect("a working take").is_some_and(|id| {
                    let own = id.client() != first.client();
                    assert!(!own || responder.reply(&id, true, "heard").is_ok());
                    own
                })
            });
            assert!(peer.answer(answer).success, "the honest client is answered");
            asked += 1;
            assert!(blocked.iter().all(|thread| !thread.is_finished()), "a thread has failed");
        }
        answered.store(true, Ordering::Relaxed);
        for thread in blocked {
            thread.join().expect("every answer of theirs timed out");
        }
    });
}

#[test]
fn requests_with_fields_are_read() {
    isolated("service::requests_with_fields_are_read", || {
        let (mut requests, responder) =
            serve::<SetBool::Service>(&gate(), "/set").expect("a service");
        let mut peer = Peer::new();
        let qos = QosProfile::services_default();
        let client = peer.0.create_client::<SetBool::Service>("/set", qos).expect("a client");
        let mut available = Box::pin(r2r::Node::is_available(&client).expect("a question"));
        wait_for("the service", || {
            peer.spin();
            (&mut available).now_or_never().is_some()
        });
        for data in [true, false] {
            let mut answer =
                Box::pin(client.request(&SetBool::Request { data }).expect("a request"));
            let (id, request) =
                wait_for_some("a request", || requests.take_with_fields().expect("a working take"));
            assert_eq!(request, SetBool::Request { data });
            let response = SetBool::Response { success: data, message: "as asked".to_owned() };
            responder.send(&id, &response).expect("an answer");
            let answer = wait_for_some("the answer", || {
                peer.spin();
                (&mut answer).now_or_never()
            });
            assert_eq!(answer.expect("an answer"), response);
        }
    });
}
