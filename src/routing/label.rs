/// The last label of a host, and the labels in front of it, if there are any.
///
/// Hosts are short: a look at each byte finds the dot sooner than a search that is made for long texts.
pub(super) fn last_label(host: &str) -> (&str, Option<&str>) {
    let dot = host.bytes().rposition(|byte| byte == b'.');
    match dot.and_then(|dot| Some((host.get(dot + 1..)?, host.get(..dot)?))) {
        Some((label, rest)) => (label, Some(rest)),
        None => (host, None),
    }
}
