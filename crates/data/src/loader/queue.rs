use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::order::Dealer;

/// Deals numbered work to threads and hands its results out in order, never more than `ahead` of
/// them under way or waiting.
pub(super) struct Queue<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    ahead: u64,
}

struct State<R> {
    dealer: Dealer,
    ready: BTreeMap<u64, R>,
    /// Number of the next result to hand out.
    next: u64,
    dealt: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// No more work is dealt.
    Closed,
    /// A thread panicked.
    Broken,
}

impl<R> Queue<R> {
    pub(super) fn new(dealer: Dealer, first: u64, ahead: usize) -> Self {
        let ready = BTreeMap::new();
        let state = State { dealer, ready, next: first, dealt: first, phase: Phase::Open };
        Self { state: Mutex::new(state), changed: Condvar::new(), ahead: ahead.max(1) as u64 }
    }

    /// Does work in this thread until the queue is closed.
    pub(super) fn work(&self, job: impl Fn(u64, Vec<usize>) -> R) {
        let guard = BreakOnPanic(self);
        while let Some((index, rows)) = self.deal() {
            let result = job(index, rows);
            self.lock().ready.insert(index, result);
            self.changed.notify_all();
        }
        drop(guard);
    }

    /// The next result; nothing if a thread panicked.
    pub(super) fn take(&self) -> Option<R> {
        let mut state = self.lock();
        loop {
            let next = state.next;
            if let Some(result) = state.ready.remove(&next) {
                state.next += 1;
                self.changed.notify_all();
                return Some(result);
            }
            if state.phase != Phase::Open {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets all threads finish what they have begun and no more.
    pub(super) fn close(&self) {
        self.end(Phase::Closed);
    }

    fn end(&self, phase: Phase) {
        self.lock().phase = phase;
        self.changed.notify_all();
    }

    fn deal(&self) -> Option<(u64, Vec<usize>)> {
        let mut state = self.lock();
        while state.phase == Phase::Open && state.dealt >= state.next + self.ahead {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.phase != Phase::Open {
            return None;
        }
        state.dealt += 1;
        Some(state.dealer.deal())
    }

    /// Nothing that can panic runs under the lock, so what it guards is whole.
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct BreakOnPanic<'a, R>(&'a Queue<R>);

impl<R> Drop for BreakOnPanic<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(Phase::Broken);
        }
    }
}
