//! The routes and their answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::TEXT_FORMAT;
use serde::Serialize;

use super::page::{self, POLICY};
use super::{HttpParts, STALLED_AFTER};
use crate::telemetry::collector::scrape;
use crate::telemetry::status::Liveness;

/// `get` also answers HEAD; axum answers 405 with `Allow` to any other method.
pub(super) fn router(parts: HttpParts) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .fallback(|| async { (StatusCode::NOT_FOUND, plain(), "not found; see /\n") })
        .with_state(Arc::new(parts))
}

type Parts = State<Arc<HttpParts>>;
type Headers = [(header::HeaderName, HeaderValue); 2];

/// Every answer is about this moment: nobody may keep it.
fn headers(content_type: &'static str) -> Headers {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

fn plain() -> Headers {
    headers("text/plain; charset=utf-8")
}

fn json(code: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(mut text) => {
            text.push('\n');
            (code, headers("application/json"), text).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "http: {error}");
    (StatusCode::INTERNAL_SERVER_ERROR, plain(), format!("{error}\n")).into_response()
}

async fn metrics(State(parts): Parts) -> Response {
    match scrape(&parts.registry) {
        Ok(text) => (headers(TEXT_FORMAT), text).into_response(),
        Err(error) => failed(&error),
    }
}

/// The status for people. The browser is told to run nothing and to load nothing.
async fn page(State(parts): Parts) -> Response {
    let safe = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let text = page::page(&(parts.status)(), stalled(&parts).as_deref());
    (headers("text/html; charset=utf-8"), safe, text).into_response()
}

/// Why the gate thread does not get on; `None`: it does.
fn stalled(parts: &HttpParts) -> Option<String> {
    match parts.slots.node.since_tick((parts.steady)()) {
        None => Some(String::from("the gate thread has not ticked yet")),
        Some(since) if since > STALLED_AFTER => Some(format!(
            "the gate thread ticked {:.1} s ago, needs < {:.1} s",
            since.as_secs_f64(),
            STALLED_AFTER.as_secs_f64()
        )),
        Some(_) => None,
    }
}

async fn livez(State(parts): Parts) -> Response {
    let reason = stalled(&parts);
    let liveness = Liveness { live: reason.is_none(), reasons: reason.into_iter().collect() };
    json(code(liveness.live), &liveness)
}

async fn readyz(State(parts): Parts) -> Response {
    let readiness = (parts.readiness)();
    json(code(readiness.ready), &readiness)
}

async fn status(State(parts): Parts) -> Response {
    json(StatusCode::OK, &(parts.status)())
}

const fn code(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
