//! The state of one lane: who holds its output right now.

use super::closed_list::closed_list;

closed_list! {
    /// Who holds an output.
    LaneState {
        /// Publishes nothing: not armed or killed yet in this run, or let go after disarm.
        Released = "released",
        /// Permitted, no source moving; the safe command is out.
        Waiting = "waiting",
        /// A source's commands go through.
        Flowing = "flowing",
        /// The source went silent in motion, or a cause holds; the safe command is out.
        Holding = "holding",
        /// Killed or disarming; the safe command is out.
        Safe = "safe",
    }
}
