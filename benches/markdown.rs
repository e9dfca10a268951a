//! How long the dialect takes on an answer of 20 KB. The streaming form runs some times a second for each
//! open card.

use nightjar::bot::markdown::{split, to_dialect, to_dialect_streaming};

fn main() {
    divan::main();
}

/// About 20 KB as models write it: headings, lists, code, a table, links, both languages.
fn answer() -> String {
    let section = "\
## 结论 and findings

**checkout** 的 p99 从 `12:00:30` 起升高：**原因：**连接池用尽，见 https://grafana.example.com/d/abc?x=1 。
The pool has 20 connections; each request holds one for ~2 s, so 10 requests per second fill it.

1. Read the *logs*:
   ```sh
   kubectl logs -n prod deploy/checkout | grep 'pool_timeout' > /tmp/x
   ```
2. Look at [the panel](https://grafana.example.com/d/abc_def)
   - connections > 100
   - <b>errors</b> & 5~10 秒

| 服务 | p99 | 变化 |
|------|----:|------|
| checkout | 2.1s | +300% |
| payment_api | 0.2s | 0% |

> Note that this is a guess.

";
    section.repeat(20 * 1024 / section.len() + 1)
}

#[divan::bench]
fn dialect_20_kb(bencher: divan::Bencher<'_, '_>) {
    let answer = answer();
    bencher.bench(|| to_dialect(divan::black_box(&answer)));
}

#[divan::bench]
fn dialect_streaming_20_kb(bencher: divan::Bencher<'_, '_>) {
    let answer = answer();
    bencher.bench(|| to_dialect_streaming(divan::black_box(&answer)));
}

#[divan::bench]
fn split_20_kb(bencher: divan::Bencher<'_, '_>) {
    let dialect = to_dialect(&answer());
    bencher.bench(|| split(divan::black_box(&dialect), 8_000, 3));
}
