//! CPU time of one of our threads, from the kernel.

const NANOS_PER_SECOND: f64 = 1e9;

/// CPU seconds that the thread has used, `None` once it has ended or where the kernel does not
/// tell.
pub(super) fn cpu_seconds(id: u32) -> Option<f64> {
    // The first number of `schedstat` is nanoseconds on a CPU; `stat` only has ticks of 10 ms.
    let text = std::fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).ok()?;
    nanos_on_cpu(&text).map(|nanos| nanos / NANOS_PER_SECOND)
}

fn nanos_on_cpu(schedstat: &str) -> Option<f64> {
    let nanos: f64 = schedstat.split_ascii_whitespace().next()?.parse().ok()?;
    nanos.is_finite().then_some(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_kernel_tells_expect_the_first_number() {
        assert_eq!(nanos_on_cpu("1500000000 42 7\n"), Some(1.5e9));
        assert_eq!(nanos_on_cpu(""), None);
        assert_eq!(nanos_on_cpu("nan 1 2"), None);
    }

    #[test]
    fn when_the_thread_has_ended_expect_nothing() {
        assert_eq!(cpu_seconds(u32::MAX), None);
    }
}
