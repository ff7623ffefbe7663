//! What the benches share: runs on one and on two threads.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use rayon::ThreadPoolBuilder;

/// A group whose benches take a second or two each; the default of eight would make an afternoon of them.
pub(crate) fn group<'a>(
    c: &'a mut Criterion,
    name: &str,
    samples: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.sample_size(samples).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    group
}

/// Measures one piece of work on one thread and on two.
pub(crate) fn by_threads<T: Send>(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    throughput: Throughput,
    mut run: impl FnMut() -> T + Send,
) {
    group.throughput(throughput);
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
        group.bench_function(format!("{name}/{threads} threads"), |b| {
            pool.install(|| b.iter(|| black_box(run())));
        });
    }
}
