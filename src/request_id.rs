/// The longest `cf-ray` that is believed.
const MAX_RAY: usize = 64;

/// Whether a `cf-ray` header can name a request. Cloudflare sets the header itself; elsewhere a client can write what it
/// likes there, and it stands in answers and in the log.
#[must_use]
pub fn is_ray(text: &str) -> bool {
    (1..=MAX_RAY).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_ray_names_a_request() {
        assert!(is_ray("8f1f0d3c2b1a0987-AMS"));
        for text in ["", "a b", "a\"b", "<b>", "ü", "a\nb", &"a".repeat(MAX_RAY + 1)] {
            assert!(!is_ray(text), "{text}");
        }
    }
}
