//! Guessing locks the guesser out, and nobody else.

use anyhow::Result;
use end_to_end::Answer;
use reqwest::Method;

use crate::platforms::platform;

async fn ask(client: &str, token: &str) -> Result<Answer> {
    let request = platform()
        .anonymous(Method::GET, "/v1/namespaces")
        .header("CF-Connecting-IP", client)
        .bearer_auth(token);
    Answer::read(request.send().await?).await
}

#[end_to_end::test]
async fn guesses_lock_their_address_out_even_for_a_good_token() -> Result<()> {
    let guesser = "203.0.113.1";
    let mut refused = 0;
    let locked = loop {
        let answer = ask(guesser, &format!("a-guess-{refused}-of-the-bootstrap-token")).await?;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 401, "{}", answer.text());
        refused += 1;
        assert!(refused < 100, "nobody is locked out");
    };
    assert_eq!(locked.json()["code"], "LOCKED_OUT");
    assert!(!locked.header("retry-after").is_empty());
    let token = platform().token();
    assert_eq!(
        ask(guesser, token).await?.status,
        429,
        "a good token does not help"
    );
    assert_eq!(ask("203.0.113.2", token).await?.status, 200);
    let entries = platform()
        .deploy_api()
        .audit(&format!("client={guesser}&outcome=denied"))
        .await?;
    assert!(entries.len() >= refused, "failed authentication is on record");
    assert_eq!(entries[0]["reason"]["cause"], "bearer_unknown");
    Ok(())
}
