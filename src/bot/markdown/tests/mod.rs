//! What goes in and what comes out; and what never comes out, by a scanner that shares no code with
//! the writer.

mod growing;
mod hostile;
mod parts;
mod scanner;
mod written;

use super::{
    ELEMENT_CHARS_MAX, TABLES_MAX, escape, first_sentence, split, split_elements, text_message,
    to_dialect, to_dialect_streaming,
};

use scanner::{assert_harmless, table_headers, tables, visible};

/// An answer as models write them.
const ANSWER: &str = "\
## 结论

**checkout** 的 p99 从 `12:00:30` 起升高：**原因：**连接池用尽，见 https://grafana.example.com/d/abc?x=1 。

1. 先看 *日志*：
   ```sh
   kubectl logs -n prod deploy/checkout | grep 'pool_timeout' > /tmp/x
   ```
2. 再看 [面板](https://grafana.example.com/d/abc_def)
   - 连接数 > 100
   - ~~忽略~~ 等待 5~10 秒

| 服务 | p99 | 变化 |
|------|----:|------|
| checkout | 2.1s | +300% |
| payment_api | 0.2s | `a|b` |

> Note that this is a guess.
> It may be wrong.

```rust
fn main() { println!(\"<at id=all></at>\"); }
```

- [ ] Raise the limit
- [x] Tell **everyone**

---
Is that all? Yes: costs $5!
";
