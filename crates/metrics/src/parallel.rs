//! Independent tasks on a few threads, with results that do not depend on their number.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Results of `task(0..costs.len())` in index order. Tasks start costliest first, so that no
/// thread begins the longest one when the others are done.
pub(crate) fn map_by_cost<T: Send>(
    costs: &[usize],
    threads: NonZeroUsize,
    task: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let threads = threads.get().min(costs.len());
    if threads <= 1 {
        return (0..costs.len()).map(task).collect();
    }
    let mut queue: Vec<usize> = (0..costs.len()).collect();
    queue.sort_by_key(|&i| std::cmp::Reverse(costs[i]));
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || queue.get(next.fetch_add(1, Ordering::Relaxed)).copied();
        std::iter::from_fn(take).map(|i| (i, task(i))).collect::<Vec<_>>()
    };
    let mut results: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.flat_map(|r| r.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    results.sort_by_key(|&(i, _)| i);
    results.into_iter().map(|(_, result)| result).collect()
}

/// [`map_by_cost`] for tasks of about the same cost.
pub(crate) fn map<T: Send>(
    tasks: usize,
    threads: NonZeroUsize,
    task: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    map_by_cost(&vec![1; tasks], threads, task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        let costs = [3, 1, 4, 1, 5, 9, 2];
        for threads in [1, 2, 3, 20] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let results = map_by_cost(&costs, threads, |i| 10 * i);
            assert_eq!(results, [0, 10, 20, 30, 40, 50, 60]);
        }
        assert!(map(0, NonZeroUsize::MIN, |i| i).is_empty());
    }
}
