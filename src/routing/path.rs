/// What stands behind the authority of a URL: path, query and fragment, exactly as they arrived.
///
/// Segments are compared byte by byte: nothing is decoded and no `..` is resolved, because the runtime has done both
/// before the Worker sees a URL, and a second opinion here could only differ from the user Worker's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'u> {
    /// What is left, without the slash in front of it; `None` behind the last segment.
    rest: Option<&'u str>,
}

impl<'u> Path<'u> {
    /// `text` begins with `/`, `?` or `#`, or is empty. An empty path is the path `/`.
    pub(super) fn new(text: &'u str) -> Self {
        Self {
            rest: Some(text.strip_prefix('/').unwrap_or(text)),
        }
    }

    /// The next segment, which may be empty, and what follows; `None` behind the last one.
    pub(super) fn next(self) -> Option<(&'u str, Self)> {
        let rest = self.rest?;
        let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (segment, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        Some((
            segment,
            Self {
                rest: behind.strip_prefix('/'),
            },
        ))
    }
}
