//! Those who wait, on a paused clock: that they are woken, and when they need not wait any more.

use futures::future::join_all;
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::feishu::api::Api;

static SEND: Api = Api::get("message.create", "/send");

fn scheduler() -> Scheduler {
    Scheduler::new(Meter::new(0), Metrics::default())
}

fn to(chat: &str) -> Call<'static> {
    Call::of(&SEND).about(Target::Chat(ChatId::new(chat)))
}

async fn make(scheduler: &Scheduler, chat: &str, class: Class) -> Result<(), Error> {
    let mut permit = scheduler.admit(&to(chat), class).await?;
    permit.leave();
    sleep(ms(20)).await;
    Ok(())
}

fn refusal() -> Box<Refusal> {
    Box::new(Refusal {
        api: "message.create",
        code: 99_991_403,
        sub_code: None,
        message: "used up".into(),
        log_id: None,
        scopes: Vec::new(),
        help: None,
    })
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_woken_in_order() {
    let scheduler = scheduler();
    let start = Instant::now();
    let times = join_all((0..12).map(|_| async {
        make(&scheduler, "oc_a", Class::Sign).await.unwrap();
        start.elapsed()
    }))
    .await;
    assert!(times.is_sorted(), "{times:?}");
    assert!(times[3] < ms(50) && times[4] >= ms(1000), "{times:?}");
    assert!(times[11] < ms(2500), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_takes_nothing_along() {
    let scheduler = scheduler();
    for _ in 0..100 {
        let call = to("oc_a");
        let _ = timeout(ms(1), scheduler.admit(&call, Class::Sign)).await;
    }
    let start = Instant::now();
    make(&scheduler, "oc_a", Class::Sign).await.unwrap();
    assert!(start.elapsed() < ms(30), "no permit was used");
    assert_eq!(scheduler.shared.lock().waiting.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_known_to_be_too_long_is_refused_at_once() {
    let scheduler = scheduler();
    let permit = scheduler.admit(&to("oc_a"), Class::Sign).await.unwrap();
    permit.learn::<()>(&Err(Error::TooFast {
        wait: Duration::from_secs(30),
        limit: Limit::Chat,
        refusal: None,
    }));
    drop(permit);
    let start = Instant::now();
    let error = make(&scheduler, "oc_a", Class::Progress).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooFast {
                limit: Limit::Chat,
                refusal: None,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(start.elapsed(), Duration::ZERO);
    make(&scheduler, "oc_a", Class::Sign).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_month_used_up_ends_the_waiting_of_all_but_pages() {
    let scheduler = scheduler();
    let mut first = scheduler.admit(&to("oc_a"), Class::Sign).await.unwrap();
    first.leave();
    let waits = join_all((0..9).map(|_| make(&scheduler, "oc_a", Class::Sign)));
    let refuse = async {
        sleep(ms(5)).await;
        first.learn::<()>(&Err(Error::QuotaUsedUp(refusal())));
        drop(first);
    };
    let (outcomes, ()) = tokio::join!(waits, refuse);
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(failed, 6, "three had gone before");
    let error = make(&scheduler, "oc_b", Class::Click).await.unwrap_err();
    assert!(matches!(error, Error::QuotaUsedUp(_)), "{error}");

    let page = scheduler.admit(&to("oc_b"), Class::Page).await.unwrap();
    page.learn(&Ok(()));
    drop(page);
    make(&scheduler, "oc_b", Class::Click).await.unwrap();

    scheduler
        .admit(&to("oc_c"), Class::Sign)
        .await
        .unwrap()
        .learn::<()>(&Err(Error::QuotaUsedUp(refusal())));
    assert!(make(&scheduler, "oc_b", Class::Click).await.is_err());
    advance(QUOTA_CLOSED + ms(1)).await;
    make(&scheduler, "oc_b", Class::Click).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_last_hundredth_of_the_month_is_for_pages() {
    let scheduler = Scheduler::new(Meter::new(100), Metrics::default());
    for number in 0..99 {
        make(&scheduler, &format!("oc_{number}"), Class::Sign)
            .await
            .unwrap();
    }
    let error = make(&scheduler, "oc_a", Class::Sign).await.unwrap_err();
    assert!(matches!(error, Error::QuotaUsedUp(_)), "{error}");
    make(&scheduler, "oc_a", Class::Page).await.unwrap();
    assert_eq!(scheduler.meter().tally().used, 100);
}
